"""Rows by deployment, model, tier, tenant, GPU and host: what is nobody's has a name, and GPUs share tokens by time."""

from __future__ import annotations

import pytest

from tests.exports.box import (
    FACTS,
    GPU_0,
    GPU_1,
    GROUP,
    LLAMA_FLOW,
    QWEN_FLOW,
    TENANT_FLOW,
    background,
    flow_quarter,
    gpu_quarter,
    server_facts,
    version,
)
from tests.exports.money.sums import books
from tokwatch.exports.money.account import SHARED_IDLE, UNASSIGNED
from tokwatch.exports.money.rows import By
from tokwatch.exports.money.statement import Terms
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices.gpu_terms import Rent
from tokwatch.ledger.prices.token_prices import TierOf, TokenPrice, Tokens
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter
from tokwatch.store.rollup import QUARTER_MS

PRICED = background(version(Rent(4.0)))
PARKED = {State.PARKED: QUARTER_MS}


def usd(gpus: list[GpuQuarter], flows: list[FlowQuarter], by: By) -> dict[str, float]:
    """Cost by row, of those that cost something."""
    found = books(gpus, flows, PRICED, each_gpu=by in ("gpu", "host")).by(by)
    return {name: cost for (name, _), account in found.items() if (cost := account.charges.total_usd)}


def test_a_deployment_bears_the_idleness_that_its_own_tenants_share() -> None:
    flows = [flow_quarter(0, QWEN_FLOW, 0, 0, 0), flow_quarter(0, TENANT_FLOW, 0, 0, 0)]
    assert usd([gpu_quarter(0, states=PARKED)], flows, "deployment") == {"127.0.0.1:8000": 1.0}
    assert usd([gpu_quarter(0, states=PARKED)], flows, "model") == {"qwen": 1.0}
    assert usd([gpu_quarter(0, states=PARKED)], flows, "tenant") == {SHARED_IDLE: 1.0}


def test_idleness_that_two_deployments_share_is_neithers() -> None:
    flows = [flow_quarter(0, QWEN_FLOW, 0, 0, 0), flow_quarter(0, LLAMA_FLOW, 0, 0, 0)]
    gpus = [gpu_quarter(0, owner=GROUP, states=PARKED), gpu_quarter(0, GPU_1, owner=0, states={State.HELD: QUARTER_MS})]
    assert usd(gpus, flows, "deployment") == {SHARED_IDLE: 1.0, UNASSIGNED: 1.0}


def test_a_division_is_marked_where_the_row_holds_only_a_part_of_it() -> None:
    flows = [flow_quarter(0, QWEN_FLOW), flow_quarter(0, TENANT_FLOW)]
    found = books([gpu_quarter(0)], flows, PRICED)
    assert [account.allocated for account in found.by("deployment").values()] == [False]
    assert [account.allocated for account in found.by("tenant").values()] == [True, True]
    assert not found.whole.allocated


def test_the_tokens_of_a_deployment_are_divided_among_its_gpus_by_their_time() -> None:
    half = {State.SERVING: QUARTER_MS // 3}
    found = books([gpu_quarter(0, GPU_0), gpu_quarter(0, GPU_1, states=half)], [flow_quarter(0)], PRICED, each_gpu=True)
    output = {name: account.made.all_tokens.output for (name, _), account in found.by("gpu").items()}
    assert output == pytest.approx({"dgx-03/0": 375_000, "dgx-03/1": 125_000})
    [host] = found.by("host").values()
    assert host.made.all_tokens.output == pytest.approx(500_000)
    rows = found.statements("gpu", Terms(0.25, Tokens()))
    assert rows[0].costs.usd_per_m_output_only.value == pytest.approx(1.0 / 0.375)
    assert rows[0].earned.profit_usd_per_hour_per_provisioned_mw.why == "no token prices set"


def test_a_tier_says_where_it_comes_from() -> None:
    tokens = Tokens((TokenPrice(2.0, 1.0),), tiers={"batch": 0.5}, tier_of=(TierOf("batch", tenant="team-a"),))
    known = background(version(Rent(4.0), tokens=tokens))
    flows = [flow_quarter(0, QWEN_FLOW), flow_quarter(0, TENANT_FLOW)]
    found = books([gpu_quarter(0)], flows, known).by("tier")
    assert set(found) == {("standard", "assumed"), ("batch", "tenant")}
    revenue = {name: account.made.revenue_usd for (name, _), account in found.items()}
    assert revenue == pytest.approx({"standard": 0.6 + 0.4 + 1.0, "batch": 1.0})


def test_a_revenue_without_a_price_for_some_tokens_is_marked() -> None:
    tokens = Tokens((TokenPrice(2.0, 1.0, "qwen"),))
    known = background(version(Rent(4.0), tokens=tokens))
    flows = [flow_quarter(0, QWEN_FLOW), flow_quarter(0, LLAMA_FLOW)]
    found = books([gpu_quarter(0, owner=GROUP)], flows, known)
    rows = {row.name: row for row in found.statements("model", Terms(0.25, tokens))}
    assert rows["qwen"].earned.revenue_usd.value == pytest.approx(2.0)
    assert rows["llama"].earned.revenue_usd.why == "no token prices set"
    assert found.whole.made.unpriced_tokens == 1_500_000


def test_tokens_of_servers_without_gpus_are_not_in_the_money() -> None:
    facts = (*FACTS, server_facts(5, "127.0.0.1:8001", "sglang", "llama", verified=False))
    known = background(version(Rent(4.0)), facts=facts)
    found = books([gpu_quarter(0)], [flow_quarter(0, QWEN_FLOW), flow_quarter(0, LLAMA_FLOW)], known)
    assert [who.deployment for who in found.without_gpus] == ["127.0.0.1:8001"]
    assert found.whole.made.all_tokens.output == 500_000
    assert [name for name, _ in found.by("model")] == ["qwen"]


def test_the_dearest_row_is_first_and_what_is_left_over_last() -> None:
    flows = [flow_quarter(number, QWEN_FLOW) for number in range(2)]
    gpus = [
        gpu_quarter(0),
        gpu_quarter(0, GPU_1, owner=0, states={State.UNALLOCATED: QUARTER_MS}),
        gpu_quarter(1, GPU_1, owner=0, states={State.UNALLOCATED: QUARTER_MS}),
    ]
    assert list(usd(gpus, flows, "deployment")) == ["127.0.0.1:8000", UNASSIGNED]
