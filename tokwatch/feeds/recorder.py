"""The recorder: one tick after another from the sources through the bookkeeper into the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Protocol

from tokwatch.feeds.clock import Clock
from tokwatch.ledger.bookkeeper import Bookkeeper, Sightings
from tokwatch.ledger.entries import TickRecord

_LOST_TOLD_S: Final = 600.0  # that a tick was not stored


class Seer(Protocol):
    """Where sightings come from."""

    async def see(self) -> Sightings: ...

    async def close(self) -> None: ...


class RecordWriter(Protocol):
    """What the recorder needs of the store."""

    @property
    def problem(self) -> str | None: ...

    @property
    def notice(self) -> str | None: ...

    def submit(self, record: TickRecord) -> None: ...


class Recorder:
    """Turns at a fixed interval on CLOCK_BOOTTIME; a late turn is skipped, never made up for."""

    def __init__(
        self,
        sources: Seer,
        bookkeeper: Bookkeeper,
        writer: RecordWriter,
        clock: Clock,
        *,
        interval_s: float,
        notes: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """`notes`: (what, words) that stand among the problems from the first tick on."""
        self._sources = sources
        self._bookkeeper = bookkeeper
        self._writer = writer
        self._clock = clock
        self._interval_s = interval_s
        self._notes = dict(notes)
        self._lost_s: float | None = None  # CLOCK_BOOTTIME of the last tick that was not stored
        self._listeners: list[Callable[[TickRecord], None]] = []
        self._complete: Callable[[Sightings], Sightings] = lambda seen: seen

    def listen(self, listener: Callable[[TickRecord], None]) -> None:
        """Call `listener` with every record, in the event loop, after it was handed to the store."""
        self._listeners.append(listener)

    def complete_with(self, complete: Callable[[Sightings], Sightings]) -> None:
        """Let every sighting pass here: what a tick is judged by and no source reads is added to it."""
        self._complete = complete

    def tell(self, what: str, words: str) -> None:
        """Words of the recorder's own that stand among its problems from the next tick on; empty when over."""
        self._notes[what] = words

    async def turn(self) -> TickRecord:
        """One tick."""
        seen = self._complete(await self._sources.see())
        of_store = (("store", self._writer.problem or ""), ("store size", self._writer.notice or ""))
        seen = replace(seen, problems=(*seen.problems, *self._notes.items(), *of_store))
        record = self._bookkeeper.turn(self._clock.now(), seen)
        try:
            self._writer.submit(record)
        except ValueError as error:  # a record the store cannot hold: this tick is lost, the next ones must not be
            self._tell_lost(record, str(error))
        else:
            self._forget_lost(record)
        for listener in self._listeners:
            listener(record)
        return record

    def _tell_lost(self, record: TickRecord, why: str) -> None:
        self._lost_s = record.tick.boottime_ns / 1e9
        when = datetime.fromtimestamp(record.tick.tick_ms / 1000, UTC).astimezone()
        self.tell("lost tick", f"the tick of {when:%H:%M:%S} was not stored: {why}")

    def _forget_lost(self, record: TickRecord) -> None:
        if self._lost_s is not None and record.tick.boottime_ns / 1e9 - self._lost_s > _LOST_TOLD_S:
            self._lost_s = None
            self.tell("lost tick", "")

    async def run(self, stop: asyncio.Event, *, for_s: float | None = None) -> None:
        """Tick until `stop` is set or the time is over, the last time at its end; then the sources are closed."""
        started_s = self._now_s()
        turn = 0
        try:
            while not stop.is_set():
                await self.turn()
                elapsed_s = self._now_s() - started_s
                if for_s is not None and elapsed_s >= for_s:
                    return
                turn = max(turn + 1, int(elapsed_s / self._interval_s) + 1)
                due_s = turn * self._interval_s if for_s is None else min(turn * self._interval_s, for_s)
                await _first(stop.wait(), self._clock.sleep(started_s + due_s - self._now_s()))
        finally:
            await self._sources.close()

    def _now_s(self) -> float:
        return self._clock.now().boottime_ns / 1e9


async def _first(*waits: Awaitable[object]) -> None:
    """Until one of them is over; the others are dropped."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
