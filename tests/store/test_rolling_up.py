"""Minute and quarter-hour rows in the store are the sums of the entries, exactly, however they came to be."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.ledger.box import Box
from tests.ledger.readings import gpu as gpu_reading
from tests.store.records import NOON_MS, RUN, fill, flow, gpu, record, tick
from tests.store.strategies import runs_of_records
from tests.store.sums import check_sums
from tokwatch.ledger.entries import Flag, TickRecord
from tokwatch.store.connection import open_for_writing
from tokwatch.store.period_sums import sums_of, together
from tokwatch.store.quarters import STATE_COLUMNS, Quarters
from tokwatch.store.reader import Reader
from tokwatch.store.recording import Recording
from tokwatch.store.rollup import MINUTE_MS, QUARTER_MS, quarter_of
from tokwatch.store.rows import E

BEFORE_MS, AFTER_MS = 0, NOON_MS * 2
RAW_TABLES = ("gpu_raw", "server_raw", "flow_raw", "host_raw")


class Store:
    """A store that recorders write one after another, each killed at its last tick."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runs: dict[int, list[TickRecord]] = {}
        self.connection = open_for_writing(path)
        self.connection.execute("PRAGMA synchronous = OFF")

    def begin(self) -> Recording:
        recording = Recording(self.connection)
        recording.recover()
        self.runs[recording.begin_run(RUN).id] = []
        return recording

    def write(self, recording: Recording, given: TickRecord) -> None:
        written = self.next(given)
        recording.write(written)
        self.runs[written.tick.run].append(written)

    def next(self, given: TickRecord) -> TickRecord:
        return replace(given, tick=replace(given.tick, run=max(self.runs)))

    def forget_raw_rows(self) -> None:
        """As if all were sealed that may be, and gone."""
        last_ms = max((each.tick.tick_ms for records in self.runs.values() for each in records), default=0)
        before_ms = quarter_of(last_ms)
        self.connection.execute("DELETE FROM tick WHERE tick_ms <= ?", (before_ms,))
        for table in RAW_TABLES:
            self.connection.execute(f"DELETE FROM {table} WHERE id < ?", (before_ms + 1 << 20,))

    def expected(self, grain_ms: int) -> Quarters:
        """Computed anew from all that was ever written."""
        return together(
            [
                sums_of(
                    [entry for each in records for entry in each.gpus],
                    [entry for each in records for entry in each.flows],
                    [entry for each in records for entry in each.hosts],
                    run=run,
                    from_ms=BEFORE_MS,
                    to_ms=AFTER_MS,
                    grain_ms=grain_ms,
                )
                for run, records in self.runs.items()
            ]
        )

    def check(self) -> None:
        with Reader(self.path) as reader:
            assert reader.quarters(BEFORE_MS, AFTER_MS) == self.expected(QUARTER_MS)
            assert reader.minutes(BEFORE_MS, AFTER_MS) == self.expected(MINUTE_MS)


