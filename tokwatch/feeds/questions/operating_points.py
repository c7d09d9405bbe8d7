"""Every window of one deployment over a stretch of time, its frontier and its time in the box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tokwatch.ledger.accounts import Accounts
from tokwatch.ledger.capacity.frontier import Box
from tokwatch.ledger.capacity.looking_back import OperatingPast
from tokwatch.ledger.capacity.operating_point import OperatingPoint
from tokwatch.ledger.capacity.rows import looked_back
from tokwatch.ledger.moment import Moment

if TYPE_CHECKING:
    from tokwatch.feeds.history import History


@dataclass(frozen=True, slots=True)
class OperatingPoints:
    """What the deployment did in the last `span_ms` before the moment `at_ms`, as it was known at that moment."""

    entity: int
    at_ms: int
    span_ms: int
    box: Box | None = None  # to be judged by instead of the configured one

    def answer(self, past: History) -> OperatingPast | None:
        """None where the deployment has no GPU at that moment, or nothing is stored before it."""
        last_ms, first_ms = past.last_tick(self.at_ms), past.first_tick()
        if last_ms is None or first_ms is None:
            return None
        from_ms = last_ms - self.span_ms
        windows = [window for window in self._windows(past, from_ms, last_ms) if window.from_ms >= from_ms]
        span_ms = (max(from_ms, first_ms), last_ms)  # nothing could be covered before the first tick
        moment = Moment(past.view_at(last_ms))
        return looked_back(moment, Accounts(moment), self.entity, windows, span_ms=span_ms, box=self.box)

    def _windows(self, past: History, from_ms: int, to_ms: int) -> list[OperatingPoint]:
        events = past.reader.events(from_ms, to_ms, kinds=["operating"], runs=past.ids, entities=[self.entity])
        return [msgspec.json.decode(event.body, type=OperatingPoint) for event in events]
