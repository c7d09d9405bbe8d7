"""Figures: the one division, and what is said where it cannot be made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.figures import (
    MIXED_SCOPES,
    NO_PRICE,
    WARMING_UP,
    known,
    known_total,
    part_of,
    per_second,
    share,
    tokens_per_joule,
    total,
    unknown,
    usd_per_million,
)
from tokwatch.ledger.snapshot import Figure

LOST = unknown("lost")


def test_a_rate_is_over_the_time_that_was_covered_and_says_how_much_that_was() -> None:
    assert per_second(600, 30_000, 60_000) == Figure(20.0, coverage=0.5)
    assert per_second(600, 90_000, 60_000).coverage == 1.0
    assert per_second(0, 0, 60_000) == unknown(WARMING_UP)


def test_eight_gpus_at_two_dollars_and_22300_tokens_a_second_are_20_cents_a_million() -> None:
    figure = usd_per_million(Figure(16.0), Figure(22_300.0), few=False, warm=True)
    assert figure.value == pytest.approx(0.1993, abs=5e-5)


def test_a_tenth_of_a_joule_a_token_is_eight_million_tokens_a_second_a_megawatt() -> None:
    figure = tokens_per_joule(Figure(1000.0), Figure(120.0), few=False)
    assert figure.value == pytest.approx(8.333, abs=5e-4)
    kwh_per_million = 1e6 / (figure.value or 0) / 3.6e6
    assert kwh_per_million == pytest.approx(0.0333, abs=5e-5)
    assert kwh_per_million * 0.085 == pytest.approx(0.00283, abs=5e-6)


def test_cost_without_tokens_is_infinite_and_no_cost_without_tokens_is_nothing() -> None:
    assert usd_per_million(Figure(2.35), Figure(0.0), few=True, warm=True) == Figure(None, "no tokens", infinite=True)
    assert usd_per_million(Figure(0.0), Figure(0.0), few=True, warm=True) == unknown("no tokens")


def test_a_ratio_is_shown_from_ten_seconds_on() -> None:
    assert usd_per_million(Figure(2.35), Figure(9.0), few=False, warm=False) == unknown(WARMING_UP)


def test_a_ratio_of_something_unknown_is_unknown_and_says_why() -> None:
    assert usd_per_million(unknown(NO_PRICE), Figure(9.0), few=False, warm=True) == unknown(NO_PRICE)
    assert usd_per_million(Figure(2.35), LOST, few=False, warm=True) == LOST
    assert tokens_per_joule(Figure(9.0), LOST, few=False) == LOST
    assert tokens_per_joule(Figure(9.0), Figure(0.0), few=False) == unknown("no power drawn")


def test_marks_and_coverage_pass_on() -> None:
    tok_s, watts = Figure(9.0, coverage=0.5, marks=("long",)), Figure(3.0, coverage=0.8, marks=("est",))
    figure = tokens_per_joule(tok_s, watts, few=True)
    assert (figure.value, figure.coverage, figure.marks) == (3.0, 0.5, ("est", "few", "long"))


def test_a_total_is_unknown_as_soon_as_one_part_is() -> None:
    assert total([Figure(1.0), LOST], "no GPU") == LOST
    assert total([], "no GPU") == unknown("no GPU")
    assert total([Figure(1.0, coverage=0.5), Figure(2.0, marks=("est",))], "") == Figure(3.0, "", False, 0.5, ("est",))


def test_watts_of_gpus_and_of_whole_modules_have_no_sum() -> None:
    gpu, module, package = (Figure(300.0, marks=marks) for marks in ((), ("module",), ("package",)))
    assert total([module, module], "") == Figure(600.0, marks=("module",))
    assert total([gpu, Figure(1.0, marks=("est",))], "").value == 301.0
    for mixed in ([gpu, module], [gpu, package], [module, package]):
        assert total(mixed, "") == known_total([*mixed, LOST], "") == unknown(MIXED_SCOPES)


def test_a_total_of_what_is_known_is_marked_as_a_part() -> None:
    assert known_total([Figure(1.0), LOST], "no GPU") == Figure(1.0, marks=("part",))
    assert known_total([LOST], "no GPU") == LOST
    assert known_total([], "no GPU") == unknown("no GPU")
    assert known_total([Figure(1.0)], "no GPU") == Figure(1.0)


def test_an_unknown_gauge_has_a_reason_even_when_nobody_gave_one() -> None:
    assert known(None, "unsupported") == unknown("unsupported")
    assert known(None) == unknown("unknown")
    assert known(0.0, "unsupported") == Figure(0.0)


@given(st.floats(0, 1e9), st.integers(1, 16))
def test_shares_add_up_to_the_whole(value: float, parts: int) -> None:
    figures = [share(Figure(value), parts)] * parts
    assert total(figures, "").value == pytest.approx(value)
    assert share(LOST, parts) == LOST


def test_a_part_of_a_figure_is_as_sure_as_the_less_sure_of_both() -> None:
    cached, prompt = Figure(300.0, coverage=0.5, marks=("long",)), Figure(1200.0, marks=("stale",))
    assert part_of(cached, prompt) == Figure(0.25, coverage=0.5, marks=("long", "stale"))
    assert part_of(LOST, prompt).why == part_of(cached, LOST).why == "lost"
    assert part_of(Figure(0.0), Figure(0.0)).value is None
