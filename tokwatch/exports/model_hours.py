"""The rows by model: what flows and GPUs give to each model of a period, and what is left over.

Who pays for what is found out by the UTC hour, whatever the periods are: so days add up to hours, in any time zone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from tokwatch.exports.allocation import UNASSIGNED, UNOBSERVED, Payer, allocate
from tokwatch.exports.background import Background
from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.exports.model_hour import ModelPeriod
from tokwatch.exports.model_row import NO_TRAFFIC, ModelRow, TierTold
from tokwatch.exports.periods import Period, Periods
from tokwatch.exports.pricing import Pricing
from tokwatch.exports.showback import FlowPart, shown_back
from tokwatch.exports.traffic import tier_of
from tokwatch.store.quarter_rows import GpuQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

_Key = tuple[Period, Payer, TierTold, str | None]  # the last one: the currency
_RowOf = Callable[[int, Payer], ModelRow]  # start of a quarter hour, payer → row


class ModelTable:
    """Adds up quarter rows, stretch by stretch, and gives the rows of the periods that are over."""

    def __init__(self, background: Background, periods: Periods, within: Period | None = None) -> None:
        """within: only quarter hours that start in it."""
        self._background, self._periods, self._within = background, periods, within
        self._rows: dict[_Key, ModelRow] = {}

    def take(self, quarters: Quarters, hours: Iterable[int] = ()) -> None:
        """The quarter rows of whole UTC hours; no other stretch has rows of these.

        hours: their starts; in these, GPUs that were there without being watched count too.
        """
        pricing = Pricing(quarters, self._background)
        gpus: dict[int, list[GpuQuarter]] = defaultdict(list)
        flows = shown_back(quarters, self._background.names)
        for gpu in quarters.gpus:
            gpus[hour_of(gpu.quarter_ms)].append(gpu)
        watched_or_not = set(hours)
        for hour_ms in sorted(gpus.keys() | flows.keys() | watched_or_not):
            hour = _Hour(hour_ms, pricing, self._background, self._rows_of(hour_ms))
            hour.add(gpus[hour_ms], flows.get(hour_ms, ()), self._wanted(hour_ms), anyone=hour_ms in watched_or_not)

    def over(self, before_ms: int | None = None) -> list[tuple[Period, ModelPeriod]]:
        """Rows of the periods that end by then, all without it; what is left over comes last in its period.

        They are given once.
        """
        keys = [key for key in self._rows if before_ms is None or key[0].end_ms <= before_ms]
        rows = [(key[0], _order(key[1]), self._rows.pop(key)) for key in keys]
        told = [(period, order, row.written(self._periods)) for period, order, row in rows if not row.empty]
        told.sort(key=lambda each: (each[0], each[1], each[2].deployment or "", each[2].model))
        return [(period, row) for period, _, row in told]

    def _wanted(self, hour_ms: int) -> list[int]:
        """The quarters of an hour that are within."""
        within = self._within or Period(hour_ms, hour_ms + HOUR_MS)
        quarters = range(hour_ms, hour_ms + HOUR_MS, QUARTER_MS)
        return [quarter_ms for quarter_ms in quarters if within.start_ms <= quarter_ms < within.end_ms]

    def _rows_of(self, hour_ms: int) -> _RowOf:
        """Where the quarter hours of one UTC hour are added to."""
        background, currency = self._background, self._background.currency(hour_ms)
        tiers: dict[Payer, TierTold] = {}

        def row_of(quarter_ms: int, payer: Payer) -> ModelRow:
            if payer not in tiers:
                tiers[payer] = _tier_of(payer, hour_ms, background)
            period = self._periods.of(quarter_ms)
            key = (period, payer, tiers[payer], currency)
            row = self._rows.get(key)
            if row is None:
                row = self._rows[key] = ModelRow(period, hour_ms, payer, tiers[payer], background)
            return row

        return row_of


def model_hours(quarters: Quarters, background: Background, hours: Iterable[int] = ()) -> list[ModelPeriod]:
    """The table of UTC hours from quarter rows that are all at hand; `hours`: as in `ModelTable.take`."""
    table = ModelTable(background, Periods())
    table.take(quarters, hours)
    return [row for _, row in table.over()]


class _Hour:
    """One UTC hour, divided by who pays."""

    def __init__(self, hour_ms: int, pricing: Pricing, background: Background, row_of: _RowOf) -> None:
        self._hour_ms = hour_ms
        self._pricing = pricing
        self._background = background
        self._row_of = row_of

    def add(
        self, gpus: Sequence[GpuQuarter], flows: Iterable[FlowPart], wanted: Sequence[int], *, anyone: bool
    ) -> None:
        """wanted: starts of the quarter hours to add. anyone: with the GPUs that have no row."""
        of_units, allocation = allocate(
            gpus, flows, self._background.names, self._pricing, self._background.token_list(self._hour_ms)
        )
        for flow, (own, quarter, by_gateway) in of_units:
            if quarter.quarter_ms in wanted:
                row = self._row(quarter.quarter_ms, Payer(flow.servers, flow), quarter.run)
                row.add_flow(quarter, own.servers[0], by_gateway=by_gateway)
        for gpu in gpus:
            for share in allocation.shares(gpu) if gpu.quarter_ms in wanted else ():
                self._row(gpu.quarter_ms, share.payer, gpu.run).add_charges(share.charges, share.allocation)
        self._add_unobserved(gpus, wanted, anyone=anyone)

    def _row(self, quarter_ms: int, payer: Payer, run: int) -> ModelRow:
        row = self._row_of(quarter_ms, payer)
        row.simulated |= run in self._background.simulated
        return row

    def _add_unobserved(self, gpus: Iterable[GpuQuarter], wanted: Sequence[int], *, anyone: bool) -> None:
        watched: dict[tuple[int, int], list[GpuQuarter]] = defaultdict(list)
        for gpu in gpus:
            watched[gpu.entity, gpu.quarter_ms].append(gpu)
        presence = self._background.presence
        there = presence.gpus(self._hour_ms, self._hour_ms + HOUR_MS) if anyone else ()
        for entity in sorted({*(entity for entity, _ in watched), *there}):
            for quarter_ms in wanted:
                for rate, amount in self._pricing.owed(entity, quarter_ms, watched.get((entity, quarter_ms), ())):
                    row = self._row_of(quarter_ms, UNOBSERVED)
                    row.unobserved.gpus.add(entity)
                    row.unobserved.book(rate, amount, idle=False)
                    row.simulated |= presence.simulated(entity)


def _tier_of(payer: Payer, hour_ms: int, background: Background) -> TierTold:
    """As it is told when the hour ends: what was sold under one tier stays that tier's."""
    if payer.flow is None:
        return NO_TRAFFIC
    servers = [background.names.server(server, hour_ms + HOUR_MS) for server in payer.servers]
    return TierTold(*tier_of(payer.flow, [server for server in servers if server], background.token_list(hour_ms)))


def _order(payer: Payer) -> int:
    return 3 if payer == UNOBSERVED else 2 if payer == UNASSIGNED else 1 if payer.shared_idle else 0
