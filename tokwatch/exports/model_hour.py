"""The table `model_hour`: one row a UTC hour, server, model, tenant and tier; what is left over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from tokwatch.exports.allocation import BY_TOKENS, DIRECT, UNASSIGNED, UNVERIFIED, Allocation, Payer, together
from tokwatch.exports.background import SCHEMA_VERSION, Background
from tokwatch.exports.flow_sums import FlowSums
from tokwatch.exports.hours import HOUR_MS, hour_of, utc
from tokwatch.exports.names import FlowName
from tokwatch.exports.usage import Usage
from tokwatch.ledger.bodies import ServerBody
from tokwatch.ledger.weights import token_weight
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import FlowQuarter, GpuQuarter

UNASSIGNED_MODEL = "(unassigned)"
SHARED_IDLE_MODEL = "(shared, idle)"


class ModelHour(msgspec.Struct, frozen=True, kw_only=True):
    """One model on one deployment in one UTC hour. None is unknown. Columns in this order.

    The rows of an hour add up to those of `gpu_hour` in energy and cost: a closing row with the model "(unassigned)"
    has what no model owns, and unallocated, held and lost time even of a GPU that a model owns; "(shared, idle)" has
    GPUs that several models share in a quarter hour without tokens.
    Latencies are the upper edge of the histogram bucket that the quantile falls in, None beyond the last edge.
    """

    hour_start: str  # YYYY-MM-DDTHH:MM:SSZ, inclusive
    hour_end: str  # exclusive
    deployment: (
        str | None
    )  # the server's address; "a+b" where prefill and decode, or a router, have servers of their own
    engine: str | None
    model: str
    tier: str | None
    tenant: str | None
    gpu_count: int | None
    gpu_hours: float | None  # observed; a part of them where GPUs are shared
    tokens_in_uncached: int | None  # all prompt tokens where the cached ones are not known
    tokens_in_cached: int | None
    tokens_out: int | None
    requests_completed: int | None
    requests_failed: int | None
    requests_aborted: int | None
    preemptions: int | None
    ttft_p50_s: float | None
    ttft_p99_s: float | None
    tpot_p50_s: float | None
    tpot_p99_s: float | None
    energy_board_j: float | None
    j_per_tok_out: float | None
    tok_s_gpu_out: float | None  # per GPU and second of gpu_hours, idle ones included
    tok_s_gpu_total: float | None  # prompt (cached included) + output
    cost_busy_usd: float | None
    cost_idle_usd: float | None
    cost_total_usd: float | None
    unpriced_s: float | None  # GPU-seconds of gpu_hours that have no price
    usd_per_m_blended: float | None  # per million prompt (cached included) + output tokens
    usd_per_m_output: float | None
    allocation: str | None  # "direct" | "tokens": by tokens, at least in part | "unverified": not in the money
    price_version: str | None  # ids in the price book; "3+4" where it changed
    coverage: float | None  # share of the hour that the token counts speak for
    currency: str | None
    simulated: bool
    schema_version: int = SCHEMA_VERSION


@dataclass(slots=True)
class _Row:
    """What one row adds up."""

    flows: FlowSums = field(default_factory=FlowSums)
    usage: Usage = field(default_factory=Usage)
    allocations: set[str] = field(default_factory=set)
    simulated: bool = False


def model_hours(quarters: Quarters, background: Background) -> list[ModelHour]:
    """Hours as sums of quarter rows, by hour, server and model; what is left over comes last in its hour."""
    gpus: dict[int, list[GpuQuarter]] = defaultdict(list)
    flows: dict[int, list[FlowQuarter]] = defaultdict(list)
    for gpu in quarters.gpus:
        gpus[hour_of(gpu.quarter_ms)].append(gpu)
    for flow in quarters.flows:
        flows[hour_of(flow.quarter_ms)].append(flow)
    return [
        row
        for hour_ms in sorted(gpus.keys() | flows.keys())
        for row in _hour(hour_ms, gpus[hour_ms], flows[hour_ms], background)
    ]


def _hour(
    hour_ms: int, gpus: Iterable[GpuQuarter], flows: Iterable[FlowQuarter], background: Background
) -> list[ModelHour]:
    rows: dict[Payer, _Row] = defaultdict(_Row)
    gpus = list(gpus)
    units = together(background.names.units(owner) for owner in sorted({gpu.owner for gpu in gpus}) if owner)
    of_unit: dict[tuple[int, ...], set[FlowName]] = defaultdict(set)
    weights: dict[tuple[int, FlowName], int] = defaultdict(int)
    for quarter in flows:
        own = background.names.flow(quarter.entity)
        name = own._replace(servers=units.get(own.servers[0], own.servers))
        of_unit[name.servers].add(name)
        weights[quarter.quarter_ms, name] += token_weight(quarter.prompt_tokens or 0, quarter.output_tokens or 0)
        row = rows[Payer(name.servers, name)]
        row.flows.add(quarter)
        row.simulated |= quarter.run in background.simulated
    allocation = Allocation(background.names, background.rent, units, of_unit, weights)
    for gpu in gpus:
        for payer, usage, method in allocation.shares(gpu):
            row = rows[payer]
            row.usage.add(usage)
            row.allocations |= {method} if method else set()
            row.simulated |= gpu.run in background.simulated
    written = [
        (_order(payer), _model_hour(hour_ms, payer, row, background))
        for payer, row in rows.items()
        if not (row.usage.empty and row.flows.empty)
    ]
    return [row for _, row in sorted(written, key=lambda pair: (pair[0], pair[1].deployment or "", pair[1].model))]


def _order(payer: Payer) -> int:
    return 2 if payer == UNASSIGNED else 1 if payer.shared_idle else 0


def _model_hour(hour_ms: int, payer: Payer, row: _Row, background: Background) -> ModelHour:
    servers = [background.names.server(server, hour_ms + HOUR_MS) for server in payer.servers]
    flows, usage, gpu_ms = row.flows, row.usage, row.usage.observed_ms
    priced_usd = None if usage.unpriced_ms else usage.total_usd
    energy_j = None if usage.energy_mj is None else usage.energy_mj / 1000
    allocation: str | None = BY_TOKENS if BY_TOKENS in row.allocations else DIRECT if row.allocations else None
    if usage.empty and any(server and not server.verified for server in servers):
        allocation = UNVERIFIED
    return ModelHour(
        hour_start=utc(hour_ms),
        hour_end=utc(hour_ms + HOUR_MS),
        deployment=_deployment([server for server in servers if server]),
        engine="+".join(sorted({server.engine for server in servers if server})) or None,
        model=_model(payer, servers[0].model if servers and servers[0] else ""),
        tier=(payer.flow.tier or None) if payer.flow else None,
        tenant=payer.flow.tenant if payer.flow else None,
        gpu_count=None if usage.empty else len(usage.gpus),
        gpu_hours=None if usage.empty else gpu_ms / HOUR_MS,
        tokens_in_uncached=flows.uncached_tokens,
        tokens_in_cached=flows.cached_tokens,
        tokens_out=flows.counts["output_tokens"],
        requests_completed=flows.counts["finished"],
        requests_failed=flows.counts["failed"],
        requests_aborted=flows.counts["aborted"],
        preemptions=flows.counts["preempted"],
        ttft_p50_s=flows.quantile_s("ttft", 0.50),
        ttft_p99_s=flows.quantile_s("ttft", 0.99),
        tpot_p50_s=flows.quantile_s("tpot", 0.50),
        tpot_p99_s=flows.quantile_s("tpot", 0.99),
        energy_board_j=energy_j,
        j_per_tok_out=_ratio(energy_j, flows.counts["output_tokens"]),
        tok_s_gpu_out=_ratio(flows.counts["output_tokens"], gpu_ms / 1000),
        tok_s_gpu_total=_ratio(flows.total_tokens, gpu_ms / 1000),
        cost_busy_usd=usage.busy_usd,
        cost_idle_usd=usage.idle_usd,
        cost_total_usd=usage.total_usd,
        unpriced_s=None if usage.empty else usage.unpriced_ms / 1000,
        usd_per_m_blended=_ratio(priced_usd, flows.total_tokens, 1e6),
        usd_per_m_output=_ratio(priced_usd, flows.counts["output_tokens"], 1e6),
        allocation=allocation,
        price_version=usage.versions,
        coverage=flows.covered_ms / HOUR_MS if payer.flow else None,
        currency=None if usage.empty else background.rent.currency(hour_ms),
        simulated=row.simulated,
    )


def _deployment(servers: list[ServerBody]) -> str | None:
    names = {server.deployment for server in servers}
    return next(iter(names)) if len(names) == 1 and "" not in names else "+".join(s.address for s in servers) or None


def _model(payer: Payer, of_server: str) -> str:
    if payer == UNASSIGNED:
        return UNASSIGNED_MODEL
    if payer.shared_idle:
        return SHARED_IDLE_MODEL
    return payer.flow.model if payer.flow else of_server


def _ratio(amount: float | None, per: float | None, scale: float = 1.0) -> float | None:
    """None where either is unknown, or per nothing."""
    return None if amount is None or not per else amount * scale / per
