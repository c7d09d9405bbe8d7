"""The box of the design mockups in money: $18.80 an hour, of which $4.58 idle, and $27.93 earned."""

from __future__ import annotations

from msgspec.structs import replace

from tests.dashboard.snapshots import BOX
from tokwatch.ledger.capacity.row import CapacityRow
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.money.shapes import (
    CostPerHour,
    DeploymentRow,
    Earnings,
    Economy,
    PerRequest,
    TokenCosts,
    TrafficRow,
)
from tokwatch.ledger.snapshot import Snapshot

QWEN, GPT, LLAMA = "Qwen/Qwen3-32B", "openai/gpt-oss-120b", "meta-llama/Llama-3.1-8B-Instruct"


def _request() -> PerRequest:
    return PerRequest(
        prompt_tokens=Figure(800),
        output_tokens=Figure(260),
        cached_share=Figure(0.4),
        usd=Figure(0.00004),
        wh=Figure(0.015),
    )


def _economy(
    cost: CostPerHour, out_tok_s: float | None, all_in: float | None, busy: float | None, revenue: float | None = None
) -> Economy:
    def known(value: float | None, why: str) -> Figure:
        return Figure(None, why) if value is None else Figure(value)

    return Economy(
        cost=cost,
        tokens=TokenCosts(
            blended=known(None if all_in is None else all_in / 4.6, "no tokens"),
            output_only=known(all_in, "no tokens"),
            output_only_busy=known(busy, "no tokens"),
            split_by="token prices",
        ),
        earns=Earnings(
            revenue_usd_per_hour=known(revenue, "no token prices set"),
            profit_usd_per_hour=known(
                None if revenue is None else revenue - (cost.total.value or 0), "no token prices set"
            ),
            margin=known(None if revenue is None else 1 - (cost.total.value or 0) / revenue, "no token prices set"),
            profit_usd_per_mwh=known(None if revenue is None else 1369, "no token prices set"),
        ),
        request=_request(),
        output_tok_s=known(out_tok_s, "nothing served"),
        board_w=Figure(3896),
        facility_w=Figure(6667),
        energy_basis="facility",
        usd_per_kwh=Figure(0.12),
    )


def _cost(rent: float, energy: float, idle: float = 0.0, idle_energy: float = 0.0) -> CostPerHour:
    nothing, total = Figure(0), rent + energy
    return CostPerHour(
        rent=Figure(rent),
        capex=nothing,
        opex=nothing,
        space=nothing,
        energy=Figure(energy),
        total=Figure(total),
        idle=Figure(idle),
        idle_energy=Figure(idle_energy),
        idle_tax=Figure(total / (total - idle) - 1) if idle < total else Figure(None, "no tokens", infinite=True),
    )


def _deployment(name: str, gpus: tuple[int, ...], economy: Economy, server: int | None = None) -> DeploymentRow:
    servers = () if server is None else (server,)
    return DeploymentRow(name, name, (name,), servers, gpus, shared=False, economy=economy)


DEPLOYMENTS = (
    _deployment(QWEN, (0, 1, 2, 3), _economy(_cost(9.0, 0.42), 6204, 0.42, 0.42), 2),
    _deployment(GPT, (4,), _economy(_cost(2.25, 0.15), 2894, 0.23, 0.23), 3),
    _deployment(LLAMA, (5, 6), _economy(_cost(4.5, 0.19, 2.29, 0.04), 3333, 0.39, 0.20), 4),
    _deployment("(unassigned)", (7,), _economy(_cost(2.25, 0.04, 2.29, 0.04), None, None, None)),
)


def _traffic(model: str, tier: str, tok_s: float, prompt: float, cost: float, revenue: float) -> TrafficRow:
    return TrafficRow(
        deployment=model,
        model=model,
        tenant="(untagged)",
        tier=tier,
        tier_source="gateway",
        tok_s=Figure(tok_s),
        prompt_tok_s=Figure(prompt),
        cached_tok_s=Figure(prompt * 0.4),
        cost_usd_per_hour=Figure(cost),
        usd_per_m_output=Figure(cost / tok_s / 3600 * 1e6),
        revenue_usd_per_hour=Figure(revenue),
        profit_usd_per_hour=Figure(revenue - cost),
    )


TRAFFIC = (
    _traffic(QWEN, "priority", 1722, 5100, 2.93, 9.26),
    _traffic(QWEN, "standard", 4482, 14_000, 6.49, 10.00),
    _traffic(GPT, "standard", 2212, 6000, 1.04, 4.35),
    _traffic(GPT, "batch", 682, 2000, 1.36, 1.10),
    _traffic(LLAMA, "batch", 3333, 9400, 4.69, 3.22),
)


def _capacity(entity: int, model: str, gpus: int, k: float, computed: float) -> CapacityRow:
    return CapacityRow(
        entity, (entity,), (model,), "", gpus, "50-75", Figure(k), "learnt", computed_tok_s=Figure(computed)
    )


MONEY_BOX: Snapshot = replace(
    BOX,
    economy=_economy(_cost(18.0, 0.8, 4.58, 0.08), 12_431, 0.42, 0.32, 27.93),
    deployments=DEPLOYMENTS,
    traffic=TRAFFIC,
    capacity=(
        _capacity(2, QWEN, 4, 9200, 17_664),
        _capacity(3, GPT, 1, 20_000, 7700),
        _capacity(4, LLAMA, 2, 13_000, 8973),
    ),
)


def price_list_only() -> Snapshot:
    """A rent with power in it, and no token prices."""
    none = Figure(None, "no token prices set")
    cost = _cost(18.8, 0.0, 4.58)
    economy = replace(
        MONEY_BOX.economy,
        cost=cost,
        earns=Earnings(none, none, none, none),
        usd_per_kwh=Figure(None, "no electricity price set"),
    )
    traffic = tuple(
        replace(row, tier="standard", tier_source="assumed", revenue_usd_per_hour=none, profit_usd_per_hour=none)
        for row in TRAFFIC
    )
    return replace(MONEY_BOX, economy=economy, traffic=traffic, capacity=())
