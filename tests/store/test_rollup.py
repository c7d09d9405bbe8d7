"""Quarter-hour rows are the raw rows' sums, exactly, however they came to be."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.store.records import NOON_MS, fill, flow, gpu, host, record, tick
from tests.store.strategies import runs_of_records
from tests.store.sums import check_sums, totals
from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, State, TickRecord
from tokwatch.store.connection import open_for_writing
from tokwatch.store.quarters import STATE_COLUMNS
from tokwatch.store.reader import Reader
from tokwatch.store.rollup import QUARTER_MS, elsewhere_quarters, flow_quarters, gpu_quarters, host_quarters, quarter_of
from tokwatch.store.writer import Writer

BEFORE_MS, AFTER_MS = 0, NOON_MS * 2
MINUTE_MS = 60_000


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


@given(runs_of_records())
@settings(max_examples=40, deadline=None)
def test_quarter_rows_equal_the_raw_sums_and_a_fresh_computation(records: list[TickRecord]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        run = fill(path, records)
        with Reader(path) as reader:
            quarters = reader.quarters(BEFORE_MS, AFTER_MS)
        check_sums(records, quarters)
        all_gpus = [entry for each in records for entry in each.gpus]
        all_flows = [entry for each in records for entry in each.flows]
        assert quarters.gpus == gpu_quarters(all_gpus, run, BEFORE_MS, AFTER_MS)
        assert quarters.flows == flow_quarters(all_flows, run, BEFORE_MS, AFTER_MS)
        assert quarters.elsewhere == elsewhere_quarters(all_flows, run, BEFORE_MS, AFTER_MS)
        all_hosts = [entry for each in records for entry in each.hosts]
        assert quarters.hosts == host_quarters(all_hosts, run, BEFORE_MS, AFTER_MS)


@given(runs_of_records())
@settings(max_examples=40, deadline=None)
def test_minutes_add_up_to_quarter_hours(records: list[TickRecord]) -> None:
    gpus = [entry for each in records for entry in each.gpus]
    flows = [entry for each in records for entry in each.flows]
    hosts = [entry for each in records for entry in each.hosts]
    of_gpu, of_one = ("entity", "owner"), ("entity",)
    for grain_ms in (MINUTE_MS, 4 * QUARTER_MS):
        span = (1, BEFORE_MS, AFTER_MS, grain_ms)
        assert totals(gpu_quarters(gpus, *span), of_gpu) == totals(gpu_quarters(gpus, *span[:3]), of_gpu)
        assert totals(flow_quarters(flows, *span), of_one) == totals(flow_quarters(flows, *span[:3]), of_one)
        assert totals(elsewhere_quarters(flows, *span), of_one) == totals(elsewhere_quarters(flows, *span[:3]), of_one)
        assert totals(host_quarters(hosts, *span), of_one) == totals(host_quarters(hosts, *span[:3]), of_one)


@given(runs_of_records(), st.integers(-3 * QUARTER_MS, 9 * QUARTER_MS), st.integers(0, 9 * QUARTER_MS))
@settings(max_examples=40, deadline=None)
def test_state_ms_equals_clipping_every_entry(records: list[TickRecord], offset_ms: int, length_ms: int) -> None:
    from_ms, to_ms = NOON_MS + offset_ms, NOON_MS + offset_ms + length_ms
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        half = len(records) // 2
        fill(path, records[:half])
        fill(path, records[half:])
        with Reader(path) as reader:
            for entity in (1, 2, 3):
                expected: dict[int, int] = {}
                for entry in (entry for each in records for entry in each.gpus):
                    clipped_ms = min(entry.t1_ms, to_ms) - max(entry.t0_ms, from_ms)
                    if entry.entity == entity and clipped_ms > 0 and not entry.flags & Flag.GAP:
                        expected[entry.state] = expected.get(entry.state, 0) + clipped_ms
                assert reader.state_ms(entity, from_ms, to_ms) == expected


def rolled(path: Path) -> list[tuple[int, int]]:
    connection = open_for_writing(path)
    try:
        return connection.execute("SELECT quarter_ms, rolled FROM quarter ORDER BY quarter_ms").fetchall()
    finally:
        connection.close()


def test_the_first_tick_past_an_edge_rolls_up_the_quarter_before(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS - 500), record(NOON_MS)])
    assert rolled(path) == [(NOON_MS - QUARTER_MS, 0)]  # noon itself ends the quarter: there may be more
    fill(path, [record(NOON_MS + 500)])
    assert rolled(path) == [(NOON_MS - QUARTER_MS, 1), (NOON_MS - QUARTER_MS, 1), (NOON_MS, 0)]


def test_an_entry_that_reaches_far_back_restates_quarters_rolled_up_long_ago(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    late = TickRecord(tick(NOON_MS + 2 * QUARTER_MS + 5), flows=(flow(NOON_MS + 2 * QUARTER_MS, 2 * QUARTER_MS + 1),))
    fill(path, [record(NOON_MS), record(NOON_MS + QUARTER_MS + 1), late])
    with Reader(path) as reader:
        flows = [(row.quarter_ms - NOON_MS, row.covered_ms) for row in reader.quarters(BEFORE_MS, AFTER_MS).flows]
    assert flows == [(-QUARTER_MS, 1001), (0, QUARTER_MS + 999), (QUARTER_MS, QUARTER_MS + 1)]


def test_opening_rolls_up_what_a_killed_recorder_left(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS - 500), record(NOON_MS + 500), record(NOON_MS + QUARTER_MS + 500)])
    with Reader(path) as reader:
        expected = reader.quarters(BEFORE_MS, AFTER_MS)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DELETE FROM gpu_quarter")
    connection.execute("UPDATE quarter SET rolled = 0")
    connection.close()
    writer = Writer(path)
    writer.open()
    writer.close(10)
    assert [done for _, done in rolled(path)] == [1, 1, 0]
    with Reader(path) as reader:
        assert reader.quarters(BEFORE_MS, AFTER_MS) == expected


def test_quarters_are_chosen_by_range_and_run(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    first = fill(path, [record(NOON_MS + n * QUARTER_MS + 5000) for n in range(3)])
    second = fill(path, [record(NOON_MS + 3 * QUARTER_MS + 5000)])
    with Reader(path) as reader:

        def starts(from_ms: int, to_ms: int, runs: list[int] | None = None) -> list[int]:
            return [(row.quarter_ms - NOON_MS) // QUARTER_MS for row in reader.quarters(from_ms, to_ms, runs).gpus]

        assert starts(NOON_MS, NOON_MS + QUARTER_MS) == [0]
        assert starts(NOON_MS - 1, NOON_MS + QUARTER_MS + 1) == [0, 1]
        assert starts(BEFORE_MS, AFTER_MS, [first]) == [0, 1, 2]
        assert starts(BEFORE_MS, AFTER_MS, [second]) == [3]


def test_the_view_of_what_is_counted_elsewhere_is_not_that_of_what_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    masks = int(Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE)
    seen = TickRecord(tick(NOON_MS + 1000), flows=(flow(NOON_MS + 1000, flags=masks),))
    fill(path, [seen, record(NOON_MS + QUARTER_MS + 1000)])
    connection = sqlite3.connect(path)
    tokens = "SELECT prompt_tokens, output_tokens, finished_requests"
    assert connection.execute(f"{tokens} FROM v_flow_elsewhere_quarter").fetchall() == [(5120, 1551, 20)]
    assert connection.execute(f"{tokens} FROM v_flow_quarter").fetchall() == [(None, None, None)]
    connection.close()


def test_every_state_has_a_column(tmp_path: Path) -> None:
    connection = open_for_writing(tmp_path / "store.db")
    columns = {row[1] for row in connection.execute("PRAGMA table_info(gpu_quarter)")}
    connection.close()
    assert set(STATE_COLUMNS) <= columns


def test_views_speak_iso_time_and_units(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS + 1000), record(NOON_MS + QUARTER_MS + 1000)])
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    (row,) = connection.execute("SELECT * FROM v_gpu_quarter").fetchall()
    (flows,) = connection.execute("SELECT * FROM v_flow_quarter").fetchall()
    connection.execute("SELECT * FROM v_event").fetchall()
    connection.close()
    assert (row["quarter_utc"], row["serving_s"], row["power_mean_w"]) == ("2026-11-21T12:00:00Z", 1.0, 612.345)
    assert (flows["quarter_utc"], flows["output_tokens"], flows["covered_s"]) == ("2026-11-21T12:00:00Z", 1551, 1.0)
