"""A mark: something that happened in a session and that one may want to jump to; and the next one from anywhere."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple, get_args

Kind = Literal["alert", "restart", "gap", "idle", "price"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Mark(NamedTuple):
    """Something that happened at a tick."""

    at_ms: int
    kind: Kind
    words: str
    state: str = ""  # what the GPUs are in, as in GpuRow; "" where it is about no state
    length_ms: int = 0  # idle: how long it goes on from here · gap: how long nobody had watched


def next_mark(marks: Sequence[Mark], at_ms: int, kind: Kind | None, *, forward: bool) -> Mark | None:
    """The first mark after an instant, or the last one before it; of a kind, or of any."""
    if forward:
        ahead: Iterable[Mark] = marks[bisect_right(marks, at_ms, key=_at_ms) :]
    else:
        ahead = reversed(marks[: bisect_left(marks, at_ms, key=_at_ms)])
    return next((mark for mark in ahead if kind in (None, mark.kind)), None)


def last_mark(marks: Sequence[Mark], at_ms: int) -> Mark | None:
    """The last mark at or before an instant."""
    index = bisect_right(marks, at_ms, key=_at_ms)
    return marks[index - 1] if index else None


def _at_ms(mark: Mark) -> int:
    return mark.at_ms
