"""The ticks of this box, put up on a board: recorded by this process, or read from the store of the recorder that is
there already. When that one goes for good, this process records on, as a screen would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tokwatch.agent.board import Board
from tokwatch.feeds.attach import RecordingHere
from tokwatch.feeds.clock import Clock
from tokwatch.feeds.history import History
from tokwatch.feeds.live_recording import Recordable
from tokwatch.feeds.start import Begun
from tokwatch.feeds.takeover import Heir, Heritage, Takeover
from tokwatch.ledger.entries import TickRecord
from tokwatch.ledger.fleet.report_of import Statement, Teller
from tokwatch.ledger.view import View
from tokwatch.store.errors import StoreError
from tokwatch.store.lock import RecorderLock


class Attendant:
    """Puts up the ticks of this box until `stop` is set."""

    def __init__(
        self,
        board: Board,
        clock: Clock,
        stop: asyncio.Event,
        *,
        tell: Callable[[str], None],
        journal: Callable[[TickRecord], None],
    ) -> None:
        """tell: takes words for the user. journal: takes every tick that is recorded here."""
        self._board, self._clock, self._stop = board, clock, stop
        self._tell, self._journal = tell, journal

    async def record(self, wanted: Recordable, lock: RecorderLock) -> None:
        """Record, then flush. Raises StoreError where it cannot begin, and what ends a recorder."""
        begun = await _begin(wanted, lock)
        await self._record(RecordingHere(wanted, begun, lock, self._clock), Teller(begun.run))

    async def follow(self, store: Path, heir: Heir) -> None:
        """Follow the recorder of `store`; record on into it when nobody else does. Raises StoreError."""
        thread = ThreadPoolExecutor(1, "tokwatch-follow")
        loop = asyncio.get_running_loop()
        follower = await loop.run_in_executor(thread, lambda: Follower(store, self._board, thread, self._tell))
        try:
            takeover = Takeover(store, follower, self._clock, heir)
            while (heritage := await self._inherited(takeover)) is not None:
                try:
                    begun = await _begin(heritage.wanted, heritage.lock)
                except StoreError as error:
                    takeover.failed(error)
                    continue
                here = RecordingHere(heritage.wanted, begun, heritage.lock, self._clock, notes=heritage.notes)
                await self._record(here, follower.teller or Teller(begun.run))
                return
        finally:
            await loop.run_in_executor(thread, follower.close)
            thread.shutdown(wait=False)

    async def _inherited(self, takeover: Takeover) -> Heritage | None:
        """None when `stop` was set before this process is the one to record."""
        following, ending = asyncio.ensure_future(takeover.follow()), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({following, ending}, return_when=asyncio.FIRST_COMPLETED)
            return following.result() if following.done() else None
        finally:
            following.cancel()
            ending.cancel()
            await asyncio.wait({following, ending})

    async def _record(self, here: RecordingHere, teller: Teller) -> None:
        def take(tick: TickRecord) -> None:
            teller.take(tick, here.view.view)
            self._board.put_up(teller.say(here.view.view))

        here.listen(take)
        here.listen(self._journal)
        ending = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({here.task, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
            await here.close()
        here.task.result()


async def _begin(wanted: Recordable, lock: RecorderLock) -> Begun:
    try:
        return await asyncio.to_thread(wanted.begin)
    except BaseException:
        lock.release()
        raise


@dataclass(frozen=True, slots=True)
class Newest:
    """Of the newest tick, what Takeover's words are made of."""

    wall_ms: int
    interval_s: float
    utc_offset_s: int


class Follower:
    """Another process's recorder, tick by tick from the store it writes. What blocks is done in `thread`."""

    def __init__(self, store: Path, board: Board, thread: Executor, tell: Callable[[str], None]) -> None:
        """In that thread. Raises StoreError."""
        self._history = History(store)
        self._board, self._thread, self._tell = board, thread, tell
        self._view: View | None = None
        self.teller: Teller | None = None  # None until a first tick was seen
        self.latest: Newest | None = None
        self._problem = ""

    async def look(self) -> bool:
        """Count in and put up what is new; False where nothing is."""
        statement = await asyncio.get_running_loop().run_in_executor(self._thread, self._read)
        if statement is None:
            return False
        self._board.put_up(statement)
        return True

    def tell(self, problem: str) -> None:
        """Words on the recorder that is followed, once when they change."""
        if problem and problem != self._problem:
            self._tell(problem)
        self._problem = problem

    def close(self) -> None:
        self._history.close()

    def _read(self) -> Statement | None:
        changed = self._history.refresh()
        newest_ms = self._history.last_tick()
        if newest_ms is None:
            return None
        if self._view is None or self._view.tick is None or self.teller is None:
            self._view = self._history.view_at(newest_ms)
            assert self._view.tick is not None
            self.teller = Teller(self._view.run, since=self._view.tick)
        else:
            here_ms = self._view.tick.tick_ms
            if here_ms == newest_ms:
                return None
            if changed:  # a run that began, or prices that were told
                self._view = self._history.view_at(here_ms)
            for record in self._history.records(here_ms, newest_ms):
                self._view = self._folded(self._view, record)
                self.teller.take(record, self._view)
        statement = self.teller.say(self._view)
        offset = datetime.fromtimestamp(newest_ms / 1000, self._view.zone).utcoffset()
        offset_s = 0 if offset is None else int(offset.total_seconds())
        self.latest = Newest(statement.report.wall_ms, statement.hello.interval_s, offset_s)
        return statement

    def _folded(self, view: View, record: TickRecord) -> View:
        if record.tick.run != view.run.id:  # what a run says of itself has changed with it
            return self._history.view_at(record.tick.tick_ms)
        view.apply(record)
        return view
