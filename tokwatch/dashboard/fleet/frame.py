"""FleetFrame: everything a widget of the fleet may draw from, in one frozen value made per FleetSnapshot."""

from __future__ import annotations

import msgspec
from textual.message import Message

from tokwatch.ledger.fleet.snapshot import FleetSnapshot


class FleetFrame(msgspec.Struct, frozen=True):
    """A FleetSnapshot and how it is being looked at. Without one nothing has been answered yet."""

    snapshot: FleetSnapshot | None = None
    silent_s: float | None = None  # since the source last answered, while it does not
    starting: str = "asking for the fleet"
    speed: float = 1.0
    span_ms: tuple[int, int] | None = None  # what can be looked at
    can_go_live: bool = False
    utc_offset_s: int = 0  # of the clocks on screen
    terminal_bytes_s: float | None = None

    @property
    def live(self) -> bool:
        """Looks at now, so that there is no transport to show."""
        return self.snapshot is None or self.snapshot.mode == "live"

    @property
    def behind_s(self) -> float | None:
        """How far the moment on screen lies before now; None while live, and where nothing is newer than the span."""
        if self.live or not self.can_go_live or self.snapshot is None or self.span_ms is None:
            return None
        return max(0.0, (self.span_ms[1] - self.snapshot.at_ms) / 1000)


class FleetArrived(Message):
    """The feed's next FleetSnapshot. A later one replaces it while it waits, so a slow terminal skips frames."""

    def __init__(self, snapshot: FleetSnapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FleetArrived)
