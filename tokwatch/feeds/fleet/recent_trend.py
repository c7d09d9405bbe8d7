"""The last minutes of a fleet as trend points, kept in memory: for sources that have no past of their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.tally import HostTally, TrendPoint

STEP_MS: Final = 5_000
POINTS: Final = 360  # half an hour

_IDLE: Final = frozenset(state.value for state in State if state.idle)


class RecentTrend:
    """A point every STEP_MS, of instants that are multiples of it."""

    def __init__(self) -> None:
        self._points: deque[TrendPoint] = deque(maxlen=POINTS)

    def add(self, at_ms: int, hosts: Sequence[HostTally]) -> tuple[TrendPoint, ...]:
        """All points, oldest first, with one of this instant where one is due and some host is known."""
        step_ms = at_ms - at_ms % STEP_MS
        is_due = not self._points or step_ms > self._points[-1].at_ms
        if is_due and any(host.up for host in hosts):
            self._points.append(trend_point(step_ms, hosts))
        return tuple(self._points)


def trend_point(at_ms: int, hosts: Sequence[HostTally]) -> TrendPoint:
    """What all hosts do together; unknown is what none of them tells."""
    rates = [
        flow.output_tokens * 1000 / host.length_ms
        for host in hosts
        for flow in host.flows
        if flow.output_tokens is not None and host.length_ms > 0
    ]
    powers = [host.power_w for host in hosts if host.power_w is not None]
    counts = [sum(gpus for state, gpus in host.states if state in _IDLE) for host in hosts if host.states]
    return TrendPoint(
        at_ms, sum(rates) if rates else None, sum(powers) if powers else None, sum(counts) if counts else None
    )
