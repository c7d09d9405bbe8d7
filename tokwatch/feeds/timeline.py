"""The Feed every screen gets: now and the stored past behind one transport."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeVar

from tokwatch.feeds import muting
from tokwatch.feeds.asking import Asking
from tokwatch.feeds.clock import Clock
from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.live import Now
from tokwatch.feeds.mark import Kind, Mark, next_mark
from tokwatch.feeds.question import Question
from tokwatch.feeds.turns import Turns
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.ledger.window_figures import WindowFigures

T = TypeVar("T")

_MARKS_LATE_MS = 60_000  # while the recording goes on behind what is shown
_WAIT_MS = 2_000  # a gap that takes longer to play through is skipped


class Timeline:
    """Shows now, or any stored moment, and moves between them. See feeds.Feed for the contract.

    open_cursor is called in the feed's own thread. Without `now` it is a replay. on_price stores a new price and gives
    None, or words when it cannot.
    """

    def __init__(
        self,
        store: Path,
        open_cursor: Callable[[], Cursor],
        clock: Clock,
        *,
        now: Now | None = None,
        session: str = "",
        start_ms: int | None = None,
        speed: float = 1.0,
        first_ms: int | None = None,
        on_price: Callable[[float], None] | None = None,
        on_close: Callable[[], Awaitable[None]] | None = None,
        reading: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """reading: entered around whatever touches the store, in that thread; it may turn errors into others."""
        self._store = store
        self._open_cursor = open_cursor
        self._reading = reading
        self._clock = clock
        self._session = session
        self._speed = speed
        self._first_ms = first_ms
        self._on_price = on_price
        self._on_close = on_close
        self._thread = ThreadPoolExecutor(1, "tokwatch-replay")
        self._asking = Asking(lambda: open_cursor().history, reading)
        self._cursor: Cursor | None = None
        self._live = now is not None
        self._at_now = now is not None
        self._playing = now is None
        self._position_ms: float | None = start_ms
        self._span: tuple[int, int] | None = None
        self._marks: tuple[Mark, ...] = ()
        self._what_if: float | None = None
        self._shown_ms: int | None = None
        self._latest: Snapshot | None = None
        self._outbox: asyncio.Queue[Snapshot | None] = asyncio.Queue()
        self._jobs: asyncio.Queue[Callable[[Cursor], bool]] = asyncio.Queue()
        self._turns = Turns(clock, self._jobs)
        self._closed = False
        self._failure: BaseException | None = None
        self._worker: asyncio.Task[None] | None = None
        if now is not None:
            now.listen(self._take_now)

    # --- the contract ---------------------------------------------------------------------------------------------

    @property
    def can_go_live(self) -> bool:
        return self._live

    @property
    def takes_prices(self) -> bool:
        return self._on_price is not None

    @property
    def speed(self) -> float:
        return self._speed

    @property
    def span_ms(self) -> tuple[int, int] | None:
        return self._span

    @property
    def store(self) -> Path:
        return self._store

    @property
    def marks(self) -> tuple[Mark, ...]:
        return self._marks

    @property
    def what_if(self) -> float | None:
        return self._what_if

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        self._worker = asyncio.create_task(self._work())
        self._worker.add_done_callback(self.end_with)
        if not self._at_now:
            self._jobs.put_nowait(self._open)
        current = await self._outbox.get()
        while current is not None:
            while current is not None and not self._outbox.empty():  # a slow screen gets the newest, not all
                current = self._outbox.get_nowait()
            if current is not None:
                yield current
                current = await self._outbox.get()
        if self._failure is not None:
            raise self._failure

    def pause(self) -> None:
        left_ms = self._leave_now()
        self._playing = False
        self._jobs.put_nowait(lambda cursor: left_ms is None or self._moved(cursor, cursor.seek(left_ms)))

    def play(self) -> None:
        if self._at_now:
            return
        self._playing = True
        self._jobs.put_nowait(lambda cursor: True)

    def step(self, ticks: int) -> None:
        left_ms = self._leave_now()
        self._playing = False

        def move(cursor: Cursor) -> bool:
            if left_ms is not None:
                cursor.seek(left_ms)
            return self._moved(cursor, cursor.step(ticks))

        self._jobs.put_nowait(move)

    def seek(self, at_ms: int) -> None:
        self._leave_now()
        self._jobs.put_nowait(lambda cursor: self._moved(cursor, cursor.seek(at_ms)))

    def set_speed(self, speed: float) -> None:
        self._speed = speed
        self._jobs.put_nowait(lambda cursor: True)

    def go_live(self) -> None:
        if self._live:
            self._at_now, self._playing = True, False
            if self._latest is not None:
                self._show(self._latest)
        elif self._span is not None:
            self.seek(self._span[1])

    def set_price(self, usd_per_gpu_hour: float) -> None:
        if self._on_price is not None:
            self._on_price(usd_per_gpu_hour)

    def take_prices_with(self, on_price: Callable[[float], None]) -> None:
        """This process records from here on: prices are set through it."""
        self._on_price = on_price

    def suppose_price(self, usd_per_gpu_hour: float | None) -> None:
        self._what_if = usd_per_gpu_hour
        self._jobs.put_nowait(lambda cursor: cursor.suppose_price(usd_per_gpu_hour))

    async def mute(self, key: str, gpus: Sequence[str], until_ms: int, reason: str) -> str:
        return await self._tell(lambda now_ms: muting.mute(self._store, key, gpus, now_ms, until_ms, reason))

    async def unmute(self, numbers: Sequence[int]) -> str:
        return await self._tell(lambda now_ms: muting.unmute(self._store, numbers, now_ms))

    async def _tell(self, tell: Callable[[int], str]) -> str:
        if not self._live:
            return "nobody records this session any more: its alerts are told to nobody"
        return await asyncio.to_thread(tell, self._clock.now().wall_ms)

    async def jump(self, kind: Kind | None, *, forward: bool) -> Mark | None:
        shown_ms = self._shown_ms
        if shown_ms is None:
            return None
        mark = next_mark(await self._ask(lambda cursor: cursor.marks()), shown_ms, kind, forward=forward)
        if mark is not None:
            self._shown_ms = mark.at_ms  # the next jump goes on from there, also before that is drawn
            self.seek(mark.at_ms)
        return mark

    async def window(self, end_ms: int, length_ms: int) -> WindowFigures:
        return await self._ask(lambda cursor: cursor.window(end_ms, length_ms))

    async def ask(self, question: Question[T]) -> T:
        return await self._asking.ask(question, self._what_if)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await self._asking.close()
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        if self._cursor is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._cursor.close)
        self._thread.shutdown(wait=False)
        self._outbox.put_nowait(None)
        if self._on_close is not None:
            await self._on_close()

    def end_with(self, task: asyncio.Task[None]) -> None:
        """When what stands behind it fails, snapshots() ends with that failure."""
        if not self._closed and not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()
            self._outbox.put_nowait(None)

    # --- now ------------------------------------------------------------------------------------------------------

    def _take_now(self, current: Snapshot) -> None:
        self._latest = current
        first = self._first_ms if self._first_ms is not None else current.tick_ms
        self._first_ms = first
        self._span = (first, current.tick_ms)
        if self._at_now:
            self._show(current)

    def _leave_now(self) -> int | None:
        """The tick that was shown as now; None where the past is shown already, or nothing yet."""
        if not self._at_now or self._latest is None:
            return None
        self._at_now, self._playing = False, False
        return self._latest.tick_ms

    def _show(self, current: Snapshot) -> None:
        self._shown_ms = current.tick_ms
        if not self._closed:
            self._outbox.put_nowait(current)

    # --- the past -------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        """Do what keys asked for, and play on; every touch of the store is in the feed's thread."""
        while True:
            job = await self._next_job()
            if self._at_now:
                continue  # went live before it was done
            frame = await self._ask(functools.partial(self._frame, job=job))
            if self._at_now:  # caught up
                frame = self._latest
            if frame is not None:
                self._show(frame)

    async def _next_job(self) -> Callable[[Cursor], bool]:
        if not self._playing:
            return await self._turns.when_asked()
        turn = await self._turns.at_pace(self._speed)
        return turn if callable(turn) else functools.partial(self._played, forward_ms=turn * self._speed)

    async def _ask(self, question: Callable[[Cursor], T]) -> T:
        """The store's answer, in the feed's thread."""

        def answer() -> T:
            with self._reading():
                if self._cursor is None:
                    self._cursor = self._open_cursor()
                return question(self._cursor)

        return await asyncio.get_running_loop().run_in_executor(self._thread, answer)

    def _frame(self, cursor: Cursor, job: Callable[[Cursor], bool]) -> Snapshot | None:
        changed = job(cursor)
        self._span = cursor.span_ms() or self._span
        self._marks = cursor.marks(_MARKS_LATE_MS)
        if not changed:
            return None
        return cursor.snapshot("replay" if self._playing else "paused", self._session)

    def _open(self, cursor: Cursor) -> bool:
        span = cursor.span_ms()
        if span is None:
            return False
        return self._moved(cursor, cursor.seek(span[0] if self._position_ms is None else int(self._position_ms)))

    def _moved(self, cursor: Cursor, moved: bool) -> bool:
        if cursor.tick_ms is not None:
            self._position_ms = cursor.tick_ms
        return moved or not self._playing

    def _played(self, cursor: Cursor, forward_ms: float) -> bool:
        if self._position_ms is None:
            return False
        self._position_ms += forward_ms
        moved = cursor.seek(int(self._position_ms))
        next_ms = None if moved else cursor.after_gap()
        if next_ms is not None and next_ms - self._position_ms > _WAIT_MS * self._speed:
            self._position_ms = next_ms
            moved = cursor.seek(next_ms)
        span = cursor.span_ms()
        if span is not None and self._position_ms >= span[1]:
            self._position_ms = span[1]
            if self._live:
                self._at_now, self._playing = True, False
            elif self._playing:
                self._playing = False  # the end of the session: stands still
                return True
        return moved
