"""What entries add up to by quarter hour and minute: every part of them once."""

from __future__ import annotations

from hypothesis import given, settings
from msgspec.structs import replace

from tests.store.records import NOON_MS, flow, gpu, host
from tests.store.strategies import runs_of_records
from tests.store.sums import totals
from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, State, TickRecord
from tokwatch.store.period_sums import added, sums_of, together
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import (
    MINUTE_MS,
    QUARTER_MS,
    elsewhere_quarters,
    flow_quarters,
    gpu_quarters,
    host_quarters,
    in_minutes,
    quarter_of,
)

BEFORE_MS, AFTER_MS = 0, NOON_MS * 2
HOUR_MS = 4 * QUARTER_MS


def test_an_instant_on_an_edge_ends_the_earlier_quarter() -> None:
    assert quarter_of(NOON_MS) == NOON_MS - QUARTER_MS
    assert quarter_of(NOON_MS + 1) == NOON_MS
    assert quarter_of(NOON_MS + QUARTER_MS) == NOON_MS


def test_an_entry_across_an_edge_is_split_by_time() -> None:
    entry = gpu(NOON_MS + 300)  # 700 ms before noon, 300 after
    before, after = gpu_quarters([entry], 1, 0, AFTER_MS)
    assert (before.state_ms, after.state_ms) == ({State.SERVING: 700}, {State.SERVING: 300})
    assert entry.energy_mj is not None
    assert before.energy_mj == round(entry.energy_mj * 0.7)
    assert (before.energy_mj or 0) + (after.energy_mj or 0) == entry.energy_mj
    assert (before.entries, after.entries) == (0, 1)
    assert (before.power_max_mw, after.power_max_mw) == (None, entry.power_mw)


def test_a_gap_has_energy_but_no_state() -> None:
    before, after = gpu_quarters([gpu(NOON_MS + 1000, 2000, flags=Flag.GAP.value)], 1, 0, AFTER_MS)
    assert (before.state_ms, before.observed_ms, before.gap_ms, before.measured_ms) == ({}, 0, 1000, 1000)
    assert (before.energy_mj or 0) + (after.energy_mj or 0) == 612_345 * 2


def test_energy_read_after_an_outage_goes_to_the_quarter_it_was_drawn_in() -> None:
    held = [replace(gpu(NOON_MS - ms), energy_mj=None, measured_ms=0, lost_mj=840_000) for ms in (1000, 0)]
    back = replace(gpu(NOON_MS + 1000), energy_mj=900_000, measured_ms=3000, lost_mj=-2 * 840_000)
    before, after = gpu_quarters([*held, back], 1, 0, AFTER_MS)
    assert (before.energy_mj, before.measured_ms, before.observed_ms, before.entries) == (600_000, 2000, 2000, 2)
    assert (after.energy_mj, after.measured_ms, after.observed_ms, after.entries) == (300_000, 1000, 1000, 1)
    assert (before.lost_mj, after.lost_mj) == (0, 0)


def test_what_counts_at_another_server_is_not_in_a_quarter() -> None:
    elsewhere = [flow(NOON_MS + 1000, flags=int(flag)) for flag in (Flag.PROMPT_ELSEWHERE, Flag.OUTPUT_ELSEWHERE)]
    (quarter,) = flow_quarters(elsewhere, 1, 0, AFTER_MS)
    assert (quarter.prompt_tokens, quarter.cached_tokens) == (5120, 4000)
    assert (quarter.output_tokens, quarter.finished, quarter.entries) == (1551, 20, 2)
    assert quarter.flags == Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE


def test_what_counts_at_another_server_has_quarters_of_its_own() -> None:
    entries = [flow(NOON_MS + 1000), flow(NOON_MS + 2000, flags=int(Flag.OUTPUT_ELSEWHERE))]
    (quarter,) = elsewhere_quarters(entries, 1, 0, AFTER_MS)
    assert (quarter.output_tokens, quarter.finished, quarter.entries, quarter.covered_ms) == (1551, 20, 1, 1000)
    assert (quarter.prompt_tokens, quarter.preempted, quarter.histograms) == (None, None, ())
    assert elsewhere_quarters(entries[:1], 1, 0, AFTER_MS) == []


def test_a_baseline_without_length_adds_no_time_and_counts_where_it_ends() -> None:
    (quarter,) = gpu_quarters([gpu(NOON_MS, 0, flags=Flag.BASELINE.value)], 1, 0, AFTER_MS)
    assert (quarter.quarter_ms, quarter.observed_ms, quarter.entries) == (NOON_MS - QUARTER_MS, 0, 1)


def test_idle_energy_is_what_entries_in_an_idle_state_drew() -> None:
    entries = [
        gpu(NOON_MS + 1000),
        gpu(NOON_MS + 2000, state=State.PARKED),
        gpu(NOON_MS + 3000, state=State.MISROUTED),
        gpu(NOON_MS + 4000, state=State.PARKED, flags=Flag.GAP.value),  # nobody knows what it did
    ]
    (quarter,) = gpu_quarters(entries, 1, 0, AFTER_MS)
    assert (quarter.energy_mj, quarter.idle_energy_mj) == (4 * 612_345, 2 * 612_345)
    (busy,) = gpu_quarters(entries[:1], 1, 0, AFTER_MS)
    assert busy.idle_energy_mj == 0
    (unknown,) = gpu_quarters([replace(entries[1], energy_mj=None)], 1, 0, AFTER_MS)
    assert unknown.idle_energy_mj is None


