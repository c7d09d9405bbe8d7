"""The four statuses: pending → firing → resolving → resolved, one step a tick. Missing data moves nothing."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from tokwatch.ledger.alerts.body import AlertBody, Kind, Severity
from tokwatch.ledger.entries import State


@dataclass(frozen=True, slots=True)
class Seen:
    """What one rule sees at one tick."""

    holds: bool | None  # None: what would tell is missing
    due: bool = False  # it has held as long as the rule wants
    since_ms: int = 0
    severity: Severity = "info"
    text: str = ""
    gpus: tuple[int, ...] = ()
    members: tuple[tuple[int, int], ...] = ()
    partly_unseen: bool = False  # it holds, and of some of its GPUs nobody can tell
    state: State = State.UNKNOWN
    of: Kind = "state"


def advance(before: AlertBody | None, seen: Seen, now_ms: int, keep_firing_s: float) -> AlertBody | None:
    """The alert after this tick; None as long as there never was one."""
    if before is None or before.status == "resolved":
        return _began(seen) if seen.holds else before
    if seen.holds is None:
        return _stale(before, now_ms)
    if seen.holds:
        return _holding(before, seen, now_ms)
    if before.status == "pending":
        return replace(before, status="resolved", gpus=(), members=(), stale_since_ms=None)
    cleared_ms = now_ms if before.cleared_ms is None else before.cleared_ms
    over = before.status == "resolving" and now_ms - cleared_ms >= keep_firing_s * 1000
    return replace(before, status="resolved" if over else "resolving", cleared_ms=cleared_ms, stale_since_ms=None)


def _began(seen: Seen) -> AlertBody:
    return AlertBody(
        state=seen.state,
        status="pending",
        severity=seen.severity,
        text=seen.text,
        gpus=seen.gpus,
        since_ms=seen.since_ms,
        fired_ms=None,
        cleared_ms=None,
        members=seen.members,
        of=seen.of,
    )


def _stale(before: AlertBody, now_ms: int) -> AlertBody:
    return before if before.stale_since_ms is not None else replace(before, stale_since_ms=now_ms)


def _holding(before: AlertBody, seen: Seen, now_ms: int) -> AlertBody:
    fires = before.stands or seen.due
    stale_since_ms = None
    if seen.partly_unseen:
        stale_since_ms = now_ms if before.stale_since_ms is None else before.stale_since_ms
    return replace(
        before,
        status="firing" if fires else "pending",
        severity=seen.severity,
        text=seen.text,
        gpus=seen.gpus,
        members=seen.members,
        since_ms=seen.since_ms,
        fired_ms=(now_ms if before.fired_ms is None else before.fired_ms) if fires else None,
        cleared_ms=None,
        stale_since_ms=stale_since_ms,
    )
