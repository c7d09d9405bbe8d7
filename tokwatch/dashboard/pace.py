"""Pace: which Snapshots are drawn, so that a slow terminal gets fewer frames and never holds up the recording."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual.app import App

from tokwatch.ledger.snapshot import Snapshot

SLOW_LINK_S = 3.0  # from frame to frame


class Pace:
    """Remembers what was drawn last."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._drawn: tuple[float, str, int] | None = None  # when, mode and moment of the last one

    def is_due(self, snapshot: Snapshot, least_s: float = 0.0) -> bool:
        """To be drawn now: `least_s` after the last one, or when the user went somewhere else in time.

        False: keep it, and ask again later or with the next one.
        """
        now_s = self._now_s()
        if self._drawn is not None:
            drawn_s, mode, tick_ms = self._drawn
            went_on = mode == snapshot.mode != "paused" and snapshot.tick_ms >= tick_ms
            if went_on and now_s - drawn_s < least_s:
                return False
        self._drawn = (now_s, snapshot.mode, snapshot.tick_ms)
        return True


def is_behind(app: App[str]) -> bool:
    """The terminal has not yet taken what was drawn before.

    Textual queues 30 writes and then waits, and everything with it: over a link that hangs the recording would stop.
    Its queue has no public name.
    """
    writer = getattr(app._driver, "_writer_thread", None)
    return writer is not None and writer._queue.qsize() > 0
