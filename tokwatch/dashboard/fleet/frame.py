"""FleetFrame: everything a widget of the fleet may draw from, in one frozen value made per FleetSnapshot."""

from __future__ import annotations

import msgspec
from textual.message import Message

from tokwatch.dashboard.frame import InTime, Moment
from tokwatch.ledger.fleet.snapshot import FleetSnapshot


class FleetFrame(InTime, msgspec.Struct, frozen=True):
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
    def moment(self) -> Moment | None:
        return None if self.snapshot is None else Moment(self.snapshot.mode, self.snapshot.at_ms)


class FleetArrived(Message):
    """The feed's next FleetSnapshot. A later one replaces it while it waits, so a slow terminal skips frames."""

    def __init__(self, snapshot: FleetSnapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FleetArrived)
