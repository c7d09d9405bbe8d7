"""The recorder of this process with all that hangs on it: View, alerts, and what other processes tell the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tokwatch.config import Config
from tokwatch.feeds.alerting import Alerting, keep_muted
from tokwatch.feeds.clock import Clock
from tokwatch.feeds.live import RecorderView
from tokwatch.feeds.recorder import Recorder, Seer
from tokwatch.feeds.start import Begun
from tokwatch.feeds.told import ToldStore, keep_priced
from tokwatch.ledger.snapshot import Snapshot

Notes = tuple[tuple[str, str], ...]  # (what, words) to show among the recorder's own problems


@dataclass(frozen=True, slots=True)
class Recordable:
    """A store and how to begin recording into it."""

    store: Path
    begin: Callable[[], Begun]  # blocks; raises StoreError
    open_sources: Callable[[], Seer]  # on the event loop
    interval_s: float
    notes: Notes = ()
    show_kept: Callable[[Snapshot], None] | None = None  # takes the last stored moment, before the first new one
    close: Callable[[], Awaitable[None]] | None = None  # what else ends with it
    alerts: Config | None = None  # whose alerts on figures and outlets it has; None: what it shows is made up


class LiveRecording:
    """A recorder put together; `run` it, then `close` it, then close the writer it was begun with."""

    def __init__(
        self, wanted: Recordable, begun: Begun, clock: Clock, *, view: RecorderView | None, notes: Notes = ()
    ) -> None:
        """view: None where nobody looks and no alert is on figures. Raises ConfigError."""
        self.recorder = Recorder(
            wanted.open_sources(),
            begun.bookkeeper,
            begun.writer,
            clock,
            interval_s=wanted.interval_s,
            notes=(*wanted.notes, *notes),
        )
        self._alerting = None
        if view is not None:
            self.recorder.listen(view.take)
            if wanted.alerts is not None:
                self._alerting = Alerting(wanted.alerts, wanted.store, self.recorder, begun.bookkeeper, view)
        self._told = ToldStore(wanted.store, clock, self.recorder.tell)
        keep_muted(self._told, begun.bookkeeper)
        keep_priced(self._told, begun.bookkeeper, wanted.store, begun.run, view)
        self.recorder.listen(self._told.tick)

    async def run(self, stop: asyncio.Event, *, for_s: float | None = None) -> None:
        """Record until `stop` is set or the time is over."""
        await self.recorder.run(stop, for_s=for_s)

    async def close(self) -> None:
        """Wait for looks under way; what was decided is still told."""
        await self._told.close()
        if self._alerting is not None:
            await self._alerting.close()
