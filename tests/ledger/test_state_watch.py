"""States as a recorder decides them: each GPU with its servers, its deployment, and what an earlier run left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from collectors.readings import ServerFacts, ServerReading
from tests.ledger.box import NO_PRICE, Box, placed, restored
from tests.ledger.readings import NOON_MS, flow, free_gpu, gpu, page
from tokwatch.ledger.bodies import FloorBody
from tokwatch.ledger.entries import State, TickRecord
from tokwatch.ledger.states import StateBody

HW_THERMAL = 0x40


def pages(second: float, facts: ServerFacts, **changes: Any) -> ServerReading:
    """A server at work, with what `changes` says otherwise."""
    tokens = 0 if changes.get("idle") else round(900 * second)
    return page(second, flow(output_tokens=tokens), facts=facts, **changes)


def states(record: TickRecord) -> list[State]:
    return [State(entry.state) for entry in record.gpus]


def run(box: Box, seconds: range, servers: Sequence[tuple[ServerFacts, dict[str, Any]]], gpus: int) -> list[State]:
    """The states at the end."""
    for second in seconds:
        readings = [pages(second, facts, **changes) for facts, changes in servers]
        box.turn(second, [gpu(second, index) for index in range(gpus)], readings)
    return states(box.records[-1])


def test_a_tensor_parallel_server_is_judged_alike_on_all_of_its_gpus() -> None:
    server = placed(0, 1, 2, 3, tensor_parallel=4)
    assert run(Box(), range(40), [(server, {"waiting": 2})], gpus=4) == [State.BACKLOG] * 4


def test_heat_slows_one_gpu_and_is_told_of_that_one() -> None:
    box = Box()
    server = placed(0, 1, tensor_parallel=2)
    for second in range(10):
        hot = gpu(second, 1, throttle=HW_THERMAL)
        box.turn(second, [gpu(second), hot], [pages(second, server)])
    assert states(box.records[-1]) == [State.SERVING, State.THROTTLED]


def test_a_queue_at_the_prefill_server_is_that_servers_alone() -> None:
    prefill, decode = placed(0, role="prefill"), placed(1, address="d:1", role="decode")
    assert run(Box(), range(60), [(prefill, {"waiting": 2}), (decode, {})], gpus=2) == [State.BACKLOG, State.SERVING]


def test_a_prefill_server_between_prompts_is_not_left_out_by_its_decode_partners_queue() -> None:
    prefill, decode = placed(0, role="prefill"), placed(1, address="d:1", role="decode")
    servers: list[tuple[ServerFacts, dict[str, Any]]] = [(prefill, {"idle": True}), (decode, {"waiting": 2})]
    assert run(Box(), range(60), servers, gpus=2) == [State.SERVING, State.BACKLOG]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, State.MISROUTED),
        ({"verified": False}, State.PARKED),
        ({"deployment": "batch"}, State.PARKED),
        ({"model": "another"}, State.PARKED),
    ],
)
def test_a_server_at_rest_beside_a_queue_is_misrouted_where_it_could_take_it(
    changes: dict[str, Any], state: State
) -> None:
    resting, asked = placed(0), placed(1, address="b:1", **changes)
    box = Box()
    for second in range(60):
        model = changes.get("model", "Qwen/Qwen3-32B")
        queue = page(second, flow(model=model, output_tokens=900 * second), facts=asked, waiting=3)
        box.turn(second, [gpu(second), gpu(second, 1)], [pages(second, resting, idle=True), queue])
    assert states(box.records[-1]) == [state, State.BACKLOG]
    note = msgspec.json.decode(last_state(box, 1), type=StateBody).note
    assert ("none at the replica" in note) is (state is State.MISROUTED)


def last_state(box: Box, gpu_number: int) -> bytes:
    entity = box.records[-1].gpus[gpu_number].entity
    return [e.body for r in box.records for e in r.events if (e.kind, e.entity) == ("state", entity)][-1]


def test_a_backlog_outlives_a_restart_of_the_recorder() -> None:
    box, server = Box(), placed(0)
    run(box, range(100), [(server, {"waiting": 2})], gpus=1)
    before = last_state(box, 0)
    box.restart(400)
    run(box, range(400, 420), [(server, {"waiting": 2})], gpus=1)
    assert states(box.records[-1]) == [State.BACKLOG]
    assert last_state(box, 0) == before


def test_time_in_a_state_that_came_back_is_the_same_live_and_from_the_store() -> None:
    box, server = Box(), placed(0)
    for seconds, waiting in ((range(50), 2), (range(50, 55), 0), (range(55, 200), 2), (range(200, 300), 0)):
        run(box, seconds, [(server, {"waiting": waiting})], gpus=1)
    assert len({entry.state for record in box.records for entry in record.gpus}) == 2
    live, again = box.view(), restored(box.records, box.run, NO_PRICE)
    assert live.in_state == again.in_state
    booked_ms = sum(sum(spent.values()) for spent in live.in_state.values())
    assert booked_ms == box.records[-1].gpus[0].t1_ms - msgspec.json.decode(last_state(box, 0), type=StateBody).since_ms


def test_every_second_is_booked_to_one_state() -> None:
    box, server = Box(), placed(0)
    for seconds, waiting in ((range(100), 2), (range(100, 300), 0), (range(300, 350), 1)):
        run(box, seconds, [(server, {"waiting": waiting})], gpus=1)
    entries = [record.gpus[0] for record in box.records]
    assert sum(entry.t1_ms - entry.t0_ms for entry in entries) == 349_000
    assert {State(entry.state) for entry in entries} == {State.SERVING, State.BACKLOG}


def test_a_floor_is_learnt_once_and_kept() -> None:
    box = Box()
    for second in range(120):
        box.turn(second, [free_gpu(second)])
    told = [event for record in box.records for event in record.events if event.kind == "floor"]
    assert [msgspec.json.decode(event.body, type=FloorBody).floor_w for event in told] == [60]
    box.restart(130)
    for second in range(130, 200):
        box.turn(second, [free_gpu(second)])
    assert [event for record in box.records[120:] for event in record.events if event.kind == "floor"] == []


def test_a_hang_that_draws_power_is_told_from_one_that_does_not() -> None:
    """Whatever utilisation says: this GPU does not tell it."""
    for power_w, words in ((300.0, "busy"), (120.0, "at rest")):
        box, server = Box(), placed(0)
        for second in range(40):
            hung = page(second, flow(output_tokens=5, progress=5), facts=server, running=3)
            reading = replace(gpu(second), power_w=power_w, utilization=None)
            box.turn(second, [reading], [hung])
        body = msgspec.json.decode(last_state(box, 0), type=StateBody)
        assert (State(body.state), body.note) == (State.STALLED, f"requests run, no token, the GPU is {words}")
        assert body.since_ms > NOON_MS
