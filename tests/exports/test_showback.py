"""Tokens, dollars and joules by tenant, where only the gateway before the engines knows tenants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from tests.exports.box import (
    ACME_SEEN,
    BETA_SEEN,
    DECODE_FLOW,
    DEEPSEEK_SEEN,
    ENTITIES,
    FACTS,
    GATEWAY,
    GPU_0,
    GPU_1,
    LLAMA_FLOW,
    PAIR,
    PREFILL_FLOW,
    QWEN_FLOW,
    TENANT_FLOW,
    background,
    flow_quarter,
    gpu_quarter,
    server_facts,
    version,
)
from tests.exports.strategies import quarters
from tokwatch.exports.demand import by_tenant, hours_of_day
from tokwatch.exports.model_hour import ModelPeriod
from tokwatch.exports.model_hours import model_hours
from tokwatch.exports.names import Names
from tokwatch.exports.showback import FlowPart, shown_back
from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.local_time import zone_of
from tokwatch.ledger.prices.gpu_terms import Rent
from tokwatch.ledger.prices.token_prices import TierOf, TokenPrice, Tokens
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter
from tokwatch.store.quarters import Quarters

NAMES = Names(ENTITIES, FACTS)
LIST = Tokens((TokenPrice(output=4.0, input=1.0, cached_input=0.1),), tier_of=(TierOf("priority", tenant="acme"),))
PRICED = background(version(Rent(2.0), tokens=LIST))


def seen(flow: int, output: int, prompt: int = 0, number: int = 0, finished: int | None = 10) -> FlowQuarter:
    """What the gateway saw pass."""
    return flow_quarter(number, flow, prompt, None, output, finished=finished)


def counted(output: int, prompt: int = 0, number: int = 0, flow: int = QWEN_FLOW, cached: int = 0) -> FlowQuarter:
    return flow_quarter(number, flow, prompt, cached, output, finished=100)


def tables(
    flows: Sequence[FlowQuarter], elsewhere: Sequence[FlowQuarter], gpus: Sequence[GpuQuarter] = ()
) -> dict[tuple[str, str | None], ModelPeriod]:
    """Rows of one hour by model and tenant."""
    rows = model_hours(Quarters(list(gpus), list(flows), [], list(elsewhere)), PRICED)
    named = {(row.model, row.tenant): row for row in rows}
    assert len(named) == len(rows)
    return named


def test_tokens_are_the_gateways_by_tenant_and_what_went_around_it_is_untagged() -> None:
    rows = tables([counted(1000, 3000)], [seen(ACME_SEEN, 600, 1000), seen(BETA_SEEN, 300, 500)])
    assert {tenant: (row.tokens_out, row.tokens_in_uncached) for (_, tenant), row in rows.items()} == {
        "acme": (600, 1000),
        "beta": (300, 500),
        "(untagged)": (100, 1500),
    }
    assert {row.requests_completed for row in rows.values()} == {10, 80}
    assert {row.deployment for row in rows.values()} == {"127.0.0.1:8000"}
    assert {row.allocation for row in rows.values()} == {"by gateway"}


def test_a_tier_is_the_gateways_label_else_that_of_the_tenant() -> None:
    rows = tables([counted(1000)], [seen(ACME_SEEN, 600), seen(BETA_SEEN, 300)])
    assert {tenant: (row.tier, row.tier_source) for (_, tenant), row in rows.items()} == {
        "acme": ("priority", "tenant"),
        "beta": ("batch", "gateway"),
        "(untagged)": ("standard", "assumed"),
    }


def test_dollars_and_joules_go_by_price_weighted_tokens() -> None:
    flows = [counted(1000, 2000)]
    gateway = [seen(ACME_SEEN, 1000, 0, finished=50), seen(BETA_SEEN, 0, 2000, finished=50)]
    rows = tables(flows, gateway, [gpu_quarter(gpu=GPU_0), gpu_quarter(gpu=GPU_1)])
    acme, beta = rows["qwen", "acme"], rows["qwen", "beta"]
    assert acme.cost_total_usd == pytest.approx(1.0 * 4000 / 6000)
    assert (acme.cost_total_usd or 0) + (beta.cost_total_usd or 0) == pytest.approx(1.0)
    assert (acme.energy_board_j or 0) + (beta.energy_board_j or 0) == 2 * 540_000
    assert len(rows) == 2  # nothing is left of nobody's


def test_quarters_in_which_everybody_slept_are_shared_and_idle() -> None:
    rows = tables([counted(1000), counted(0, number=1)], [seen(ACME_SEEN, 600)], [gpu_quarter(0), gpu_quarter(1)])
    assert rows["(shared, idle)", None].cost_total_usd == pytest.approx(0.5)


def test_prefill_and_decode_servers_share_one_gateway() -> None:
    flows = [
        flow_quarter(0, PREFILL_FLOW, 3000, 0, None, finished=None),
        flow_quarter(0, DECODE_FLOW, None, None, 900, finished=30),
    ]
    rows = tables(flows, [seen(DEEPSEEK_SEEN, 300, 1000)], [gpu_quarter(owner=PAIR)])
    acme = rows["deepseek", "acme"]
    assert (acme.tokens_in_uncached, acme.tokens_out, acme.requests_completed) == (1000, 300, 10)
    assert acme.deployment == "127.0.0.1:8002+127.0.0.1:8003"


def test_what_an_engine_labels_itself_is_its_own() -> None:
    rows = tables([counted(1000), counted(500, flow=TENANT_FLOW)], [seen(ACME_SEEN, 1000, finished=None)])
    assert {tenant: row.tokens_out for (_, tenant), row in rows.items()} == {"acme": 1000, "team-a": 500}
    assert rows["qwen", "team-a"].allocation is None


def test_a_model_that_is_none_of_those_counted_stays_untagged() -> None:
    rows = tables([counted(1000), counted(10, flow=LLAMA_FLOW)], [seen(DEEPSEEK_SEEN, 600)])
    assert {tenant for _, tenant in rows} == {"(untagged)"}


def test_latencies_are_divided_with_the_requests_and_lost_nowhere() -> None:
    timed = HistogramEntry("ttft", (0.1, 1.0), (60, 30, 10), 17_000_001)
    flow = flow_quarter(0, QWEN_FLOW, 0, 0, 1000, (timed,), finished=100)
    [parts] = shown_back(Quarters([], [flow], [], [seen(ACME_SEEN, 600, finished=70)]), NAMES).values()
    assert {part.name.tenant: part.quarter.histograms[0].counts for part in parts} == {
        "acme": (42, 21, 7),
        "(untagged)": (18, 9, 3),
    }
    assert sum(part.quarter.histograms[0].sum_us for part in parts) == timed.sum_us


def test_a_gateway_of_another_user_shares_nothing_out() -> None:
    facts = (*FACTS[:-1], server_facts(GATEWAY, "127.0.0.1:4000", "litellm", "", layer="gateway", verified=False))
    found = shown_back(Quarters([], [counted(10)], [], [seen(ACME_SEEN, 5)]), Names(ENTITIES, facts))
    assert [part.by_gateway for parts in found.values() for part in parts] == [False]


def test_demand_is_told_by_tenant() -> None:
    found = shown_back(Quarters([], [counted(1000)], [], [seen(ACME_SEEN, 600)]), NAMES)
    curves = hours_of_day([part for parts in found.values() for part in parts], zone_of("UTC"), by_tenant)
    assert {tenant: hours[12].tokens.output for tenant, hours in curves.items()} == {"acme": 600, "(untagged)": 400}


@given(quarters)
@settings(max_examples=60, deadline=None)
def test_the_parts_of_every_flow_are_the_flow(generated: Quarters) -> None:
    found = shown_back(generated, NAMES)
    parts: dict[tuple[int, int], list[FlowPart]] = defaultdict(list)
    for of_hour in found.values():
        for part in of_hour:
            parts[part.quarter.quarter_ms, part.quarter.entity].append(part)
    for flow in generated.flows:
        own = parts.pop((flow.quarter_ms, flow.entity))
        for name in ("prompt_tokens", "output_tokens", "finished", "failed", "aborted", "preempted"):
            told = [value for part in own if (value := getattr(part.quarter, name)) is not None]
            assert (sum(told) if told else None) == getattr(flow, name)
        for part in own:
            assert (part.quarter.cached_tokens or 0) <= (part.quarter.prompt_tokens or 0) or not part.by_gateway
    assert not parts


@given(quarters)
@settings(max_examples=60, deadline=None)
def test_a_tenant_never_has_more_than_its_gateway_saw(generated: Quarters) -> None:
    wanted: dict[tuple[int, str], int] = defaultdict(int)
    for flow in generated.elsewhere:
        wanted[flow.quarter_ms // 3_600_000, NAMES.flow(flow.entity).tenant] += flow.output_tokens or 0
    got: dict[tuple[int, str], int] = defaultdict(int)
    for hour_ms, parts in shown_back(generated, NAMES).items():
        for part in parts:
            if part.by_gateway and part.name.tenant != "(untagged)":
                got[hour_ms // 3_600_000, part.name.tenant] += part.quarter.output_tokens or 0
    assert all(tokens <= wanted[key] for key, tokens in got.items())