def test_a_boxs_energy_is_split_at_an_edge_with_the_time_that_it_was_measured_in() -> None:
    whole = host(NOON_MS + 1000, 4000, energy_mj=4_000_000)
    before, after = host_quarters([whole, host(NOON_MS + 2000)], 1, 0, AFTER_MS)
    assert (before.energy_mj, before.energy_ms, before.package_energy_mj) == (3_000_000, 3000, 270_000)
    assert (after.energy_mj, after.energy_ms, after.package_energy_mj, after.package_ms) == (
        1_000_000,
        1000,
        180_000,
        2000,
    )
    assert (before.entries, after.entries, after.observed_ms) == (0, 2, 2000)


def test_what_nobody_measured_stays_unknown() -> None:
    unknown = GpuEntry(1, NOON_MS, NOON_MS + 1000, None, 0, None, None, None, None, None, None, State.LOST, 0)
    (quarter,) = gpu_quarters([unknown], 1, 0, AFTER_MS)
    assert (quarter.energy_mj, quarter.power_max_mw, quarter.power_ms, quarter.util_ms) == (None, None, 0, 0)
    silent = FlowEntry(11, NOON_MS, NOON_MS + 1000, None, None, None, None, None, None, None)
    (flow_quarter,) = flow_quarters([silent], 1, 0, AFTER_MS)
    assert (flow_quarter.output_tokens, flow_quarter.covered_ms) == (None, 0)


def test_an_entry_of_more_than_an_hour_is_in_quarter_hours_and_in_no_minute() -> None:
    whole, long = gpu(NOON_MS, HOUR_MS), gpu(NOON_MS, HOUR_MS + 1)
    assert len(gpu_quarters([whole], 1, 0, AFTER_MS, MINUTE_MS)) == 60
    assert gpu_quarters([long], 1, 0, AFTER_MS, MINUTE_MS) == []
    assert [row.observed_ms for row in gpu_quarters([long], 1, 0, AFTER_MS)] == [1, *[QUARTER_MS] * 4]


def test_energy_that_was_not_read_for_more_than_an_hour_is_in_no_minute_either() -> None:
    back = replace(gpu(NOON_MS), energy_mj=9000, measured_ms=HOUR_MS + 1)
    assert gpu_quarters([back], 1, 0, AFTER_MS, MINUTE_MS) == []
    assert sum(row.energy_mj or 0 for row in gpu_quarters([back], 1, 0, AFTER_MS)) == 9000


def test_energy_of_an_entry_over_several_minutes_is_the_same_by_minutes_and_by_quarter_hours() -> None:
    # Three minutes before noon and one after share 10 mJ: by quarter hours alone noon would cut 7.5 to 2.5.
    entry = replace(gpu(NOON_MS + MINUTE_MS, 4 * MINUTE_MS), energy_mj=10)
    assert [row.energy_mj for row in gpu_quarters([entry], 1, 0, AFTER_MS, MINUTE_MS)] == [3, 3, 2, 2]
    assert [row.energy_mj for row in gpu_quarters([entry], 1, 0, AFTER_MS)] == [8, 2]


def sums(records: list[TickRecord], grain_ms: int) -> Quarters:
    return sums_of(
        [entry for each in records for entry in each.gpus],
        [entry for each in records for entry in each.flows],
        [entry for each in records for entry in each.hosts],
        run=1,
        from_ms=BEFORE_MS,
        to_ms=AFTER_MS,
        grain_ms=grain_ms,
    )


def short(records: list[TickRecord]) -> list[TickRecord]:
    """Without the entries that are too long for minutes."""
    return [
        replace(
            each,
            gpus=tuple(filter(in_minutes, each.gpus)),
            flows=tuple(filter(in_minutes, each.flows)),
            hosts=tuple(filter(in_minutes, each.hosts)),
        )
        for each in records
    ]


@given(runs_of_records())
@settings(max_examples=40, deadline=None)
def test_minutes_add_up_to_quarter_hours_and_quarter_hours_to_hours(records: list[TickRecord]) -> None:
    assert added([sums(records, MINUTE_MS)], QUARTER_MS) == sums(short(records), QUARTER_MS)
    assert added([sums(records, QUARTER_MS)], HOUR_MS) == sums(records, HOUR_MS)


@given(runs_of_records())
@settings(max_examples=40, deadline=None)
def test_rows_of_some_entries_and_rows_of_the_others_add_up_to_rows_of_all(records: list[TickRecord]) -> None:
    for grain_ms in (MINUTE_MS, QUARTER_MS):
        some, others = sums(records[::2], grain_ms), sums(records[1::2], grain_ms)
        assert added([some, others], grain_ms) == added([others, some], grain_ms) == sums(records, grain_ms)
        assert added([some], grain_ms) == some


@given(runs_of_records())
@settings(max_examples=40, deadline=None)
def test_no_grain_loses_anything(records: list[TickRecord]) -> None:
    of_gpu, of_one = ("entity", "owner"), ("entity",)
    quarters, hours = sums(records, QUARTER_MS), sums(records, HOUR_MS)
    assert totals(quarters.gpus, of_gpu) == totals(hours.gpus, of_gpu)
    assert totals(quarters.flows, of_one) == totals(hours.flows, of_one)
    assert totals(quarters.elsewhere, of_one) == totals(hours.elsewhere, of_one)
    assert totals(quarters.hosts, of_one) == totals(hours.hosts, of_one)


def test_rows_of_several_runs_stand_in_the_order_of_time() -> None:
    first, second = sums_of_run(1, NOON_MS + 1000), sums_of_run(2, NOON_MS)
    assert [(row.quarter_ms, row.run) for row in together([first, second]).gpus] == [
        (NOON_MS - QUARTER_MS, 2),
        (NOON_MS, 1),
    ]


def sums_of_run(run: int, t1_ms: int) -> Quarters:
    return sums_of([gpu(t1_ms)], [], [], run=run, from_ms=BEFORE_MS, to_ms=AFTER_MS, grain_ms=QUARTER_MS)
