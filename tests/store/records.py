"""Records for the tests of the store: small ones by hand, and hypothesis strategies for any that a meter may make."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st
from msgspec.structs import replace

from tokwatch.ledger.entries import (
    Event,
    Flag,
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
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.writer import Writer

NOON_MS = 1_795_262_400_000  # 2026-11-21 12:00 UTC, an edge of a quarter hour
TTFT_EDGES = (0.001, 0.005, 0.01, 0.02, 0.5, 1.0, 2.5, 1000.0)

RUN = Run(0, "recorded", "dgx-03", "boot-1", "0.1.0", "UTC", NOON_MS)


def tick(tick_ms: int, run: int = 1) -> Tick:
    return Tick(tick_ms, wall_ms=tick_ms, boottime_ns=tick_ms * 1000, clock_step_ms=0, run=run)


def gpu(t1_ms: int, length_ms: int = 1000, *, entity: int = 1, state: State = State.SERVING, flags: int = 0) -> GpuEntry:
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
    assert (writer.problem, writer.dropped) == (None, 0)
    return begun.id


# --- strategies -------------------------------------------------------------------------------------------------------

counts = st.none() | st.integers(0, 2**40)
small = st.none() | st.integers(0, 2**20)
flags = st.sampled_from([0, 0, 0, Flag.BASELINE, Flag.RESET, Flag.GAP, Flag.GAP | Flag.RESET, Flag.STUCK]).map(int)


@st.composite
def histograms(draw: st.DrawFn) -> HistogramEntry:
    edges = tuple(sorted(draw(st.sets(st.floats(0, 1e6, allow_nan=False), max_size=6))))
    observed = draw(st.lists(st.integers(0, 2**33), min_size=len(edges) + 1, max_size=len(edges) + 1))
    name = draw(st.sampled_from(["ttft", "tpot", "itl", "e2e"]))
    return HistogramEntry(name, edges, tuple(observed), draw(st.integers(-(2**40), 2**60)))


@st.composite
def spans(draw: st.DrawFn, tick_ms: int) -> tuple[int, int]:
    """(t0_ms, t1_ms) of an entry of this tick: mostly a second, now and then over several quarter hours or empty."""
    length_ms = draw(st.sampled_from([1000, 1000, 0, 999, 60_000, QUARTER_MS, 5 * QUARTER_MS + 17]))
    t1_ms = tick_ms - draw(st.sampled_from([0, 0, 3, 700]))
    return t1_ms - length_ms, t1_ms


@st.composite
def gpu_entries(draw: st.DrawFn, entity: int, tick_ms: int) -> GpuEntry:
    t0_ms, t1_ms = draw(spans(tick_ms))
    return GpuEntry(
        entity,
        t0_ms,
        t1_ms,
        draw(counts),
        draw(st.integers(0, t1_ms - t0_ms)),
        draw(small),
        draw(small),
        draw(small),
        draw(small),
        draw(small),
        draw(counts),
        draw(st.sampled_from(State)).value,
        draw(st.sampled_from([0, 9, 10])),
        draw(flags),
    )


@st.composite
def flow_entries(draw: st.DrawFn, entity: int, tick_ms: int) -> FlowEntry:
    t0_ms, t1_ms = draw(spans(tick_ms))
    numbers = [draw(counts) for _ in range(7)]
    observed = tuple(draw(st.lists(histograms(), max_size=3)))
    return FlowEntry(entity, t0_ms, t1_ms, *numbers, histograms=observed, flags=draw(flags))


@st.composite
def server_entries(draw: st.DrawFn, entity: int, tick_ms: int) -> ServerEntry:
    t0_ms, t1_ms = draw(spans(tick_ms))
    gauges = [draw(small) for _ in range(4)]
    return ServerEntry(entity, t0_ms, t1_ms, draw(st.booleans()), *gauges, 4, 28_000, draw(flags))


@st.composite
def host_entries(draw: st.DrawFn, entity: int, tick_ms: int) -> HostEntry:
    t0_ms, t1_ms = draw(spans(tick_ms))
    return HostEntry(entity, t0_ms, t1_ms, draw(small), draw(small), draw(counts), 3, 45_000, draw(flags))


def events(tick_ms: int) -> st.SearchStrategy[tuple[Event, ...]]:
    texts = st.text(max_size=8)
    bodies = texts.map(lambda text: text.encode())
    event = st.builds(
        Event, st.just(tick_ms), st.integers(0, 3), st.sampled_from(["state", "alert", "settings"]), texts, bodies
    )
    unique = st.lists(event, max_size=4, unique_by=lambda each: (each.kind, each.entity, each.key))
    return unique.map(tuple)


@st.composite
def runs_of_records(draw: st.DrawFn, max_ticks: int = 8) -> list[TickRecord]:
    """Records of one run, with strictly increasing ticks around the edges of quarter hours."""
    tick_ms = NOON_MS - draw(st.integers(0, 5000))
    records = []
    for _ in range(draw(st.integers(1, max_ticks))):
        tick_ms += draw(st.sampled_from([1, 400, 1000, 1000, 1000, 60_000, QUARTER_MS, 3 * QUARTER_MS]))
        records.append(
            TickRecord(
                tick(tick_ms),
                tuple(draw(gpu_entries(entity, tick_ms)) for entity in sorted(draw(st.sets(st.integers(1, 3))))),
                tuple(draw(server_entries(entity, tick_ms)) for entity in sorted(draw(st.sets(st.integers(9, 10))))),
                tuple(draw(flow_entries(entity, tick_ms)) for entity in sorted(draw(st.sets(st.integers(11, 12))))),
                tuple(draw(host_entries(entity, tick_ms)) for entity in sorted(draw(st.sets(st.just(20))))),
                events=draw(events(tick_ms)),
            )
        )
    return records
