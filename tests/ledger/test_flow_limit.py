"""Names on a page cost nothing, entities do: a server's flows are bounded, and its tokens are counted all the same."""

from __future__ import annotations

from collectors.readings import FlowReading, Layer, Moves, ServerReading
from tests.ledger.box import Box
from tests.ledger.readings import NOON_MS, boot_ns, server_facts
from tokwatch.ledger.flow_limit import MOST_FLOWS, OTHERS, FlowLimit
from tokwatch.ledger.registry import Registry, flow_key


def page(*flows: FlowReading, second: float = 0) -> ServerReading:
    return ServerReading(server_facts(), boot_ns(second), ok=True, moves=Moves.LIVE, flows=flows, layer=Layer.ENGINE)


def tenant(name: str, tokens: int, model: str = "m") -> FlowReading:
    return FlowReading(model, tenant=name, output_tokens=tokens)


def knowing(*names: str) -> FlowLimit:
    registry = Registry("box")
    for name in names:
        registry.id("flow", flow_key(1, "m", "", name, ""), parent=1, seen_ms=NOON_MS)
    return FlowLimit(registry, most=2)


def test_flows_for_which_there_is_room_are_left_alone() -> None:
    reading = page(tenant("a", 1), tenant("b", 2))
    assert knowing("a").of(reading, 1) is reading


def test_new_flows_beyond_the_limit_are_one_and_that_is_said() -> None:
    got = knowing("a", "b").of(page(tenant("a", 1), tenant("c", 2), tenant("d", 3)), 1)
    assert [(flow.tenant, flow.output_tokens) for flow in got.flows] == [("a", 1), (OTHERS, 5)]
    assert "added up" in dict(got.missing)["flows"]


def test_unknown_models_are_one_too() -> None:
    got = knowing("a", "b").of(page(tenant("x", 2, "m2"), tenant("y", 3, "m3")), 1)
    assert [(flow.model, flow.output_tokens) for flow in got.flows] == [(OTHERS, 5)]


def test_a_tenant_of_that_name_is_one_of_them() -> None:
    got = knowing("a", OTHERS).of(page(tenant(OTHERS, 1), tenant("c", 2)), 1)
    assert [(flow.tenant, flow.output_tokens) for flow in got.flows] == [(OTHERS, 3)]


def test_what_was_added_up_once_is_never_counted_apart() -> None:
    limit = knowing(OTHERS)
    assert [flow.tenant for flow in limit.of(page(tenant("c", 2)), 1).flows] == [OTHERS]


def test_a_page_of_new_tenants_every_second_has_a_bounded_number_of_entities() -> None:
    box = Box()
    for second in range(12):
        names = [f"{second}-{n}" for n in range(200)]
        box.turn(second, (), [page(*(tenant(name, 10) for name in names), second=second)])
    flows = [entity for record in box.records for entity in record.entities if entity.kind == "flow"]
    assert len(flows) <= MOST_FLOWS + 1
    assert all(len(record.flows) <= 256 for record in box.records)


def test_tenants_beyond_the_limit_lose_no_tokens() -> None:
    def all_of(tokens: int, second: float) -> ServerReading:
        return page(*(tenant(str(n), tokens) for n in range(MOST_FLOWS + 10)), second=second)

    box = Box()
    for second in range(3):
        box.turn(second, (), [all_of(100 + second, second)])
    last = box.records[-1].flows
    assert sum(flow.output_tokens or 0 for flow in last) == MOST_FLOWS + 10
