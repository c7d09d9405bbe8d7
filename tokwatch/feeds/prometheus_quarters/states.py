"""How long a GPU was in each state within a quarter hour, from shares of its minutes. Pure.

Which minutes they were is not known: a server asked for every minute of every GPU would answer with millions of
numbers. So what can have been at the same time is taken to have been: a GPU was busy while a server of it was at work,
and had memory in use whenever it was not quiet.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.judging import Counted, states_of
from tokwatch.ledger.weights import split_counts

_PARTS: Final = 1_000_000


class Minutes(NamedTuple):
    """Shares of the observed minutes, 0..1."""

    quiet: float | None  # no sample showed work; None: utilisation is not known
    held: float | None  # memory was in use; None: not known
    at_work: float | None  # a server of the GPU was at work; None: it has none


def state_ms(minutes: Minutes, observed_ms: int) -> dict[int, int]:
    """State → milliseconds that add up to observed_ms, no zeros."""
    if not observed_ms:
        return {}
    found: dict[int, int] = {}
    parts = _parts(minutes)
    for (counted, _), ms in zip(parts, split_counts(observed_ms, [part for _, part in parts]), strict=True):
        (state, _), *_ = states_of(counted)
        if ms:
            found[state] = found.get(state, 0) + ms
    return found


def idle_share(states: dict[int, int], minutes: Minutes) -> float:
    """The part of a GPU's quiet time that is idle: not that of a rank that waited while its server was at work."""
    observed_ms, idle_ms = sum(states.values()), sum(ms for state, ms in states.items() if State(state).idle)
    quiet_ms = (minutes.quiet or 0.0) * observed_ms
    return min(1.0, idle_ms / quiet_ms) if quiet_ms else 0.0


def _parts(minutes: Minutes) -> list[tuple[Counted, int]]:
    """What is alike, as `judging` counts it, and how much of the time it was."""
    has_server = minutes.at_work is not None
    if minutes.quiet is None:
        return [(Counted(1, 0, 0, 0, has_server, at_work=bool(minutes.at_work)), _PARTS)]
    quiet = _whole(minutes.quiet)
    held = _whole(float(has_server) if minutes.held is None else minutes.held)
    free = min(quiet, _PARTS - held)
    busy, quiet_held = _PARTS - quiet, quiet - free
    work = _whole(minutes.at_work or 0.0)
    busy_at_work = min(busy, work)
    quiet_at_work = min(quiet_held, work - busy_at_work)
    return [
        (Counted(1, 1, 0, 0, has_server, at_work=True), busy_at_work),
        (Counted(1, 1, 0, 0, has_server, at_work=False), busy - busy_at_work),
        (Counted(1, 1, 1, 1, has_server, at_work=True), quiet_at_work),
        (Counted(1, 1, 1, 1, has_server, at_work=False), quiet_held - quiet_at_work),
        (Counted(1, 1, 1, 0, has_server, at_work=False), free),
    ]


def _whole(share: float) -> int:
    return min(_PARTS, max(0, round(share * _PARTS)))
