"""One row of the table by model: what it adds up, and the figures that are made of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from tokwatch.exports.allocation import BY_GATEWAY, BY_PRICE, BY_TOKENS, DIRECT, UNASSIGNED, UNVERIFIED, Payer
from tokwatch.exports.background import Background
from tokwatch.exports.hours import HOUR_MS
from tokwatch.exports.model_hour import ModelPeriod
from tokwatch.exports.periods import Period, Periods
from tokwatch.exports.pricing import ids
from tokwatch.exports.traffic import Traffic, deployment_name
from tokwatch.ledger.bodies import ServerBody
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.economics.arithmetic import ratio
from tokwatch.ledger.economics.energy import J_PER_KWH, j_per_token, plausible, tok_s_per_mw
from tokwatch.ledger.economics.revenue import margin, profit_usd
from tokwatch.ledger.economics.token_cost import (
    NO_SPLIT,
    saved_by_cache,
    saved_by_speculation,
    split,
    usd_per_million,
    useful_interval,
)
from tokwatch.ledger.goodput import attained, service_level
from tokwatch.store.quarter_rows import FlowQuarter

UNASSIGNED_MODEL: Final = "(unassigned)"
SHARED_IDLE_MODEL: Final = "(shared, idle)"
UNOBSERVED_MODEL: Final = "(unobserved)"
_MAY_BE_SHARED: Final = (BY_GATEWAY, BY_PRICE, BY_TOKENS, DIRECT)  # what a row says when quarter hours differ


class TierTold(NamedTuple):
    """A tier, and where it comes from; None where there is no traffic."""

    tier: str | None = None
    source: str | None = None


NO_TRAFFIC: Final = TierTold()


class ModelRow:
    """Collects what belongs to one payer in one period."""

    def __init__(self, period: Period, hour_ms: int, payer: Payer, told: TierTold, background: Background) -> None:
        """hour_ms: a UTC hour of the period, whose currency amounts are in. Names are those at the period's end."""
        self._period, self._payer, self._told, self._background = period, payer, told, background
        self._token_list = background.token_list(period.end_ms - HOUR_MS)
        self._currency = background.currency(hour_ms)
        servers = [background.names.server(server, period.end_ms) for server in payer.servers]
        self._servers = [server for server in servers if server]
        self._model = model_of(payer, self._servers)
        self._traffic = Traffic(hour_ms, self._model, told.tier or "", background, end_ms=period.end_ms)
        self._charges = Charges()
        self._methods: set[str] = set()
        self.unobserved = Charges()
        self.simulated = False

    def add_flow(self, quarter: FlowQuarter, server: int, *, by_gateway: bool) -> None:
        """Tokens and requests of one of its flows; by_gateway: a part of them, as a gateway's labels divide them."""
        if by_gateway:
            self._methods.add(BY_GATEWAY)
        self._traffic.add(quarter, server)

    def add_charges(self, charges: Charges, method: str | None) -> None:
        """A part of a GPU; `method`: how it was divided."""
        self._charges.add(charges)
        self._methods |= {method} if method else set()

    @property
    def empty(self) -> bool:
        return self._charges.empty and self._traffic.sums.empty and self.unobserved.empty

    # --- figures --------------------------------------------------------------------------------------------------

    @property
    def _allocation(self) -> str | None:
        if self._charges.empty and any(not server.verified for server in self._servers):
            return UNVERIFIED
        return next((method for method in _MAY_BE_SHARED if method in self._methods), None)

    @property
    def _interactivity(self) -> float | None:
        observed = [sums.observed("tpot") for sums in self._traffic.by_server.values()]
        requests, sum_us = sum(number for number, _ in observed), sum(sum_us for _, sum_us in observed)
        return requests * 1e6 / sum_us if requests and sum_us > 0 else None

    def written(self, periods: Periods) -> ModelPeriod:
        """The row."""
        flows, charges, gpu_ms = self._traffic.sums, self._charges, self._charges.held_ms
        output, finished = flows.counts["output_tokens"], flows.counts["finished"]
        slo, populations = self._traffic.slo, self._traffic.populations
        met_ttft, met_tpot = attained(populations, "ttft", "ttft"), attained(populations, "tpot", "tpot")
        level = service_level(populations, slo)
        cost_usd = charges.total_usd if charges.complete else None
        weighing = self._token_list.weighing([self._model])
        by_class = NO_SPLIT if weighing.why_alike else split(cost_usd, flows.tokens, weighing.of(self._model))
        useful_lo, useful_hi = useful_interval(cost_usd, output, level.met.low, level.met.high)
        decode_usd = None if by_class.output is None else by_class.output * flows.tokens.output / 1e6
        energy_j = None if charges.energy_mj is None else charges.energy_mj / 1000
        facility_kwh = charges.facility_kwh
        facility_j = None if facility_kwh is None else facility_kwh * J_PER_KWH
        counts = self._allocation != UNVERIFIED
        revenue, value = (self._traffic.revenue_usd, self._traffic.task_value_usd) if counts else (None, None)
        placed = not charges.empty
        money = placed or not self.unobserved.empty or revenue is not None
        return ModelPeriod(
            period_start=periods.written(self._period.start_ms),
            period_end=periods.written(self._period.end_ms),
            deployment=deployment_name(self._servers) or None,
            engine="+".join(sorted({server.engine for server in self._servers})) or None,
            model=self._model,
            tier=self._told.tier,
            tier_source=self._told.source,
            tenant=self._payer.flow.tenant if self._payer.flow else None,
            gpu_count=len(charges.gpus | self.unobserved.gpus) or None,
            gpu_hours=gpu_ms / HOUR_MS if placed else None,
            tokens_in_uncached=flows.uncached_tokens,
            tokens_in_cached=flows.cached_tokens,
            tokens_out=output,
            requests_completed=finished,
            requests_failed=flows.counts["failed"],
            requests_aborted=flows.counts["aborted"],
            preemptions=flows.counts["preempted"],
            ttft_p50_s=flows.quantile_s("ttft", 0.50),
            ttft_p99_s=flows.quantile_s("ttft", 0.99),
            tpot_p50_s=flows.quantile_s("tpot", 0.50),
            tpot_p99_s=flows.quantile_s("tpot", 0.99),
            slo_ttft_s=slo.ttft_s if populations else None,
            slo_tpot_s=slo.tpot_s if populations else None,
            slo_e2e_s=slo.e2e_s if populations else None,
            att_ttft_lo=met_ttft.low,
            att_ttft_hi=met_ttft.high,
            att_tpot_lo=met_tpot.low,
            att_tpot_hi=met_tpot.high,
            att_joint_lo=level.met.low,
            att_joint_hi=level.met.high,
            goodput_req_s_lo=level.goodput_req_s.low,
            goodput_req_s_hi=level.goodput_req_s.high,
            interactivity_tok_s_user=self._interactivity,
            tok_s_gpu_out=ratio(output, gpu_ms / 1000),
            tok_s_gpu_total=ratio(flows.total_tokens, gpu_ms / 1000),
            energy_board_j=energy_j,
            energy_facility_kwh=facility_kwh,
            energy_basis=charges.energy_basis,
            j_per_tok_out=ratio(energy_j, output),
            implausible=energy_j is not None and not plausible(j_per_token(charges.busy_energy_mj / 1000, output)),
            tok_s_per_mw_out=tok_s_per_mw(output, facility_j),
            tok_s_per_mw_total=tok_s_per_mw(flows.total_tokens, facility_j),
            gco2e=charges.gco2e,
            carbon=charges.carbon,
            cost_busy_usd=charges.busy_usd,
            cost_idle_usd=charges.idle_usd,
            cost_energy_usd=charges.energy_usd,
            cost_total_usd=charges.total_usd,
            cost_unobserved_usd=self.unobserved.total_usd,
            unpriced_s=charges.unpriced_ms / 1000 if placed else None,
            unpriced_kwh=charges.unpriced_kwh if placed else None,
            usd_per_m_blended=_finite(usd_per_million(cost_usd, flows.total_tokens)),
            usd_per_m_output=_finite(usd_per_million(cost_usd, output)),
            usd_per_m_in_alloc=by_class.input,
            usd_per_m_cached_alloc=by_class.cached,
            usd_per_m_out_alloc=by_class.output,
            usd_per_m_marginal=_finite(
                usd_per_million(charges.energy_usd if charges.metered and charges.complete else None, output)
            ),
            usd_per_m_useful_lo=_finite(useful_lo),
            usd_per_m_useful_hi=_finite(useful_hi),
            usd_per_request=ratio(cost_usd, finished),
            saved_by_cache_usd=saved_by_cache(flows.tokens, by_class),
            saved_by_speculation_usd=saved_by_speculation(decode_usd, output, flows.counts["accepted_tokens"]),
            revenue_usd=revenue,
            profit_usd=profit_usd(revenue, cost_usd),
            margin=margin(revenue, cost_usd),
            task_value_usd=value,
            task_profit_usd=profit_usd(value, cost_usd),
            allocation=self._allocation,
            price_version=ids(charges.versions | self.unobserved.versions),
            restated=charges.restated or self.unobserved.restated,
            coverage=flows.covered_ms / self._period.length_ms if self._payer.flow else None,
            currency=self._currency if money else None,
            simulated=self.simulated,
        )


def model_of(payer: Payer, servers: Sequence[ServerBody]) -> str:
    """What a row of this payer has for a model; `servers`: those of the payer whose facts are known."""
    if payer.unobserved:
        return UNOBSERVED_MODEL
    if payer == UNASSIGNED:
        return UNASSIGNED_MODEL
    if payer.shared_idle:
        return SHARED_IDLE_MODEL
    if payer.flow:
        return payer.flow.model
    return servers[0].model if servers else ""


def _finite(amount: float | None) -> float | None:
    """A table has no cell for infinity: a cost without tokens is told by the columns it would be made of."""
    return None if amount is None or math.isinf(amount) else amount
