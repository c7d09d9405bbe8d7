"""Real pages of fleets in which several servers see the same tokens: at the end each token is in the ledger once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import msgspec

from collectors.readings import FlowReading, Layer, Moves, ServerFacts, ServerReading
from collectors.vocabularies import read_page
from tests.ledger.box import Box, in_force
from tests.ledger.readings import boot_ns, flow, gpu, page, server_facts
from tokwatch.ledger.bodies import ServerBody
from tokwatch.ledger.entries import Flag, FlowEntry, TickRecord
from tokwatch.ledger.registry import owner_units
from tokwatch.ledger.sums import counted

PAGES = Path(__file__).parents[1] / "pages" / "engines"
FRONTEND = ServerFacts("127.0.0.1:8000", "dynamo", metrics_url="http://127.0.0.1:8000/metrics")
PREFILL = ServerFacts("127.0.0.1:8081", "dynamo-worker", metrics_url="http://127.0.0.1:8081/metrics", gpus=("0",))
DECODE = replace(PREFILL, address="127.0.0.1:8082", metrics_url="http://127.0.0.1:8082/metrics", gpus=("1",))


def read(name: str, facts: ServerFacts, second: float) -> ServerReading:
    """A page of the test data, as if its process had started while we watched."""
    reading = read_page((PAGES / f"{name}.prom").read_bytes(), facts, boot_ns(second))
    assert reading.ok
    return reading


def sums(records: Iterable[TickRecord], field: str) -> int:
    entries = (counted(entry) for record in records for entry in record.flows)
    return sum(getattr(entry, field) or 0 for entry in entries)


def shown(records: Iterable[TickRecord], server: int, field: str) -> int:
    flows = {entity.id for record in records for entity in record.entities if entity.parent == server}
    entries: list[FlowEntry] = [e for record in records for e in record.flows if e.entity in flows]
    return sum(getattr(entry, field) or 0 for entry in entries)


def bodies(box: Box) -> dict[str, ServerBody]:
    facts = [event for event in in_force(box.records) if event.kind == "facts"]
    found = [msgspec.json.decode(event.body, type=ServerBody) for event in facts if b'"address"' in event.body]
    return {body.address: body for body in found}


def units(box: Box, owner: int) -> tuple[tuple[str, ...], ...]:
    """Addresses of the servers behind an owner."""
    entities = {entity.id: entity for record in box.records for entity in record.entities}
    return tuple(
        tuple(entities[server].key.partition("|")[0] for server in unit) for unit in owner_units(entities[owner])
    )


def test_trap_28_dynamos_pools_are_one_deployment_and_its_tokens_are_counted_at_the_frontend() -> None:
    box = Box()
    for second, moment in enumerate(("idle", "load", "after")):
        servers = [
            read(f"dynamo-1.6.1-frontend-kvrouter-disagg-{moment}", FRONTEND, second),
            read(f"dynamo-1.6.1-mocker-prefill-disagg-{moment}", PREFILL, second),
            read(f"dynamo-1.6.1-mocker-decode-disagg-{moment}", DECODE, second),
        ]
        record = box.turn(second, [gpu(second), gpu(second, 1)], servers)
    assert {units(box, entry.owner) for entry in record.gpus} == {
        (("127.0.0.1:8000", "127.0.0.1:8081", "127.0.0.1:8082"),)
    }
    first, last = (read(f"dynamo-1.6.1-frontend-kvrouter-disagg-{moment}", FRONTEND, 0) for moment in ("idle", "after"))
    told = [sum(each.output_tokens or 0 for each in reading.flows) for reading in (first, last)]
    assert sums(box.records, "output_tokens") == told[1] - told[0] > 0
    found = bodies(box)
    assert {address: body.role for address, body in found.items()} == {
        FRONTEND.address: "",
        PREFILL.address: "prefill",
        DECODE.address: "decode",
    }
    assert found[FRONTEND.address].counts == "tokens counted here"
    assert found[DECODE.address].counts == "counts no output tokens"


def test_trap_10_litellm_before_llama_cpp_is_shown_with_its_tenants_and_not_added() -> None:
    proxy = ServerFacts("127.0.0.1:4000", "litellm", metrics_url="http://127.0.0.1:4000/metrics")
    behind = server_facts("127.0.0.1:8080")
    box = Box()
    for second, name in enumerate(("tenants-1", "tenants-2")):
        answered = page(second, flow(output_tokens=7 * second), facts=behind, moves=Moves.AT_END)
        box.turn(second, servers=[read(f"litellm-1.106.2-{name}", proxy, second), answered])
    assert sums(box.records, "output_tokens") == 7
    gateway = box.records[0].servers[0].entity
    assert shown(box.records, gateway, "output_tokens") > 7
    assert bodies(box)[proxy.address].counts == "shown, counted at its engines"
    assert bodies(box)[proxy.address].layer == "gateway"


def test_a_router_that_passes_answers_on_unread_leaves_the_tokens_to_the_gateway_before_it() -> None:
    router = ServerFacts("127.0.0.1:3001", "sglang-router", metrics_url="http://127.0.0.1:3001/metrics")
    proxy = server_facts("127.0.0.1:4000", pid=None)
    box = Box()
    for second, name in enumerate(("served-1", "served-2")):
        gateway = page(second, flow(output_tokens=7 * second), facts=proxy, layer=Layer.GATEWAY, moves=Moves.AT_END)
        box.turn(second, servers=[gateway, read(f"sglang-router-0.3.2-{name}", router, second)])
    assert sums(box.records, "output_tokens") == 7
    assert bodies(box)[router.address].layer == "router"


# --- over time --------------------------------------------------------------------------------------------------------

GATEWAY, ENGINE = server_facts("g:1", engine="litellm", pid=None), server_facts("e:1")


def passed(second: int, tokens: int) -> tuple[ServerReading, ServerReading]:
    """A gateway and the engine behind it, which count the same tokens."""
    each = FlowReading("m", output_tokens=tokens)
    return (
        page(second, each, facts=GATEWAY, layer=Layer.GATEWAY),
        page(second, each, facts=ENGINE, incarnation="process-2"),
    )


def flags(record: TickRecord) -> set[int]:
    return {entry.flags & ~(Flag.BASELINE | Flag.GAP) for entry in record.flows}


def test_an_engine_that_is_down_for_a_while_still_counts_what_the_gateway_saw() -> None:
    box = Box()
    for second in range(3):
        box.turn(second, servers=passed(second, 10 * second))
    gateway, engine = passed(3, 30)
    silent = replace(engine, ok=False, flows=(), problem="refused")
    assert flags(box.turn(3, servers=[gateway, silent])) == {Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE}
    box.turn(4, servers=passed(4, 40))
    assert sums(box.records, "output_tokens") == 40


def test_a_recorder_that_starts_again_knows_which_engine_counts_before_it_reads_it() -> None:
    box = Box()
    for second in range(3):
        box.turn(second, servers=passed(second, 10 * second))
    box.restart(5)
    box.turn(5, servers=passed(5, 50)[:1], known=[GATEWAY, ENGINE])
    box.turn(6, servers=passed(6, 60))
    assert sums(box.records, "output_tokens") == 60


def test_without_the_engine_the_gateway_counts_from_then_on() -> None:
    box = Box()
    box.turn(0, servers=passed(0, 0))
    box.turn(1, servers=passed(1, 10))
    box.turn(2, servers=passed(2, 30)[:1])
    assert sums(box.records, "output_tokens") == 30


def test_an_engine_that_says_no_tokens_while_the_gateway_does_moves_the_counting_there() -> None:
    box = Box()
    for second in range(3):
        gateway, engine = passed(second, 10 * second)
        mute = replace(engine, moves=Moves.NONE, flows=(FlowReading("m"),))
        box.turn(second, servers=[gateway, mute])
    assert sums(box.records, "output_tokens") == 20
