"""Quantities compute from what was measured, and are written as far down as there is room."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.explain.quantity import Quantity, exact, made_of, number, sum_of

OUTPUT = made_of(
    "output",
    "tok/s",
    "tokens / seconds",
    tokens=Quantity("tokens", 93_060, "tokens"),
    seconds=Quantity("seconds", 60.0, "s"),
)
WATTS = Quantity("watts", 612.02, "W")
RATIO = made_of("tokens per watt", "tok/s/W", "output / watts", output=OUTPUT, watts=WATTS)


def test_a_quantity_is_written_one_formula_deep_or_deeper() -> None:
    assert RATIO.written(1) == "1 551 tok/s ÷ 612.02 W"
    assert RATIO.written(2) == "(93 060 tokens ÷ 60 s) ÷ 612.02 W"


def test_it_is_computed_from_what_was_measured() -> None:
    assert math.isclose(RATIO.computed(), 93_060 / 60 / 612.02)
    assert RATIO.value == RATIO.computed()


def test_a_short_sum_is_written_out_and_a_long_one_counted() -> None:
    assert sum_of("watts", "W", (WATTS, WATTS)).written() == "612.02 W + 612.02 W"
    assert sum_of("watts", "W", (WATTS,) * 8).written() == "4 896.16 W [sum of 8]"
    assert sum_of("watts", "W", (WATTS,)) is WATTS


def test_another_name_for_a_quantity_adds_no_brackets() -> None:
    renamed = made_of("all output", "tok/s", "its", its=OUTPUT)
    assert renamed.written(1) == "93 060 tokens ÷ 60 s"
    assert made_of("half", "tok/s", "its / two", its=renamed, two=Quantity("two", 2)).written(3) == (
        "(93 060 tokens ÷ 60 s) ÷ 2"
    )


def test_cost_without_tokens_is_infinite() -> None:
    cost = made_of("cost", "$/M", "usd / tokens", usd=Quantity("usd", 2.35, "$/h"), tokens=Quantity("tokens", 0.0))
    assert cost.computed() == math.inf
    assert number(cost.value, cost.unit) == "$∞/M"


@given(st.floats(-1e15, 1e15, allow_nan=False))
def test_an_exact_number_says_twelve_digits_and_never_an_exponent(value: float) -> None:
    text = exact(value).replace(" ", "").replace("−", "-")
    assert "e" not in text
    assert math.isclose(float(text), value, rel_tol=1e-11, abs_tol=1e-300)


def test_steps_name_everything_a_quantity_is_made_of() -> None:
    assert [(depth, name) for depth, name, _ in RATIO.steps()] == [
        (0, "output"),
        (1, "tokens"),
        (1, "seconds"),
        (0, "watts"),
    ]
