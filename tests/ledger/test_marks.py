"""How marks are written."""

from __future__ import annotations

from tokwatch.ledger.figures import FEW_TOKENS
from tokwatch.ledger.figures import SCOPES as WATTS_OF_OTHERS
from tokwatch.ledger.marks import MARKS, SCOPES, SIGNS, signs
from tokwatch.ledger.sums import AT_END_WINDOW_MS


def test_every_sign_is_one_cell_and_no_two_marks_are_written_alike() -> None:
    assert {len(mark.sign) for mark in SIGNS.values()} == {1}
    assert len({mark.sign for mark in MARKS.values()}) == len(MARKS)


def test_signs_come_in_one_order() -> None:
    assert signs(("est", "allocated", "few", "long")) == signs(("long", "allocated", "est")) == "«÷~"
    assert signs(("few", "module")) == ""


def test_the_meanings_tell_the_limits_that_are_in_force() -> None:
    assert AT_END_WINDOW_MS == 5 * 60_000
    assert "five minutes" in MARKS["long"].meaning
    assert f"under {FEW_TOKENS} tokens" in MARKS["few"].meaning


def test_every_scope_of_watts_has_a_heading() -> None:
    assert SCOPES.keys() == WATTS_OF_OTHERS
