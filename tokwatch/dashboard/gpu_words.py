"""What one GPU is doing, in words: since when, what it costs, why, and what can be done about it."""

from __future__ import annotations

from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.snapshot import GpuRow, Snapshot

_DAY_MS: Final = 86_400_000
_WHAT_TO_DO: Final = {
    "parked": "send it requests, or stop its server",
    "held": "end the process that holds it",
    "unallocated": "start a server here, or give it back",
    "misrouted": "a replica has a queue: look at the router",
    "saturated": "add a replica, or send it less",
    "backlog": "add a replica, or send it less",
    "throttled": "look at its cooling and power",
    "lost": "read dmesg, reset the GPU or the box",
    "stalled": "restart its server",
    "underbatched": "send it more requests at once",
    "blind": "6 says what its server answers",
}


def since(row: GpuRow, snapshot: Snapshot, room: int) -> str:
    """When its state began and how long ago: "since 13:22, 41m"; with the date where that was more than a day ago.

    The longest form that fits in `room` cells; "" where none does.
    """
    if not row.since_ms:
        return ""
    lasted_ms = snapshot.tick_ms - row.since_ms
    began = formats.local(row.since_ms, snapshot.utc_offset_s)
    clock = f"{began:%H:%M}" if lasted_ms < _DAY_MS else f"{began:%d %b %H:%M}"
    lasted = formats.duration(lasted_ms / 1000)
    forms = (f"since {clock}, {lasted}", f"{clock}, {lasted}", f"for {lasted}", lasted)
    return next((form for form in forms if len(form) <= room), "")


def why(row: GpuRow) -> str:
    """The Snapshot's own note, and while the state is not confirmed yet that it is not."""
    return "; ".join(filter(None, (row.note, "" if row.confirmed else "not for long enough to be sure")))


def what_to_do(row: GpuRow) -> str:
    """One line; "" where all is well, and where nobody can tell."""
    return _WHAT_TO_DO.get(row.state, "") if row.confirmed else ""


def money(figure: Figure, currency: str) -> str:
    """An amount with its sign; "–" where it is not known."""
    return formats.figure(figure, lambda usd: formats.money(usd, formats.currency_sign(currency)))


def role_of(row: GpuRow) -> str:
    """The colour of what is said of its state."""
    role = glyphs.look_of_state(row.state).role
    return role if row.confirmed else "quiet"
