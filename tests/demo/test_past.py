"""The demo's past, recorded through the real path: its sums are the exact ones, and the live demo goes on from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.demo.stopped_clock import StoppedClock
from tokwatch.demo.box import DemoBox, open_demo
from tokwatch.demo.fleet import FLEET, LIVE_S
from tokwatch.demo.past import simulate_past
from tokwatch.feeds.history import History
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.start import begin
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.entries import Flag, TickRecord
from tokwatch.ledger.snapshot import Snapshot

PAST_S = 600.0
FIRST_S = LIVE_S - PAST_S
LIVE_SERVERS = 4


@pytest.fixture
def real() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def demo(real: StoppedClock) -> AsyncIterator[DemoBox]:
    box = await open_demo(real)
    yield box
    await box.close()


@pytest.fixture
async def store(demo: DemoBox, tmp_path: Path) -> Path:
    """A store that holds the last ten minutes."""
    path = tmp_path / "demo.db"
    await simulate_past(demo, path, timezone="UTC", hours=PAST_S / 3600)
    return path


def _read(store: Path) -> tuple[list[TickRecord], Snapshot]:
    history = History(store)
    try:
        last_ms = history.last_tick()
        assert last_ms is not None
        return list(history.records(0, last_ms)), snapshot(history.view_at(last_ms), mode="replay")
    finally:
        history.close()


def _output_tokens(records: list[TickRecord], current: Snapshot) -> dict[str, int]:
    """By address. Flows are entities whose parent is their server."""
    parents = {entity.id: entity.parent for record in records for entity in record.entities}
    addresses = {row.entity: row.address for row in current.servers}
    sums = dict.fromkeys(addresses.values(), 0)
    for record in records:
        for flow in record.flows:
            sums[addresses[parents[flow.entity]]] += flow.output_tokens or 0
    return sums


def _true_output_tokens(demo: DemoBox, until_s: float) -> dict[str, int]:
    """What the pages counted up between the first tick and until_s; llama-server's shows six digits of it."""
    true = {}
    for server, page in list(zip(FLEET, demo.pages, strict=True))[:LIVE_SERVERS]:
        first, last = (server.load.at(t_s, 0.0) for t_s in (FIRST_S, until_s))
        if server.engine == "vllm":
            true[page.address] = last.output_tokens - first.output_tokens
        else:
            shown = [int(float(f"{at.output_tokens_finished:.6g}")) for at in (first, last)]
            true[page.address] = shown[1] - shown[0]
    return true


def _energy_mj(records: list[TickRecord], current: Snapshot) -> dict[int, int]:
    """By GPU index."""
    return {
        row.index: sum(gpu.energy_mj or 0 for record in records for gpu in record.gpus if gpu.entity == row.entity)
        for row in current.gpus
    }


def _true_energy_mj(demo: DemoBox, until_s: float) -> dict[int, int]:
    return {
        gpu.index: gpu.energy_mj_at(round(until_s * 1e9)) - gpu.energy_mj_at(round(FIRST_S * 1e9))
        for gpu in demo.scenario.gpus
    }


async def test_tokens_and_joules_are_the_exact_integrals(demo: DemoBox, store: Path) -> None:
    records, current = _read(store)
    assert _output_tokens(records, current) == _true_output_tokens(demo, LIVE_S)
    assert _energy_mj(records, current) == _true_energy_mj(demo, LIVE_S)


async def test_each_gpu_does_what_the_story_says(store: Path) -> None:
    _, current = _read(store)
    assert [row.state for row in current.gpus] == [*["serving"] * 4, "saturated", "serving", "parked", "unallocated"]
    assert [row.serves for row in current.gpus] == [
        *["Qwen3-32B tp4"] * 4,
        "gpt-oss-120b",
        *["Llama-3.1-8B"] * 2,
        "",
    ]
    assert {row.placed_by for row in current.gpus[:7]} == {"process"}


async def test_what_is_recorded_is_simulated_and_ends_at_the_live_instant(real: StoppedClock, store: Path) -> None:
    records, current = _read(store)
    assert current.kind == "simulated"
    assert current.tick_ms == real.at.wall_ms
    assert records[-1].tick.tick_ms - records[0].tick.tick_ms == PAST_S * 1000
    assert current.problems == ()


async def test_the_figures_are_those_of_a_plausible_box(store: Path) -> None:
    totals = _read(store)[1].totals
    assert totals.tok_s.value == pytest.approx(12_000, rel=0.1)
    assert totals.tok_per_j.value == pytest.approx(3.1, rel=0.1)
    assert totals.usd_per_m_output.value == pytest.approx(0.42, rel=0.1)
    assert totals.idle_usd_per_hour.value == 2 * 2.25
    assert totals.slo_met.low is not None
    assert totals.slo_met.low > 0.9


async def test_every_column_of_the_sparklines_is_filled_when_the_demo_goes_live(store: Path) -> None:
    totals = _read(store)[1].totals
    assert None not in totals.tok_s_spark[:-1]
    assert None not in totals.tok_per_j_spark[:-1]


async def test_the_live_recorder_goes_on_without_a_restart_or_a_gap(
    real: StoppedClock, demo: DemoBox, store: Path
) -> None:
    begun = begin(store, demo.identity("UTC"), demo.config, kind="simulated", started_ms=real.at.wall_ms)
    sources = demo.open_sources(1.0)
    recorder = Recorder(sources, begun.bookkeeper, begun.writer, demo.clock, interval_s=1.0)
    live = []
    try:
        for watched in (0, LIVE_SERVERS, LIVE_SERVERS):
            real.advance(1.0)
            demo.clock.turn_to(demo.clock.live_ns())
            await demo.clock.settled(watched)
            live.append(await recorder.turn())
            await demo.clock.settled(LIVE_SERVERS)
    finally:
        await sources.close()
        assert begun.writer.close(10.0)
    flags = [gpu.flags for record in live for gpu in record.gpus]
    flags += [flow.flags for record in live for flow in record.flows]
    assert not [each for each in flags if each & (Flag.RESET | Flag.BASELINE | Flag.GAP)]
    records, current = _read(store)
    assert _output_tokens(records, current) == _true_output_tokens(demo, LIVE_S + 3)
    assert _energy_mj(records, current) == _true_energy_mj(demo, LIVE_S + 3)


async def test_progress_grows_from_nothing_to_all(demo: DemoBox, tmp_path: Path) -> None:
    told: list[float] = []
    await simulate_past(demo, tmp_path / "demo.db", timezone="UTC", hours=0.05, progress=told.append)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert told == sorted(told)
