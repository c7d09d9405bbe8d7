"""Dials: round steps, ends that hold, and values typed by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dashboard.scenes.money import PRICES
from tests.dashboard.scenes.money_box import MONEY_BOX, price_list_only
from tokwatch.dashboard.widgets.what_if_dials import IN_THE_RENT, Dial, dials
from tokwatch.ledger.money.at_other_terms import AS_IT_IS, Terms, present
from tokwatch.ledger.snapshot import Snapshot


def of(snapshot: Snapshot) -> dict[str, Dial]:
    now = present(snapshot, PRICES)
    assert now is not None
    return {dial.label: dial for dial in dials(now)}


DIALS = of(MONEY_BOX)


def test_there_is_a_dial_for_each_term() -> None:
    assert list(DIALS) == ["GPU price", "tariff", "PUE", "utilisation", "token price"]


@pytest.mark.parametrize(
    ("label", "more", "less"),
    [("GPU price", 2.3, 2.2), ("tariff", 0.125, 0.115), ("PUE", 1.3, 1.2), ("utilisation", 0.45, 0.4)],
)
def test_a_step_is_round_and_goes_to_a_multiple(label: str, more: float, less: float) -> None:
    dial = DIALS[label]
    assert dial.then(dial.turned(AS_IT_IS, 1)) == pytest.approx(more)
    assert dial.then(dial.turned(AS_IT_IS, -1)) == pytest.approx(less)


def test_back_where_it_was_nothing_is_supposed() -> None:
    pue = DIALS["PUE"]
    assert pue.turned(pue.turned(AS_IT_IS, 1), -1) == AS_IT_IS
    assert pue.set(Terms(pue=1.4), 1.25) == AS_IT_IS


@given(st.lists(st.sampled_from([-1, 1]), max_size=80), st.sampled_from(sorted(DIALS)))
def test_no_turning_leaves_its_ends(turns: list[int], label: str) -> None:
    dial, terms = DIALS[label], AS_IT_IS
    for steps in turns:
        terms = dial.turned(terms, steps)
        assert dial.low <= (dial.then(terms) or 0.0) <= dial.high


def test_what_changes_nothing_cannot_be_turned() -> None:
    listed = of(price_list_only())
    assert listed["PUE"].why_fixed == IN_THE_RENT
    assert listed["tariff"].why_fixed == "[prices.electricity]"
    assert listed["token price"].why_fixed == "[[prices.tokens]]"
    assert listed["PUE"].turned(AS_IT_IS, 1) == AS_IT_IS


def test_without_a_capacity_it_is_the_load_that_turns() -> None:
    assert of(price_list_only())["load"].then(AS_IT_IS) == 1.0


@pytest.mark.parametrize(("typed", "read"), [("62", 0.62), (" 62 % ", 0.62), ("5", 0.05)])
def test_loads_are_typed_in_per_cent(typed: str, read: float) -> None:
    assert DIALS["utilisation"].read(typed) == pytest.approx(read)


@pytest.mark.parametrize("typed", ["", "much", "-1", "0.9", "nan", "inf"])
def test_what_cannot_be_is_refused_with_the_ends(typed: str) -> None:
    with pytest.raises(ValueError, match="from 1 to 2"):
        DIALS["PUE"].read(typed)
