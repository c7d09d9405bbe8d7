"""The FleetFeed over any source: now and, where the source has one, its past, behind one transport."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from tokwatch.feeds.clock import Clock
from tokwatch.feeds.fleet import FleetSource, HostDoor
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.fleet.own_cost import OwnCpu
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.snapshot import FleetSnapshot
from tokwatch.ledger.fleet.tally import FleetTally, HostKey
from tokwatch.ledger.prices.book import PriceBook

T = TypeVar("T")

LONGEST_WAIT_S: Final = 60.0  # after failures
_FRAME_S: Final = 0.5  # from frame to frame of a replay that is faster than its source


class FleetTimeline:
    """Asks the source every interval and shows what it says; a failure is a problem on what was shown last.

    See feeds.fleet.FleetFeed for the contract. `book` is asked for at every frame, so that new prices hold at once.
    """

    def __init__(
        self,
        source: FleetSource,
        book: Callable[[], PriceBook],
        clock: Clock,
        *,
        start_ms: int | None = None,
        speed: float = 1.0,
        can_go_live: bool = True,
        cpu_s: Callable[[], float] = time.process_time,
    ) -> None:
        """start_ms: begins in the past, playing. cpu_s: CPU seconds of this process so far."""
        self._source = source
        self._book = book
        self._clock = clock
        self._can_go_live = can_go_live
        self._speed = speed
        self._own_cpu = OwnCpu(cpu_s)
        self._at_now = start_ms is None
        self._playing = start_ms is not None
        self._position_ms = start_ms
        self._span: tuple[int, int] | None = None
        self._latest: FleetTally | None = None  # the newest that the source said of now
        self._shown: FleetTally | None = None
        self._frozen = False  # what is shown was now when it was paused: nothing needs to be asked
        self._failures = 0
        self._changed = asyncio.Event()
        self._turned_ns: int | None = None  # when the last turn of a replay began
        self._closed = False

    # --- the contract -------------------------------------------------------------------------------------------------

    @property
    def can_go_live(self) -> bool:
        return self._can_go_live

    @property
    def speed(self) -> float:
        return self._speed

    @property
    def span_ms(self) -> tuple[int, int] | None:
        return self._span

    async def snapshots(self) -> AsyncIterator[FleetSnapshot]:
        while not self._closed:
            self._changed.clear()
            snapshot, wait_s = await (self._now() if self._at_now else self._past())
            if snapshot is not None and not self._closed:
                yield snapshot
            await self._pause_for(wait_s)

    def pause(self) -> None:
        self._frozen = self._leave_now()
        self._playing = False
        self._changed.set()

    def play(self) -> None:
        if not self._at_now:
            if not self._playing:
                self._turned_ns = None  # what passed while it stood still is not played
            self._playing, self._frozen = True, False
            self._changed.set()

    def step(self, turns: int) -> None:
        self._leave_now()
        self._playing = False
        self._move_to((self._position_ms or 0) + round(turns * self._source.interval_s * 1000))

    def seek(self, at_ms: int) -> None:
        self._leave_now()
        self._move_to(at_ms)

    def set_speed(self, speed: float) -> None:
        if self._playing and self._position_ms is not None:
            self._position_ms = self._played_to(self._position_ms)  # up to here at the speed of before
            self._changed.set()
        self._speed = speed

    def go_live(self) -> None:
        if self._can_go_live:
            self._at_now, self._playing, self._frozen = True, False, False
            self._changed.set()
        elif self._span is not None:
            self.seek(self._span[1])

    def door(self, host: HostKey) -> HostDoor | None:
        return self._source.door(host, None if self._at_now else self._position_ms)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._changed.set()
            await self._source.close()

    # --- now ----------------------------------------------------------------------------------------------------------

    async def _now(self) -> tuple[FleetSnapshot | None, float | None]:
        """What is so now, and after how many seconds to ask again."""
        begun_ns = self._clock.now().boottime_ns
        try:
            tally = await self._unless_left(self._source.now(), at_now=True)
            if tally is None:
                return None, 0.0
            self._span = await self._source.span_ms()
        except SourceError as error:
            self._failures += 1
            wait_s = min(LONGEST_WAIT_S, self._source.interval_s * 2**self._failures)
            return await self._compose(self._aged(), "live", f"{error}; asked again in {wait_s:.0f} s"), wait_s
        self._failures = 0
        self._latest = tally
        snapshot = await self._compose(tally, "live")
        took_s = (self._clock.now().boottime_ns - begun_ns) / 1e9
        return snapshot, max(0.0, self._source.interval_s - took_s)

    def _aged(self) -> FleetTally:
        """What was last said of now, as old as it is by now."""
        now_ms = self._clock.now().wall_ms
        if self._latest is None:
            return FleetTally(now_ms, 0, self._source.interval_s, "")
        return replace(self._latest, at_ms=max(now_ms, self._latest.at_ms))

    async def _unless_left(self, asked: Awaitable[T], *, at_now: bool) -> T | None:
        """The answer, or None as soon as somebody goes to the past instead of waiting for it, or from there to now."""
        answer, has_turned = asyncio.ensure_future(asked), False
        try:
            while not answer.done() and self._at_now is at_now and not self._closed:
                self._changed.clear()
                await self._first_of(answer)
                has_turned = has_turned or self._changed.is_set()
            if has_turned and not at_now:
                self._changed.set()  # the answer is shown, and then what was wanted meanwhile is asked
            return answer.result() if answer.done() else None
        finally:
            if not answer.done():
                answer.add_done_callback(_ignored)
                answer.cancel()

    def _leave_now(self) -> bool:
        """True where it was now that was shown."""
        if not self._at_now:
            return False
        self._at_now = False
        self._position_ms = self._latest.at_ms if self._latest else self._clock.now().wall_ms
        return self._latest is not None

    # --- the past -----------------------------------------------------------------------------------------------------

    async def _past(self) -> tuple[FleetSnapshot | None, float | None]:
        """What was so at the position; while it plays on, after how many seconds it goes on, else None."""
        mode = "replay" if self._playing else "paused"
        if self._frozen and self._latest is not None:
            return await self._compose(self._latest, mode), None
        try:
            self._span = await self._source.span_ms()
            self._play_on()
            if self._at_now:  # it has caught up
                return None, 0.0
            mode = "replay" if self._playing else "paused"
            tally = await self._unless_left(self._source.at(self._position_ms or 0), at_now=False)
            if tally is None:
                return None, 0.0
        except SourceError as error:
            self._playing = False
            shown = self._shown or FleetTally(self._position_ms or 0, 0, self._source.interval_s, "")
            return await self._compose(shown, "paused", str(error)), None
        return await self._compose(tally, mode), self._frame_s() if self._playing else None

    def _play_on(self) -> None:
        """Moves the position by what has passed since the last turn, to the end of the span at most."""
        position_ms = self._position_ms or 0
        if self._playing:
            position_ms = self._played_to(position_ms)
        if self._span is not None:
            first_ms, last_ms = self._span
            if self._playing and position_ms >= last_ms:
                self._playing = False
                self._at_now = self._can_go_live
            position_ms = max(first_ms, min(position_ms, last_ms))
        self._position_ms = position_ms

    def _played_to(self, position_ms: int) -> int:
        """Where a position is by now that was played on from since the last turn. This is the next turn."""
        now_ns = self._clock.now().boottime_ns
        before_ns, self._turned_ns = self._turned_ns, now_ns
        return position_ms if before_ns is None else position_ms + round((now_ns - before_ns) / 1e6 * self._speed)

    def _frame_s(self) -> float:
        return max(_FRAME_S, self._source.interval_s / self._speed)

    def _move_to(self, at_ms: int) -> None:
        self._frozen = False
        self._turned_ns = None
        first_ms, last_ms = self._span or (at_ms, at_ms)
        self._position_ms = max(first_ms, min(at_ms, last_ms))
        self._changed.set()

    # --- both ---------------------------------------------------------------------------------------------------------

    async def _compose(self, tally: FleetTally, mode: str, problem: str = "") -> FleetSnapshot:
        """In a thread: a thousand hosts take 50 ms, and a key must not wait for them."""
        self._shown = tally
        cpu_share = self._own_cpu.share(self._clock.now().boottime_ns)
        problems = (problem,) if problem else ()
        return await asyncio.to_thread(
            fleet_snapshot, tally, self._book(), mode=mode, cpu_share=cpu_share, problems=problems
        )

    async def _pause_for(self, wait_s: float | None) -> None:
        """Until a key changes something, at most so many seconds; None: for as long as it takes."""
        if wait_s is None:
            await self._changed.wait()
        elif wait_s > 0:
            sleep = asyncio.ensure_future(self._clock.sleep(wait_s))
            try:
                await self._first_of(sleep)
            finally:
                sleep.cancel()

    async def _first_of(self, other: asyncio.Future[T]) -> None:
        """Until `other` is done or a key changes something."""
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait((other, changed), return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()


def _ignored(answer: asyncio.Future[Any]) -> None:
    """What nobody waits for any more may fail as it likes."""
    if not answer.cancelled():
        answer.exception()
