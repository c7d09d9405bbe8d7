"""Which series a range has, and what quarter hours or minutes add to them."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Final

from tokwatch.exports.allocation import Payer, allocate
from tokwatch.exports.background import Background
from tokwatch.exports.hours import hour_of
from tokwatch.exports.model_row import model_of
from tokwatch.exports.openmetrics.series import Family, Labels, Series
from tokwatch.exports.periods import Period
from tokwatch.exports.pricing import Pricing
from tokwatch.exports.showback import shown_back
from tokwatch.exports.traffic import deployment_name
from tokwatch.ledger.entries import State
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

ENERGY: Final = Family("tokwatch_gpu_energy_joules", "counter", "joules", "Energy that a GPU drew.", 1000)
STATE: Final = Family("tokwatch_gpu_state_seconds", "counter", "seconds", "Time that a GPU was in a state.", 1000)
COST: Final = Family(
    "tokwatch_cost_dollars", "counter", "dollars", "Cost of watched GPU time and its energy, in the label's currency."
)
PROMPT: Final = Family("tokwatch_prompt_tokens", "counter", "tokens", "Prompt tokens, cached ones included.")
CACHED: Final = Family("tokwatch_prompt_cached_tokens", "counter", "tokens", "Prompt tokens that came from a cache.")
OUTPUT: Final = Family("tokwatch_output_tokens", "counter", "tokens", "Tokens that were made.")
FINISHED: Final = Family("tokwatch_finished_requests", "counter", "requests", "Requests that were answered.")
POWER: Final = Family("tokwatch_gpu_power_watts", "gauge", "watts", "Mean power of a GPU since the last sample.", 1000)
UTILIZATION: Final = Family(
    "tokwatch_gpu_utilization_ratio", "gauge", "ratio", "Share of time in which any kernel ran.", 1000
)
FAMILIES: Final = (ENERGY, POWER, UTILIZATION, STATE, COST, PROMPT, CACHED, OUTPUT, FINISHED)
_OF_FLOWS: Final = (
    (PROMPT, "prompt_tokens"),
    (CACHED, "cached_tokens"),
    (OUTPUT, "output_tokens"),
    (FINISHED, "finished"),
)


class Recording:
    """Collects the series of a range. What has no reading has no sample; things are called as when the range ends."""

    def __init__(
        self, background: Background, within: Period, until_ms: int | None = None, grain_ms: int = QUARTER_MS
    ) -> None:
        """within: the quarter hours it is about. until_ms: no sample is later, for nothing was seen then.

        grain_ms: length of the rows of GPUs and flows that are added; cost is by quarter hours always.
        """
        self.within, self.grain_ms = within, grain_ms
        self.until_ms = within.end_ms if until_ms is None else min(until_ms, within.end_ms)
        self._background = background
        self.series: dict[Family, dict[Labels, Series]] = {family: defaultdict(Series) for family in FAMILIES}
        self._gpu, self._server = cache(self._gpu_labels), cache(self._server_labels)

    def add_quantities(self, rows: Quarters) -> None:
        """Energy, states, power and tokens; each row once, in the order of time."""
        for gpu in rows.gpus:
            if self._is_within(gpu.quarter_ms):
                self._add_gpu(gpu, self._edge_ms(gpu.quarter_ms, self.grain_ms))
        for flow in rows.flows:
            if self._is_within(flow.quarter_ms):
                self._add_flow(flow, self._edge_ms(flow.quarter_ms, self.grain_ms))

    def add_cost(self, quarters: Quarters) -> None:
        """The quarter rows of whole UTC hours, with those of flows: who pays is found out from all of an hour."""
        pricing, flows = Pricing(quarters, self._background), shown_back(quarters, self._background.names)
        hours: dict[int, list[GpuQuarter]] = defaultdict(list)
        for gpu in quarters.gpus:
            hours[hour_of(gpu.quarter_ms)].append(gpu)
        for hour_ms, gpus in sorted(hours.items()):
            token_list = self._background.token_list(hour_ms)
            _, allocation = allocate(gpus, flows.get(hour_ms, ()), self._background.names, pricing, token_list)
            for gpu in gpus:
                if not self._is_within(gpu.quarter_ms):
                    continue
                for share in allocation.shares(gpu):
                    labels = self._cost_labels(gpu.entity, share.payer, self._background.currency(hour_ms))
                    for use, usd in (("busy", share.charges.busy_usd), ("idle", share.charges.idle_usd)):
                        if usd:
                            series = self.series[COST][*labels, ("use", use)]
                            series.add(self._edge_ms(gpu.quarter_ms, QUARTER_MS), usd)

    # --- within ---------------------------------------------------------------------------------------------------

    def _edge_ms(self, start_ms: int, length_ms: int) -> int:
        return min(start_ms + length_ms, self.until_ms)

    def _is_within(self, quarter_ms: int) -> bool:
        return self.within.start_ms <= quarter_ms < self.within.end_ms

    def _add_gpu(self, row: GpuQuarter, edge_ms: int) -> None:
        labels = self._gpu(row.entity)
        if row.energy_mj is not None:
            self.series[ENERGY][labels].add(edge_ms, row.energy_mj)
        if row.power_ms:
            self.series[POWER][labels].add(edge_ms, row.power_mw_ms, row.power_ms)
        if row.util_ms:
            self.series[UTILIZATION][labels].add(edge_ms, row.util_permille_ms, row.util_ms)
        for state, ms in row.state_ms.items():
            self.series[STATE][*labels, ("state", State(state).name.lower())].add(edge_ms, ms)

    def _add_flow(self, row: FlowQuarter, edge_ms: int) -> None:
        name = self._background.names.flow(row.entity)
        whose = (("model", name.model), ("tenant", name.tenant), ("tier", name.tier))
        labels = (*self._server(name.servers[0]), *whose)
        for family, column in _OF_FLOWS:
            count: int | None = getattr(row, column)
            if count is not None:
                self.series[family][labels].add(edge_ms, count)

    def _cost_labels(self, gpu: int, payer: Payer, currency: str | None) -> Labels:
        servers = [self._background.names.server(server, self.within.end_ms) for server in payer.servers]
        known = [server for server in servers if server]
        tenant = payer.flow.tenant if payer.flow else ""
        return (
            *self._gpu(gpu),
            ("deployment", deployment_name(known)),
            ("model", model_of(payer, known)),
            ("tenant", tenant),
            ("currency", currency or ""),
        )

    def _gpu_labels(self, gpu: int) -> Labels:
        facts = self._background.names.gpu(gpu, self.within.end_ms)
        return (
            ("host", self._background.names.host(gpu)),
            ("gpu", str(facts.index) if facts else ""),
            ("uuid", (facts.uuid if facts else None) or ""),
            ("gpu_model", (facts.name if facts else None) or ""),
        )

    def _server_labels(self, server: int) -> Labels:
        facts = self._background.names.server(server, self.within.end_ms)
        return (
            ("host", self._background.names.host(server)),
            ("server", facts.address if facts else ""),
            ("deployment", facts.deployment if facts else ""),
        )
