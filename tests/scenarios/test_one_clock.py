"""The harness itself: stub, pages and ticks are of one instant, and a scenario runs the same every time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.scenarios.box import ScriptedBox
from tokwatch.ledger.entries import TickRecord
from tokwatch.store.reader import Reader


async def test_energy_and_tokens_of_a_tick_are_of_the_same_second(box: ScriptedBox) -> None:
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 20, tok_s=500, power_w=400)
    server.serves(20, 40, tok_s=1000, power_w=600)
    now = await box.at(40)
    ticks = now.records[1:]
    assert [record.gpus[0].energy_mj for record in ticks] == [400_000] * 20 + [600_000] * 20
    assert [record.flows[0].output_tokens for record in ticks] == [500] * 20 + [1000] * 20
    assert {record.gpus[0].t1_ms - record.gpus[0].t0_ms for record in ticks} == {1000}


def test_a_scenario_runs_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir()
    second.mkdir()
    for one, other in zip(asyncio.run(eventful(first)), asyncio.run(eventful(second)), strict=True):
        assert one == other


async def eventful(folder: Path) -> list[TickRecord]:
    """A restart of a server and of the recorder: what was recorded, but for what it cost this machine."""
    box = ScriptedBox(folder)
    gpu = box.gpu()
    server = box.server("org/big", gpu, declared=False)
    server.process(-3600, until_s=50)
    server.process(60, up_s=80, pid=101)
    server.serves(0, 90, tok_s=500)
    await box.at(70)
    await box.stop_recorder()
    box.clock.jump(5)
    now = await box.at(120)
    await box.close()
    return [_comparable(record, server.address) for record in now.records]


def _comparable(record: TickRecord, address: str) -> TickRecord:
    servers = tuple(replace(entry, scrape_ms=0) for entry in record.servers)
    entities = tuple(replace(entity, key=entity.key.replace(address, "")) for entity in record.entities)
    events = tuple(
        replace(event, key=event.key.replace(address, ""), body=event.body.replace(address.encode(), b""))
        for event in record.events
    )
    return replace(record, servers=servers, entities=entities, events=events, absolutes=())


async def test_what_was_told_is_what_is_in_the_store(box: ScriptedBox) -> None:
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 30, tok_s=500)
    now = await box.at(120)
    await box.stop_recorder()
    with Reader(box.store) as reader:
        stored = [event for record in reader.records(None, 0, box.wall_ms(120)) for event in record.events]
    assert stored == [event for record in now.records for event in record.events]


async def test_a_script_that_the_stub_does_not_understand_is_a_failure(box: ScriptedBox) -> None:
    box.gpu().says("frobnicate")
    with pytest.raises(ValueError, match="makes no sense"):
        await box.at(1)
