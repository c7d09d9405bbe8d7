"""Live traffic by tenant: a gateway before an engine is watched, and the engine's tokens and dollars are shared out."""

from __future__ import annotations

import pytest

from collectors.readings import FlowReading, Layer, Moves, ServerReading
from tests.ledger.box import Box, placed, value, work
from tests.ledger.readings import flow, gpu, page, server_facts
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.money.shapes import TrafficRow
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.token_prices import TierOf, TokenPrice, Tokens
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.snapshot import Snapshot

MODEL = "Qwen/Qwen3-32B"
ENGINE = placed(0)
GATEWAY = server_facts("127.0.0.1:4000", engine="litellm", model=None, pids=())
LIST = Tokens(
    (TokenPrice(output=4.0, input=1.0),),
    tiers={"batch": 0.5, "priority": 2.0},
    tier_of=(TierOf("priority", tenant="team-a"),),
)
PRICES = PriceBook((PriceVersion(1, 0, 0, "config", Prices(usd_per_gpu_hour=2.0, tokens=LIST)),))


def through(second: int, *flows: FlowReading, verified: bool = True) -> ServerReading:
    """The gateway's page."""
    facts = GATEWAY if verified else server_facts("127.0.0.1:4000", engine="litellm", verified=False)
    return page(second, *flows, facts=facts, layer=Layer.GATEWAY, moves=Moves.AT_END)


def tenant(
    second: int, name: str, out_s: int, prompt_s: int = 0, model: str = "qwen3-32b", tier: str = ""
) -> FlowReading:
    return flow(model=model, tenant=name, tier=tier, output_tokens=second * out_s, prompt_tokens=second * prompt_s)


def shown(*tenants: tuple[str, int, str], model: str = "qwen3-32b", verified: bool = True) -> Snapshot:
    """A minute of an engine with 1200 output and 3000 prompt tokens a second, and of (tenant, output tok/s, tier)."""
    box = Box()
    for second in range(61):
        flows = [tenant(second, name, out_s, out_s * 2, model, tier) for name, out_s, tier in tenants]
        box.turn(second, [gpu(second)], [work(second, ENGINE), through(second, *flows, verified=verified)])
    return snapshot(box.view(PRICES), mode="live")


def by_tenant(snapshot: Snapshot) -> dict[str, TrafficRow]:
    rows = {row.tenant: row for row in snapshot.traffic}
    assert len(rows) == len(snapshot.traffic)
    return rows


def test_tokens_are_shared_as_the_gateway_saw_them_and_the_rest_went_around_it() -> None:
    rows = by_tenant(shown(("team-a", 600, ""), ("team-b", 300, "batch")))
    assert {name: value(row.tok_s) for name, row in rows.items()} == pytest.approx(
        {"team-a": 600, "team-b": 300, "(untagged)": 300}
    )
    assert value(rows["team-a"].prompt_tok_s) == pytest.approx(1200)
    assert {row.deployment for row in rows.values()} == {ENGINE.address}
    assert {row.model for row in rows.values()} == {MODEL}
    assert all("allocated" in row.tok_s.marks for row in rows.values())


def test_a_tier_is_the_gateways_label_else_the_rule_for_the_tenant() -> None:
    rows = by_tenant(shown(("team-a", 600, ""), ("team-b", 300, "batch")))
    assert {name: (row.tier, row.tier_source) for name, row in rows.items()} == {
        "team-a": ("priority", "tenant"),
        "team-b": ("batch", "gateway"),
        "(untagged)": ("standard", "assumed"),
    }


def test_dollars_are_shared_by_what_tokens_weigh_and_add_up_to_the_deployment() -> None:
    found = shown(("team-a", 600, ""), ("team-b", 300, "batch"))
    rows = by_tenant(found)
    costs = {name: value(row.cost_usd_per_hour) for name, row in rows.items()}
    assert sum(costs.values()) == pytest.approx(2.0)
    assert costs["team-a"] == pytest.approx(2 * costs["team-b"])
    assert costs["team-a"] == pytest.approx(2.0 * (4 * 600 + 1200) / (4 * 1200 + 3000))
    assert all("allocated" in row.cost_usd_per_hour.marks for row in rows.values())
    earned = next(row for row in found.deployments if row.key == ENGINE.address).economy.earns.revenue_usd_per_hour
    assert value(earned) == pytest.approx(sum(value(row.revenue_usd_per_hour) for row in rows.values()))


def test_shares_are_scaled_where_the_gateway_saw_more() -> None:
    rows = by_tenant(shown(("team-a", 2400, ""), ("team-b", 1200, "")))
    assert {name: round(value(row.tok_s)) for name, row in rows.items()} == {"team-a": 800, "team-b": 400}


def test_another_name_for_the_only_model_is_told_where_sources_are() -> None:
    found = shown(("team-a", 600, ""), model="gpt-4")
    assert value(by_tenant(found)["team-a"].tok_s) == pytest.approx(600)
    [words] = [row.counts for row in found.servers if row.address == GATEWAY.address]
    assert words == f"shown, counted at its engines; gpt-4 is {MODEL}"


def test_a_model_that_is_none_of_those_counted_stays_untagged_and_is_told() -> None:
    box = Box()
    for second in range(61):
        flows = [tenant(second, "team-a", 300, model=name) for name in ("gpt-4", "o1")]
        box.turn(second, [gpu(second)], [work(second, ENGINE), through(second, *flows)])
    found = snapshot(box.view(PRICES), mode="live")
    assert [(row.tenant, round(value(row.tok_s))) for row in found.traffic] == [("(untagged)", 1200)]
    [words] = [row.counts for row in found.servers if row.address == GATEWAY.address]
    assert words.endswith("no model counted here is gpt-4, o1: no cost by tenant")


def test_a_gateway_of_another_user_shares_nothing_out() -> None:
    assert list(by_tenant(shown(("team-a", 600, ""), verified=False))) == ["(untagged)"]


def test_a_gateway_that_labels_nobody_changes_nothing() -> None:
    [row] = shown(("(untagged)", 600, "")).traffic
    assert (row.tenant, round(value(row.tok_s)), row.tok_s.marks) == ("(untagged)", 1200, ())


def test_two_engines_of_a_model_share_the_gateways_tenants() -> None:
    box, other = Box(), placed(1, address="127.0.0.1:8001", pids=(101,))
    for second in range(61):
        gateway = through(second, tenant(second, "team-a", 1800), tenant(second, "team-b", 600))
        box.turn(second, [gpu(second), gpu(second, 1)], [work(second, ENGINE), work(second, other), gateway])
    rows = snapshot(box.view(PRICES), mode="live").traffic
    assert {(row.deployment, row.tenant): round(value(row.tok_s)) for row in rows if value(row.tok_s)} == {
        (address, name): tok_s
        for address in (ENGINE.address, other.address)
        for name, tok_s in (("team-a", 900), ("team-b", 300))
    }
