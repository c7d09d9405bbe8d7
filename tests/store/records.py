"""Small records for the tests of the store, and a store filled with them."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from tokwatch.ledger.entries import (
    FlowEntry,
    GpuEntry,
    HistogramEntry,
    HostEntry,
    Run,
    ServerEntry,
    State,
    Tick,
    TickRecord,
)
from tokwatch.store.writer import Writer

NOON_MS = 1_795_262_400_000  # 2026-11-21 12:00 UTC, an edge of a quarter hour
TTFT_EDGES = (0.001, 0.005, 0.01, 0.02, 0.5, 1.0, 2.5, 1000.0)

RUN = Run(0, "recorded", "dgx-03", "boot-1", "0.1.0", "UTC", NOON_MS)


def tick(tick_ms: int, run: int = 1) -> Tick:
    return Tick(tick_ms, wall_ms=tick_ms, boottime_ns=tick_ms * 1000, clock_step_ms=0, run=run)


def gpu(
    t1_ms: int, length_ms: int = 1000, *, entity: int = 1, state: State = State.SERVING, flags: int = 0
) -> GpuEntry:
    return GpuEntry(
        entity,
        t1_ms - length_ms,
        t1_ms,
        energy_mj=612_345 * length_ms // 1000,
        measured_ms=length_ms,
        power_mw=612_345,
        util_permille=870,
        memory_used_mib=71_000,
        temperature_c=61,
        sm_clock_mhz=1755,
        throttle=0,
        state=state,
        owner=9,
        flags=flags,
    )


def server(t1_ms: int, *, entity: int = 9) -> ServerEntry:
    return ServerEntry(entity, t1_ms - 1000, t1_ms, True, 12, 0, 5_100, 1551, 4, 28_000)


def flow(t1_ms: int, length_ms: int = 1000, *, entity: int = 11, flags: int = 0) -> FlowEntry:
    histogram = HistogramEntry("ttft", TTFT_EDGES, (0, 3, 12, 4, 0, 1, 0, 0, 0), 412_345)
    return FlowEntry(entity, t1_ms - length_ms, t1_ms, 5120, 4000, 1551, 20, 0, 0, 0, (histogram,), flags)


def host(t1_ms: int, length_ms: int = 1000, *, energy_mj: int | None = None, flags: int = 0) -> HostEntry:
    package_mj = 90_000 * length_ms // 1000
    return HostEntry(20, t1_ms - length_ms, t1_ms, 100, 64_000, package_mj, 3, 45_000, flags, None, energy_mj)


def record(tick_ms: int, run: int = 1, length_ms: int = 1000) -> TickRecord:
    return TickRecord(
        tick(tick_ms, run),
        gpus=(gpu(tick_ms, length_ms),),
        servers=(server(tick_ms),),
        flows=(flow(tick_ms, length_ms),),
    )


def fill(path: Path, records: list[TickRecord], run: Run = RUN) -> int:
    """Records one run into a store, stamped with the run's id, which is returned."""
    writer = Writer(path)
    writer.open()
    begun = writer.begin_run(run)
    for each in records:
        writer.submit(replace(each, tick=replace(each.tick, run=begun.id)))
    assert writer.close(10)
    assert (writer.problem, writer.dropped, writer.merged) == (None, 0, 0)
    return begun.id