@cache
def empty_store() -> bytes:
    """A new store's file: making one takes longer than most of what is done with it here."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        open_for_writing(path).close()
        return path.read_bytes()


@contextmanager
def a_store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        path.write_bytes(empty_store())
        store = Store(path)
        try:
            yield store
        finally:
            store.connection.close()


def rolled(store: Store) -> list[tuple[int, int]]:
    return store.connection.execute(
        "SELECT (quarter_ms - ?) / ?, rolled FROM quarter ORDER BY quarter_ms, run", (NOON_MS, QUARTER_MS)
    ).fetchall()


@given(runs_of_records(), st.sets(st.integers(1, 7)), st.sets(st.integers(1, 7)))
@settings(max_examples=40, deadline=None)
def test_rows_are_those_of_a_fresh_computation_whoever_was_killed_and_whatever_is_sealed(
    records: list[TickRecord], killed_before: set[int], sealed_before: set[int]
) -> None:
    with a_store() as store:
        recording = store.begin()
        for number, each in enumerate(records):
            if number in killed_before:
                recording = store.begin()
            if number in sealed_before:
                store.forget_raw_rows()
            store.write(recording, each)
        store.check()
        with Reader(store.path) as reader:
            check_sums(records, reader.quarters(BEFORE_MS, AFTER_MS))


@given(runs_of_records(max_ticks=5))
@settings(max_examples=20, deadline=None)
def test_rows_are_right_after_every_tick(records: list[TickRecord]) -> None:
    with a_store() as store:
        recording = store.begin()
        for each in records:
            store.write(recording, each)
            store.check()


BREAKABLE = ("gpu_minute", "flow_minute", "minute_due", "gpu_quarter", "flow_quarter", "host_quarter", "quarter")


@given(runs_of_records(), st.sampled_from(BREAKABLE), st.sampled_from(["INSERT", "UPDATE", "DELETE"]))
@settings(max_examples=40, deadline=None)
def test_a_tick_that_fails_and_is_written_again_counts_once(
    records: list[TickRecord], table: str, operation: str
) -> None:
    with a_store() as store:
        recording = store.begin()
        for each in records:
            store.connection.execute(
                f"CREATE TEMP TRIGGER full BEFORE {operation} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
            written = False
            with suppress(sqlite3.IntegrityError):
                store.write(recording, each)
                written = True
            store.connection.execute("DROP TRIGGER temp.full")
            if not written:
                store.write(recording, each)
        store.check()


@given(runs_of_records())
@settings(max_examples=15, deadline=None)
def test_an_import_is_rolled_up_to_its_end(records: list[TickRecord]) -> None:
    with a_store() as store:
        recorder = Recording(store.connection)
        imported = replace(RUN, kind="imported", source="sha256:5f3a")
        past = [moved(each, -400 * 86_400_000) for each in records]
        assert recorder.write_import(imported, past)
        store.runs[1] = past
        store.check()
        assert {done for _, done in rolled(store)} <= {1}
        assert store.connection.execute("SELECT count(*) FROM minute_due").fetchone() == (0,)
        store.connection.execute("DELETE FROM tick")  # nothing is computed from what was imported any more
        store.check()


def moved(given: TickRecord, by_ms: int) -> TickRecord:
    def entries(of: tuple[E, ...]) -> tuple[E, ...]:
        return tuple(replace(each, t0_ms=each.t0_ms + by_ms, t1_ms=each.t1_ms + by_ms) for each in of)

    return TickRecord(
        tick(given.tick.tick_ms + by_ms),
        entries(given.gpus),
        entries(given.servers),
        entries(given.flows),
        entries(given.hosts),
    )


def test_the_first_tick_past_an_edge_rolls_up_what_it_ends() -> None:
    with a_store() as store:
        recording = store.begin()
        for at_ms in (-500, 0):  # noon itself ends the quarter: there may be more
            store.write(recording, record(NOON_MS + at_ms))
        assert rolled(store) == [(-1, 0)]
        store.write(recording, record(NOON_MS + 500))
        assert rolled(store) == [(-1, 1), (0, 0)]
        minutes = "SELECT (minute_ms - ?) / 60000, entries FROM gpu_minute ORDER BY minute_ms"
        assert store.connection.execute(minutes, (NOON_MS,)).fetchall() == [(-1, 2)]
        store.write(recording, record(NOON_MS + 2 * MINUTE_MS + 500))
        assert store.connection.execute(minutes, (NOON_MS,)).fetchall() == [(-1, 2), (0, 1), (1, 0)]


def test_the_next_recorder_rolls_up_what_a_killed_one_left() -> None:
    with a_store() as store:
        killed = store.begin()
        for at_ms in (NOON_MS - 500, NOON_MS + 500, NOON_MS + MINUTE_MS + 500):
            store.write(killed, record(at_ms))
        assert rolled(store) == [(-1, 1), (0, 0)]
        store.begin()
        assert rolled(store) == [(-1, 1), (0, 1)]
        assert store.connection.execute("SELECT count(*) FROM minute_due").fetchone() == (0,)
        store.check()


def test_opening_a_store_again_changes_no_row() -> None:
    with a_store() as store:
        recording = store.begin()
        for number in range(40):
            store.write(recording, record(NOON_MS + number * MINUTE_MS + 500))
        store.begin()
        before = list(store.connection.iterdump())
        for _ in range(2):
            Recording(store.connection).recover()
        assert list(store.connection.iterdump()) == before
        store.begin()
        store.check()


def test_an_entry_that_reaches_far_back_is_added_to_quarters_whose_raw_rows_are_gone() -> None:
    with a_store() as store:
        recording = store.begin()
        store.write(recording, record(NOON_MS))
        store.write(recording, record(NOON_MS + QUARTER_MS + 1))
        store.forget_raw_rows()
        late = TickRecord(
            tick(NOON_MS + 2 * QUARTER_MS + 5), flows=(flow(NOON_MS + 2 * QUARTER_MS, 2 * QUARTER_MS + 1),)
        )
        store.write(recording, late)
        with Reader(store.path) as reader:
            flows = [(row.quarter_ms - NOON_MS, row.covered_ms) for row in reader.quarters(BEFORE_MS, AFTER_MS).flows]
        assert flows == [(-QUARTER_MS, 1001), (0, QUARTER_MS + 999), (QUARTER_MS, QUARTER_MS + 1)]
        store.check()


def test_a_run_that_goes_on_after_another_process_took_it_to_be_over_is_still_right() -> None:
    with a_store() as store:
        recording = store.begin()
        for at_ms in (500, 1500, MINUTE_MS + 500):
            store.write(recording, record(NOON_MS + at_ms))
        Recording(store.connection).begin_run(RUN)
        for at_ms in (MINUTE_MS + 1500, 2 * MINUTE_MS + 500, QUARTER_MS + 500):
            store.write(recording, record(NOON_MS + at_ms))
        store.check()


@pytest.mark.parametrize("jump_ms", [3_600_000, -3_600_000])
def test_a_wall_clock_that_jumps_an_hour_makes_no_time_and_loses_none(jump_ms: int) -> None:
    box = Box()
    for second in range(0, 300, 10):
        box.wall_behind_ms = -jump_ms if second >= 100 else 0
        box.turn(second, [gpu_reading(second)])
    with a_store() as store:
        recording = store.begin()
        for each in box.records:
            store.write(recording, each)
        store.check()
        with Reader(store.path) as reader:
            minutes, quarters = reader.minutes(BEFORE_MS, AFTER_MS), reader.quarters(BEFORE_MS, AFTER_MS)
    for rows in (minutes.gpus, quarters.gpus):
        assert sum(row.observed_ms + row.gap_ms for row in rows) == 290_000
        assert all(row.observed_ms >= 0 and row.gap_ms >= 0 and (row.energy_mj or 0) >= 0 for row in rows)


@given(runs_of_records(), st.integers(-3 * QUARTER_MS, 9 * QUARTER_MS), st.integers(0, 9 * QUARTER_MS))
@settings(max_examples=25, deadline=None)
def test_state_ms_equals_clipping_every_entry(records: list[TickRecord], offset_ms: int, length_ms: int) -> None:
    from_ms, to_ms = NOON_MS + offset_ms, NOON_MS + offset_ms + length_ms
    with a_store() as store:
        half = len(records) // 2
        for some in (records[:half], records[half:]):
            recording = store.begin()
            for each in some:
                store.write(recording, each)
        with Reader(store.path) as reader:
            for entity in (1, 2, 3):
                assert reader.state_ms(entity, from_ms, to_ms) == clipped(records, entity, from_ms, to_ms)


@given(
    st.lists(st.sampled_from([1000, 1000, 59_000, 60_000, 5 * MINUTE_MS]), min_size=5, max_size=40),
    st.integers(0, 39),
    st.integers(-QUARTER_MS, 90 * MINUTE_MS),
)
@settings(max_examples=40, deadline=None)
def test_state_ms_as_of_a_tick_knows_nothing_of_later_ones(lengths: list[int], known: int, offset_ms: int) -> None:
    at_ms, records = NOON_MS, []
    for length_ms in lengths:
        at_ms += length_ms
        records.append(record(at_ms, length_ms=length_ms))
    known = min(known, len(records) - 1)
    as_of_ms = records[known].tick.tick_ms
    with a_store() as store:
        recording = store.begin()
        for each in records:
            store.write(recording, each)
        with Reader(store.path) as reader:
            found = reader.state_ms(1, NOON_MS + offset_ms, as_of_ms, as_of_ms=as_of_ms)
    assert found == clipped(records[: known + 1], 1, NOON_MS + offset_ms, as_of_ms)


def clipped(records: list[TickRecord], entity: int, from_ms: int, to_ms: int) -> dict[int, int]:
    """Milliseconds in each state within (from_ms, to_ms], entry by entry."""
    found: dict[int, int] = {}
    for entry in (entry for each in records for entry in each.gpus):
        clipped_ms = min(entry.t1_ms, to_ms) - max(entry.t0_ms, from_ms)
        if entry.entity == entity and clipped_ms > 0 and not entry.flags & Flag.GAP:
            found[entry.state] = found.get(entry.state, 0) + clipped_ms
    return found


def test_state_ms_of_whole_minutes_outlives_the_entries() -> None:
    with a_store() as store:
        recording = store.begin()
        for number in range(1, 60):
            store.write(
                recording,
                TickRecord(tick(NOON_MS + number * MINUTE_MS), gpus=(gpu(NOON_MS + number * MINUTE_MS, MINUTE_MS),)),
            )
        store.forget_raw_rows()
        with Reader(store.path) as reader:
            spent = reader.state_ms(1, NOON_MS + 5 * MINUTE_MS, NOON_MS + 37 * MINUTE_MS + 1000)
        assert spent == {4: 32 * MINUTE_MS}  # the last second is in no whole minute


def test_quarters_and_minutes_are_chosen_by_range_and_run(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    first = fill(path, [record(NOON_MS + n * QUARTER_MS + 5000) for n in range(3)])
    second = fill(path, [record(NOON_MS + 3 * QUARTER_MS + 5000)])
    with Reader(path) as reader:

        def starts(from_ms: int, to_ms: int, runs: list[int] | None = None) -> list[int]:
            minutes = [row.quarter_ms for row in reader.minutes(from_ms, to_ms, runs).gpus]
            quarters = [row.quarter_ms for row in reader.quarters(from_ms, to_ms, runs).gpus]
            assert minutes == quarters  # every tick here is in the first minute of its quarter hour
            return [(start_ms - NOON_MS) // QUARTER_MS for start_ms in quarters]

        assert starts(NOON_MS, NOON_MS + QUARTER_MS) == [0]
        assert starts(NOON_MS - 1, NOON_MS + QUARTER_MS + 1) == [0, 1]
        assert starts(BEFORE_MS, AFTER_MS, [first]) == [0, 1, 2]
        assert starts(BEFORE_MS, AFTER_MS, [second]) == [3]
        assert [
            len(reader.quarters(BEFORE_MS, AFTER_MS, traffic=with_flows).flows) for with_flows in (True, False)
        ] == [4, 0]
        assert [len(reader.minutes(BEFORE_MS, AFTER_MS, traffic=with_flows).flows) for with_flows in (True, False)] == [
            4,
            0,
        ]


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


@pytest.mark.parametrize("table", ["gpu_minute", "gpu_quarter"])
def test_every_state_has_a_column(table: str, tmp_path: Path) -> None:
    connection = open_for_writing(tmp_path / "store.db")
    columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    connection.close()
    assert set(STATE_COLUMNS) <= columns


def test_views_speak_iso_time_and_units(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS + 1000), record(NOON_MS + QUARTER_MS + 1000)])
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    (row,) = connection.execute("SELECT * FROM v_gpu_quarter").fetchall()
    (minute,) = connection.execute("SELECT * FROM v_gpu_minute").fetchall()
    (flows,) = connection.execute("SELECT * FROM v_flow_quarter").fetchall()
    connection.execute("SELECT * FROM v_event").fetchall()
    connection.close()
    assert (row["quarter_utc"], row["serving_s"], row["power_mean_w"]) == ("2026-11-21T12:00:00Z", 1.0, 612.345)
    assert (minute["minute_utc"], minute["serving_s"]) == ("2026-11-21T12:00:00Z", 1.0)
    assert (flows["quarter_utc"], flows["output_tokens"], flows["covered_s"]) == ("2026-11-21T12:00:00Z", 1551, 1.0)
