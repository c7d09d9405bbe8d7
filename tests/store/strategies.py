"""Hypothesis strategies for any record that a meter may make."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.store.records import NOON_MS, tick
from tokwatch.ledger.entries import (
    Event,
    Flag,
    FlowEntry,
    GpuEntry,
    HistogramEntry,
    HostEntry,
    ServerEntry,
    State,
    TickRecord,
)
from tokwatch.store.rollup import QUARTER_MS

counts = st.none() | st.integers(0, 2**40)
small = st.none() | st.integers(0, 2**20)
flags = st.sampled_from([0, 0, 0, Flag.BASELINE, Flag.RESET, Flag.GAP, Flag.GAP | Flag.RESET, Flag.STUCK]).map(int)
elsewhere = st.sampled_from([0, 0, Flag.PROMPT_ELSEWHERE, Flag.OUTPUT_ELSEWHERE]).map(int)


@st.composite
def histograms(draw: st.DrawFn) -> HistogramEntry:
    edges = tuple(sorted(draw(st.sets(st.floats(0, 1e6, allow_nan=False), max_size=6))))
    observed = draw(st.lists(st.integers(0, 2**33), min_size=len(edges) + 1, max_size=len(edges) + 1))
    name = draw(st.sampled_from(["ttft", "tpot", "itl", "e2e"]))
    return HistogramEntry(name, edges, tuple(observed), draw(st.integers(-(2**40), 2**60)))


@st.composite
def spans(draw: st.DrawFn, tick_ms: int) -> tuple[int, int]:
    """(t0_ms, t1_ms) of an entry of this tick: mostly a second, now and then over several quarter hours or empty."""
    length_ms = draw(
        st.sampled_from([1000, 1000, 0, 999, 60_000, QUARTER_MS, QUARTER_MS + 123_457, 5 * QUARTER_MS + 17])
    )
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
        draw(st.integers(0, t1_ms - t0_ms) | st.sampled_from([2 * QUARTER_MS, 90_000])),  # missed readings before it
        draw(small),
        draw(small),
        draw(small),
        draw(small),
        draw(small),
        draw(counts),
        draw(st.sampled_from(State)).value,
        draw(st.sampled_from([0, 9, 10])),
        draw(flags),
        draw(st.integers(-(2**40), 2**40)),
        draw(small),
        draw(small),
        draw(small),
    )


@st.composite
def flow_entries(draw: st.DrawFn, entity: int, tick_ms: int) -> FlowEntry:
    t0_ms, t1_ms = draw(spans(tick_ms))
    return FlowEntry(
        entity,
        t0_ms,
        t1_ms,
        draw(counts),
        draw(counts),
        draw(counts),
        draw(small),
        draw(small),
        draw(small),
        draw(small),
        tuple(draw(st.lists(histograms(), max_size=3))),
        draw(flags) | draw(elsewhere),
        draw(small),
        draw(small),
    )


@st.composite
def server_entries(draw: st.DrawFn, entity: int, tick_ms: int) -> ServerEntry:
    t0_ms, t1_ms = draw(spans(tick_ms))
    return ServerEntry(
        entity,
        t0_ms,
        t1_ms,
        draw(st.booleans()),
        draw(small),
        draw(small),
        draw(small),
        draw(small),
        scrape_ms=4,
        page_bytes=28_000,
        flags=draw(flags),
    )


@st.composite
def host_entries(draw: st.DrawFn, entity: int, tick_ms: int) -> HostEntry:
    t0_ms, t1_ms = draw(spans(tick_ms))
    return HostEntry(
        entity, t0_ms, t1_ms, draw(small), draw(small), draw(counts), 3, 45_000, draw(flags), draw(small), draw(counts)
    )


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
