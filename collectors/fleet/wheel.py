"""Turns spread evenly over an interval: who is due in which part of it. A late turn is skipped, never made up for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

SLOT_S: Final = 0.01
MOST_LATE_S: Final = 0.25  # beyond it turns are left out: they would only push back those after them

T = TypeVar("T")


class Timers(Protocol):
    """What is needed of an event loop."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle: ...


class Wheel(Generic[T]):
    """Calls `turn(items, due)` for each part of the interval; `due` is the loop's time at which it should have been.

    One timer for all: a timer for each of 5000 items takes five times as much.
    """

    def __init__(
        self, items: Sequence[T], turn: Callable[[Sequence[T], float], None], *, interval_s: float = 1.0
    ) -> None:
        slots = max(1, round(interval_s / SLOT_S))
        self._slot_s = interval_s / slots
        self._turn = turn
        self._slots: list[list[T]] = [[] for _ in range(slots)]
        for place, item in enumerate(items):
            self._slots[place * slots // len(items)].append(item)
        self._count = len(items)
        self._due = 0.0
        self._next = 0
        self._loop: Timers
        self._timer: asyncio.TimerHandle | None = None
        self.skipped = 0  # turns that were left out

    def start(self, timers: Timers | None = None) -> None:
        """From now on; timers: those of the running event loop, where none are given."""
        self._loop = timers or asyncio.get_running_loop()
        self._due = self._loop.time()
        self._timer = self._loop.call_at(self._due, self._run)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        """One part. Late ones come at once, but one after another: between two of them answers that came are read.

        A quarter of a second of parts in one go took 110 ms at 5000 items, in which more answers came late.
        """
        late_s = self._loop.time() - self._due
        if late_s > MOST_LATE_S:
            self._leave_out(int(late_s / self._slot_s))
        due, items = self._due, self._slots[self._next]
        self._advance(1)
        self._turn(items, due)
        self._timer = self._loop.call_at(self._due, self._run)

    def _leave_out(self, slots: int) -> None:
        rounds, rest = divmod(slots, len(self._slots))
        self.skipped += rounds * self._count
        self.skipped += sum(len(self._slots[(self._next + ahead) % len(self._slots)]) for ahead in range(rest))
        self._advance(slots)

    def _advance(self, slots: int) -> None:
        self._due += slots * self._slot_s
        self._next = (self._next + slots) % len(self._slots)
