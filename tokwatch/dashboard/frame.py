"""Frame: everything a widget may draw from, in one frozen value made per Snapshot."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from textual.message import Message

from tokwatch.feeds.mark import Mark
from tokwatch.ledger.snapshot import Snapshot


class Moment(NamedTuple):
    """Which moment is on screen."""

    mode: str  # "live" | "replay" | "paused"
    at_ms: int


class InTime:
    """How a frame stands to now. Of one box or of a fleet."""

    __slots__ = ()
    span_ms: tuple[int, int] | None
    can_go_live: bool

    @property
    def moment(self) -> Moment | None:
        """None while nothing is shown yet."""
        raise NotImplementedError

    @property
    def live(self) -> bool:
        """Looks at now, so that there is no transport to show."""
        return self.moment is None or self.moment.mode == "live"

    @property
    def behind_s(self) -> float | None:
        """How far the moment on screen lies before now; None while live, and where nothing is newer than the span."""
        if self.live or not self.can_go_live or self.moment is None or self.span_ms is None:
            return None
        return max(0.0, (self.span_ms[1] - self.moment.at_ms) / 1000)


class Frame(InTime, msgspec.Struct, frozen=True):
    """A Snapshot and how it is being looked at. Without a Snapshot nothing has been measured yet."""

    snapshot: Snapshot | None = None
    kept: bool = False  # the last known Snapshot of an earlier run, shown until the first new one
    age_s: float | None = None  # how old the newest Snapshot is, when it is older than it should be
    starting: str = "warming up"  # what is being done while there is no Snapshot
    speed: float = 1.0
    span_ms: tuple[int, int] | None = None  # what can be looked at
    can_go_live: bool = False
    marks: tuple[Mark, ...] = ()  # what happened in the span
    marked_ms: int | None = None  # the first of two moments to be compared
    terminal_bytes_s: float | None = None  # what this dashboard wrote of late; None where nobody counts
    what_if: float | None = None  # the price of a GPU hour that the past is shown at; None: what it did cost

    @property
    def moment(self) -> Moment | None:
        return None if self.snapshot is None else Moment(self.snapshot.mode, self.snapshot.tick_ms)


class SnapshotArrived(Message):
    """The feed's next Snapshot. A later one replaces it while it waits, so a slow terminal skips frames."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, SnapshotArrived)
