"""A viewer that outlives the recorder it follows: it records on where it may, and else says why nothing moves."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from tokwatch.feeds.clock import Clock
from tokwatch.feeds.live_recording import Notes, Recordable
from tokwatch.store.location import may_record_into
from tokwatch.store.lock import Recorder, RecorderLock, user_of, who_records

POLL_S: Final = 0.25  # between looks for a new tick
_ASK_EVERY: Final = 8  # polls: who records is asked every two seconds
_PATIENCE: Final = 3  # answers "nobody" in a row: a service that is restarted comes back before that
_SILENCE_S: Final = 15.0  # of a recorder that is there; longer where it ticks more seldom than every three seconds


class Newest(Protocol):
    """What is asked of the newest moment that a viewer has: a Snapshot has it."""

    @property
    def wall_ms(self) -> int: ...

    @property
    def interval_s(self) -> float: ...

    @property
    def utc_offset_s(self) -> int: ...


class Viewer(Protocol):
    """Who follows: a screen, or an agent."""

    @property
    def latest(self) -> Newest | None: ...

    async def look(self) -> bool:
        """Take what is new; False where nothing is."""
        ...

    def tell(self, problem: str) -> None:
        """Words on the recorder that is followed; empty when over."""
        ...


@dataclass(frozen=True, slots=True)
class Heir:
    """How a viewer goes on recording into the store it follows, and whether it is then the host's recorder."""

    wanted: Recordable
    exclusive_host: bool


@dataclass(frozen=True, slots=True)
class Heritage:
    """This viewer is the one to record now."""

    wanted: Recordable
    lock: RecorderLock  # held
    notes: Notes  # the words that say so


class Takeover:
    """One viewer's watch over the recorder of `store`."""

    def __init__(self, store: Path, follower: Viewer, clock: Clock, heir: Heir | None) -> None:
        """heir: None where this viewer never records."""
        self._store = store
        self._follower = follower
        self._clock = clock
        self._heir = heir
        self._moved_ns = clock.now().boottime_ns
        self._nobody = 0

    async def follow(self) -> Heritage:
        """Show what comes, until this viewer is the one to record."""
        polls = 0
        while True:
            if await self._follower.look():
                self._moved_ns = self._clock.now().boottime_ns
            polls += 1
            if polls % _ASK_EVERY == 0 and (heritage := await self._ask()) is not None:
                return heritage
            await self._clock.sleep(POLL_S)

    def failed(self, why: Exception) -> None:
        """The recording could not begin: it is tried again after a while."""
        self._nobody = 0
        self._follower.tell(f"nobody has recorded since {self._last_tick()}; recording on failed: {why}")

    async def _ask(self) -> Heritage | None:
        recorder = await asyncio.to_thread(who_records, self._store)
        if recorder is not None:
            self._nobody = 0
            self._follower.tell(self._silence(recorder))
            return None
        self._nobody += 1
        if self._nobody < _PATIENCE:
            return None
        heir = self._heir
        if heir is None or not may_record_into(self._store):
            self._follower.tell(
                f"nobody has recorded since {self._last_tick()}, and you may not write {self._store}: "
                "start its recorder again"
            )
            return None
        lock = await asyncio.to_thread(RecorderLock.acquire, self._store, exclusive_host=heir.exclusive_host)
        if lock is None:  # another viewer was faster, which the next answer tells; or the host has another recorder
            self._follower.tell(
                f"nobody has recorded into {self._store} since {self._last_tick()}, and another recorder holds this "
                "host: open tokwatch again to see it"
            )
            return None
        words = f"the recorder has been gone since {self._last_tick()}: this screen records on until it is closed"
        return Heritage(heir.wanted, lock, (("recorder", words),))

    def _silence(self, recorder: Recorder) -> str:
        latest = self._follower.latest
        patience_s = max(_SILENCE_S, 5 * latest.interval_s if latest is not None else 0.0)
        if (self._clock.now().boottime_ns - self._moved_ns) / 1e9 < patience_s:
            return ""
        return (
            f"the recorder (process {recorder.pid} of user {user_of(recorder)}) has stored nothing since "
            f"{self._last_tick()}: its own messages say why"
        )

    def _last_tick(self) -> str:
        latest = self._follower.latest
        if latest is None:
            return "before this screen opened"
        return time.strftime("%H:%M:%S", time.gmtime(latest.wall_ms / 1000 + latest.utc_offset_s))
