"""The FOCUS table of a store, period by period: a charge is made of all quarter rows of its period at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from tokwatch.exports.background import Background
from tokwatch.exports.focus.billing import Billing
from tokwatch.exports.focus.rows import focus_rows
from tokwatch.exports.hours import HOUR_MS, hour_of, parse_instant
from tokwatch.exports.periods import Period, Periods
from tokwatch.store.quarters import Quarters


class FocusTable:
    """Keeps quarter rows until their period is over."""

    def __init__(self, background: Background, periods: Periods, within: Period, billing: Billing) -> None:
        """within: only quarter hours that start in it."""
        self._background, self._periods, self._within, self._billing = background, periods, within, billing
        self._kept = Quarters([], [])
        # Periods that begin before this are over.
        self._done_ms = periods.of(within.start_ms).start_ms
        self._begins_within, self._ends_within = (periods.of(edge_ms).start_ms != edge_ms for edge_ms in within)

    def take(self, quarters: Quarters, hours: Iterable[int] = ()) -> None:
        """The quarter rows of whole UTC hours. Hours in which nobody watched cost nothing here."""
        taken, kept = _where(quarters, self._wanted), self._kept
        self._kept = Quarters(
            kept.gpus + taken.gpus, kept.flows + taken.flows, kept.hosts + taken.hosts, kept.elsewhere + taken.elsewhere
        )

    def over(self, before_ms: int | None = None) -> list[tuple[Period, msgspec.Struct]]:
        """Rows of the periods that end by then, all without it. They are given once."""
        end_ms = self._within.end_ms if before_ms is None else self._periods.of(before_ms).start_ms
        if end_ms <= self._done_ms:
            return []
        # By UTC hours: who pays for a part of one is found out from all of it.
        ready = _where(self._kept, lambda quarter_ms: hour_of(quarter_ms) < end_ms)
        self._kept = _where(self._kept, lambda quarter_ms: hour_of(quarter_ms) + HOUR_MS > end_ms)
        rows = focus_rows(ready, self._background, self._periods, self._billing)
        found = [(self._periods.of(_start_ms(row)), row) for row in rows]
        done_ms, self._done_ms = self._done_ms, end_ms
        return [(period, row) for period, row in found if done_ms <= period.start_ms < end_ms]

    def _wanted(self, quarter_ms: int) -> bool:
        """Not what lies before or after a session in one of its periods; beside whole periods it does no harm."""
        return not (
            (self._begins_within and quarter_ms < self._within.start_ms)
            or (self._ends_within and quarter_ms >= self._within.end_ms)
        )


def _where(quarters: Quarters, keep: Callable[[int], bool]) -> Quarters:
    """Those whose start is to be kept."""
    return Quarters(
        [row for row in quarters.gpus if keep(row.quarter_ms)],
        [row for row in quarters.flows if keep(row.quarter_ms)],
        [row for row in quarters.hosts if keep(row.quarter_ms)],
        [row for row in quarters.elsewhere if keep(row.quarter_ms)],
    )


def _start_ms(row: msgspec.Struct) -> int:
    return parse_instant(getattr(row, "ChargePeriodStart"))  # noqa: B009 - a field of every version's struct
