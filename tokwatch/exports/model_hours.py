"""The rows of `model_hour`: what flows and GPUs give to each model of an hour, and what is left over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tokwatch.exports.allocation import UNASSIGNED, UNOBSERVED, Allocation, Payer, together
from tokwatch.exports.background import Background
from tokwatch.exports.flow_sums import tokens_of
from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.exports.model_hour import ModelHour
from tokwatch.exports.model_row import ModelRow
from tokwatch.exports.names import FlowName
from tokwatch.exports.pricing import Pricing
from tokwatch.exports.showback import FlowPart, shown_back
from tokwatch.ledger.economics.token_cost import Tokens, added
from tokwatch.store.quarter_rows import GpuQuarter
from tokwatch.store.quarters import Quarters


def model_hours(quarters: Quarters, background: Background, hours: Iterable[int] = ()) -> list[ModelHour]:
    """Hours as sums of quarter rows, by hour, deployment and model; what is left over comes last in its hour.

    hours: their starts; in these, GPUs that were there without being watched have a row too.
    """
    pricing = Pricing(quarters, background)
    gpus: dict[int, list[GpuQuarter]] = defaultdict(list)
    flows = shown_back(quarters, background.names)
    for gpu in quarters.gpus:
        gpus[hour_of(gpu.quarter_ms)].append(gpu)
    watched_or_not = set(hours)
    return [
        row
        for hour_ms in sorted(gpus.keys() | flows.keys() | watched_or_not)
        for row in _Hour(hour_ms, pricing, background).rows(
            gpus[hour_ms], flows.get(hour_ms, ()), anyone=hour_ms in watched_or_not
        )
    ]


class _Hour:
    """One hour as rows, by who pays."""

    def __init__(self, hour_ms: int, pricing: Pricing, background: Background) -> None:
        self._hour_ms = hour_ms
        self._pricing = pricing
        self._background = background
        self._token_list = background.token_list(hour_ms)
        self._rows: dict[Payer, ModelRow] = {}

    def rows(self, gpus: Sequence[GpuQuarter], flows: Iterable[FlowPart], *, anyone: bool) -> list[ModelHour]:
        """anyone: with the GPUs that have no row."""
        names = self._background.names
        units = together(names.units(owner) for owner in sorted({gpu.owner for gpu in gpus}) if owner)
        of_unit: dict[tuple[int, ...], set[FlowName]] = defaultdict(set)
        tokens: dict[tuple[int, FlowName], list[Tokens]] = defaultdict(list)
        for own, quarter, by_gateway in flows:
            flow = own._replace(servers=units.get(own.servers[0], own.servers))
            of_unit[flow.servers].add(flow)
            counted = tokens_of(quarter.prompt_tokens, quarter.cached_tokens, quarter.output_tokens)
            tokens[quarter.quarter_ms, flow].append(counted)
            self._row(Payer(flow.servers, flow), quarter.run).add_flow(quarter, own.servers[0], by_gateway=by_gateway)
        sums = {key: added(parts) for key, parts in tokens.items()}
        allocation = Allocation(names, self._pricing, self._token_list, units, of_unit, sums)
        for gpu in gpus:
            for payer, charges, method in allocation.shares(gpu):
                self._row(payer, gpu.run).add_charges(charges, method)
        self._add_unobserved(gpus, anyone=anyone)
        told = [(payer, row) for payer, row in self._rows.items() if not row.empty]
        written = [(_order(payer), row.written()) for payer, row in told]
        return [row for _, row in sorted(written, key=lambda pair: (pair[0], pair[1].deployment or "", pair[1].model))]

    def _row(self, payer: Payer, run: int | None) -> ModelRow:
        row = self._rows.get(payer)
        if row is None:
            row = self._rows[payer] = ModelRow(self._hour_ms, payer, self._background)
        row.simulated |= run in self._background.simulated
        return row

    def _add_unobserved(self, gpus: Iterable[GpuQuarter], *, anyone: bool) -> None:
        rows: dict[int, list[GpuQuarter]] = defaultdict(list)
        for gpu in gpus:
            rows[gpu.entity].append(gpu)
        there = self._background.presence.gpus(self._hour_ms, self._hour_ms + HOUR_MS) if anyone else ()
        for entity in sorted({*rows, *there}):
            charges = self._pricing.unobserved(entity, self._hour_ms, rows[entity])
            if not charges.empty:
                row = self._row(UNOBSERVED, None)
                row.unobserved.add(charges)
                row.simulated |= self._background.presence.simulated(entity)


def _order(payer: Payer) -> int:
    return 3 if payer == UNOBSERVED else 2 if payer == UNASSIGNED else 1 if payer.shared_idle else 0
