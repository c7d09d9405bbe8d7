"""What is stored of an alert: the body of an `alert` event, and the words its status and severity are told in."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Status = Literal["pending", "firing", "resolving", "resolved"]
Severity = Literal["info", "warning", "critical"]
Kind = Literal["state", "figure", "budget"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")  # ascending


class AlertBody(msgspec.Struct, frozen=True):
    """An alert from this event on. Its key is the state's name, else the rule's."""

    state: int  # State; UNKNOWN where `of` is no state
    status: Status
    severity: Severity
    text: str
    gpus: tuple[int, ...]  # entities in the state, the one longest in it first; once resolving, those that were
    since_ms: int  # when the condition began
    fired_ms: int | None
    cleared_ms: int | None  # when the condition ended
    members: tuple[tuple[int, int], ...] = ()  # (GPU, since when) of all that were in it since it began: what it costs
    stale_since_ms: int | None = None  # nobody can tell since then whether the condition still holds
    muted: bool = False  # wholly: all of its GPUs are
    muted_gpus: tuple[int, ...] = ()
    muted_until_ms: int | None = None
    mute_reason: str = ""
    inhibited_by: str = ""  # key of the alert that says it all: a fault on the same GPUs
    of: Kind = "state"

    @property
    def stands(self) -> bool:
        """It has fired and is not over; resolving ones still stand."""
        return self.status in ("firing", "resolving")

    @property
    def leaves(self) -> bool:
        """It may be told outside of tokwatch."""
        return not self.muted and not self.inhibited_by


def at_least(severity: str, floor: str) -> bool:
    """Whether one severity is as high as another."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(floor)
