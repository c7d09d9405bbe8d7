"""A formula reads, fills in and computes as one and the same thing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.explain.formula import Formula

NAMES = ("a", "b", "c")
leaves = st.sampled_from(NAMES)
texts = st.recursive(
    leaves, lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner), max_leaves=8
)
numbers = st.floats(0.5, 1e6, allow_nan=False)


@given(texts, numbers, numbers, numbers)
def test_what_is_written_computes_to_the_same(text: str, a: float, b: float, c: float) -> None:
    values = dict(zip(NAMES, (a, b, c), strict=True))
    formula = Formula(text)
    try:
        value = formula.value(values)
    except ZeroDivisionError:
        return
    written = formula.written({name: repr(number) for name, number in values.items()})
    again = eval(written.replace("×", "*").replace("÷", "/").replace("−", "-"))
    assert math.isclose(again, value, rel_tol=1e-9, abs_tol=1e-9 * max(values.values()) ** 2)


def test_it_is_written_with_the_signs_of_a_printed_page_and_few_brackets() -> None:
    formula = Formula("usd / (tok_s * 3600) * 1e6")
    assert formula.written({"usd": "$2.35", "tok_s": "1 551 tok/s"}) == "$2.35 ÷ (1 551 tok/s × 3 600) × 10⁶"
    assert formula.names == ("usd", "tok_s")


def test_brackets_stay_where_leaving_them_out_would_change_the_value() -> None:
    assert Formula("a - (b + c)").written({"a": "3", "b": "2", "c": "1"}) == "3 − (2 + 1)"
    assert Formula("a - b + c").written({"a": "3", "b": "2", "c": "1"}) == "3 − 2 + 1"


@pytest.mark.parametrize("text", ["open('x')", "a ** b", "a if b else c", "'text'"])
def test_anything_but_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a formula holds"):
        Formula(text)
