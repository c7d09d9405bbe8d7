"""Running totals: they are the sums of what the store holds, whatever came in which order of gaps and unknowns."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.ledger.box import Box, serve
from tests.ledger.readings import gpu
from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, State, Tick, TickRecord
from tokwatch.ledger.fleet.report import FlowReport
from tokwatch.ledger.fleet.running_totals import GpuTotals, RunningTotals
from tokwatch.store.rollup import elsewhere_quarters, flow_quarters, gpu_quarters

NOON_MS = 1_795_262_400_000
COUNTS = ("prompt_tokens", "cached_tokens", "output_tokens", "finished", "failed", "aborted")

counts = st.none() | st.integers(0, 10**9)
flags = st.sampled_from([0, Flag.GAP.value, Flag.BASELINE.value])
elsewhere = st.sampled_from(
    [0, Flag.PROMPT_ELSEWHERE.value, Flag.OUTPUT_ELSEWHERE.value, (Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE).value]
)


def _flow(draw: st.DrawFn, entity: int, t0_ms: int, t1_ms: int) -> FlowEntry:
    blank = FlowEntry(entity, t0_ms, t1_ms, None, None, None, None, None, None, None, flags=draw(elsewhere))
    return structs.replace(blank, **{name: draw(counts) for name in COUNTS})


@st.composite
def runs(draw: st.DrawFn) -> list[TickRecord]:
    """Ticks of two GPUs and two flows, from 0 to 5000 s apart."""
    records, at_ms = [], NOON_MS
    for number in range(draw(st.integers(1, 6))):
        t0_ms, at_ms = at_ms, at_ms + draw(st.integers(0, 5_000_000))
        gpus = tuple(
            GpuEntry(
                *(entity, t0_ms, at_ms, energy_mj := draw(counts), 0 if energy_mj is None else at_ms - t0_ms),
                *(None,) * 6,
                draw(st.sampled_from([State.SERVING, State.PARKED, State.MISROUTED])),
                0,
                draw(flags),
            )
            for entity in (2, 3)
        )
        flows = tuple(_flow(draw, entity, t0_ms, at_ms) for entity in (5, 6))
        records.append(TickRecord(Tick(NOON_MS + number, at_ms, number * 10**9, 0, 1), gpus=gpus, flows=flows))
    return records


def totals_of(records: Sequence[TickRecord]) -> RunningTotals:
    totals = RunningTotals()
    for record in records:
        totals.add(record)
    return totals


def added(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


@given(runs())
def test_a_gpus_totals_are_the_sums_of_its_quarter_hours(records: list[TickRecord]) -> None:
    totals = totals_of(records)
    rows = gpu_quarters((entry for record in records for entry in record.gpus), 1, 0, 2**60)
    for entity in (2, 3):
        own = [row for row in rows if row.entity == entity]
        states: dict[int, int] = {}
        for row in own:
            for state, ms in row.state_ms.items():
                states[state] = states.get(state, 0) + ms
        assert totals.gpus[entity] == GpuTotals(
            added([row.energy_mj for row in own]),
            added([row.idle_energy_mj for row in own]),
            sum(row.measured_ms for row in own),
            tuple(sorted(states.items())),
        )


@given(runs())
def test_a_flows_totals_are_the_sums_of_its_quarter_hours_and_of_what_is_counted_elsewhere(
    records: list[TickRecord],
) -> None:
    totals = totals_of(records)
    entries = [entry for record in records for entry in record.flows]
    here, there = flow_quarters(entries, 1, 0, 2**60), elsewhere_quarters(entries, 1, 0, 2**60)
    for entity in (5, 6):
        for name in COUNTS:
            own = added([getattr(row, name) for row in here if row.entity == entity])
            assert getattr(totals.counted[entity], name) == own
            assert getattr(totals.flows[entity], name) == added(
                [own, *(getattr(row, name) for row in there if row.entity == entity)]
            )


@given(runs(), st.integers(0, 6))
def test_counters_never_fall(records: list[TickRecord], cut: int) -> None:
    before, after = totals_of(records[:cut]), totals_of(records)
    for entity, flow in before.flows.items():
        for name in COUNTS:
            assert (getattr(flow, name) or 0) <= (getattr(after.flows[entity], name) or 0)
    for entity, one in before.gpus.items():
        assert (one.energy_mj or 0) <= (after.gpus[entity].energy_mj or 0)
        assert one.observed_ms <= after.gpus[entity].observed_ms


def test_what_was_forgotten_begins_at_zero_when_it_comes_back() -> None:
    box = serve(Box(), range(5))
    totals = totals_of(box.records)
    [flow] = totals.flows
    totals.keep(gpus=[], flows=[])
    assert (totals.gpus, totals.flows, totals.counted) == ({}, {}, {})
    totals.add(serve(box, range(5, 6)).records[-1])
    assert totals.flows[flow] == FlowReport(1000, 3000, 1000, 1200)


def test_time_is_watched_by_the_boot_clock_from_the_first_tick_on() -> None:
    box = Box()
    totals = RunningTotals()
    assert totals.watched_ms == 0
    totals.add(box.turn(0, [gpu(0)]))
    box.wall_behind_ms = 3_600_000  # somebody set the clock back
    totals.add(box.turn(2.5, [gpu(2.5)]))
    assert (totals.watched_ms, totals.ticks) == (2500, 2)


def test_totals_since_a_tick_leave_its_own_record_out() -> None:
    box = serve(Box(), range(4))
    since = box.records[1]
    totals = RunningTotals(since.tick)
    for record in box.records[2:]:
        totals.add(record)
    assert totals.watched_ms == 2000
    assert totals.gpus[since.gpus[0].entity].energy_mj == 600_000
