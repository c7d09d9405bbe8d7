"""The simulated box, seen by the real collectors over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.demo.stopped_clock import AT, StoppedClock
from tokwatch.demo.box import DemoBox, open_demo
from tokwatch.demo.fleet import FLEET, LIVE_S
from tokwatch.ledger.placement import Method, place

MISTRAL = FLEET[-1]


@pytest.fixture
async def demo() -> AsyncIterator[DemoBox]:
    box = await open_demo(StoppedClock())
    yield box
    await box.close()


def _models(demo: DemoBox) -> list[str | None]:
    return [facts.model for facts in demo.discover().servers]


async def test_it_goes_live_at_the_second_of_the_story_and_at_the_wall_clocks_time(demo: DemoBox) -> None:
    assert demo.clock.now_s() == LIVE_S
    assert demo.clock.now().wall_ms == AT.wall_ms


async def test_a_server_that_ended_is_no_longer_known(demo: DemoBox) -> None:
    assert "Mistral-Small-24B" not in _models(demo)
    demo.clock.turn_to(round((MISTRAL.lives[1].until_s - 1) * 1e9))
    assert "Mistral-Small-24B" in _models(demo)


async def test_a_restarted_server_has_other_processes_behind_the_same_address(demo: DemoBox) -> None:
    seen = []
    for life in MISTRAL.lives:
        demo.clock.turn_to(round(life.from_s * 1e9))
        seen.append(demo.discover().servers[-1])
    assert seen[0].address == seen[1].address
    assert [facts.pids for facts in seen] == [life.pids for life in MISTRAL.lives]
    assert [facts.started_at_s for facts in seen] == [
        AT.wall_ms / 1000 - LIVE_S + life.from_s for life in MISTRAL.lives
    ]


async def test_every_server_is_placed_by_its_processes(demo: DemoBox) -> None:
    sources = demo.open_sources(1.0)
    try:
        seen = await sources.see()
    finally:
        await sources.close()
    placed = place(seen.known_servers, seen.gpus)
    by_address = {facts.address: facts.model for facts in seen.known_servers}
    assert [[by_address[address] for address in gpu.servers] for gpu in placed.gpus] == [
        *[["Qwen3-32B"]] * 4,
        ["gpt-oss-120b"],
        *[["Llama-3.1-8B"]] * 2,
        [],
    ]
    assert {gpu.method for gpu in placed.gpus[:7]} == {Method.PROCESS}
    assert (placed.unplaced, placed.unverified, placed.conflicts) == ((), (), ())


async def test_a_loading_server_is_known_but_does_not_answer(demo: DemoBox) -> None:
    demo.clock.turn_to(round((MISTRAL.lives[1].up_s - 60) * 1e9))
    collector = demo.server_collector(1.0)
    try:
        collector.set_servers(demo.discover().servers)
        await demo.clock.settled(len(FLEET))
        readings = collector.drain()
    finally:
        await collector.close()
    assert [reading.ok for reading in readings] == [True, True, True, True, False]
    assert "closed the connection" in readings[-1].problem


async def test_the_processor_of_this_machine_is_not_the_boxs(demo: DemoBox) -> None:
    sources = demo.open_sources(1.0)
    try:
        host = (await sources.see()).host
    finally:
        await sources.close()
    assert host is not None
    assert (host.at_ns, host.package_energy_uj) == (round(LIVE_S * 1e9), None)


async def test_it_says_that_nothing_is_real(demo: DemoBox) -> None:
    assert any(probe.ok and "made up" in probe.found for probe in demo.discover().probes)
