"""Sealing: raw rows become chunks, and a reader sees no difference, whenever it comes to pass or is cut short."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.store.records import NOON_MS, RUN, fill, record, tick
from tests.store.strategies import runs_of_records
from tests.store.sums import check_sums
from tokwatch.ledger.entries import Run, State, TickRecord
from tokwatch.ledger.strip import Strip
from tokwatch.store.columns import pack
from tokwatch.store.connection import open_for_writing
from tokwatch.store.errors import StoreError
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.reader import Reader
from tokwatch.store.retention import DAY_MS, HOUR_MS, Retention
from tokwatch.store.rolling_up import RollUps
from tokwatch.store.schema import TICK_LIMIT_MS
from tokwatch.store.sealed import WINDOW_MS
from tokwatch.store.sealing import TICKS_AT_MOST, Sealing, seal_all
from tokwatch.store.writer import Writer

RAW_TABLES = ("tick", "gpu_raw", "server_raw", "flow_raw", "host_raw")
LATER_MS = TICK_LIMIT_MS


def sealed(path: Path, then: Callable[[sqlite3.Connection], Any] = seal_all) -> None:
    connection = open_for_writing(path)
    close_all_periods(connection)
    then(connection)
    connection.close()


def close_all_periods(connection: sqlite3.Connection) -> None:
    """As the next run does."""
    connection.execute("BEGIN")
    RollUps(connection, HistogramCodec(connection)).close()
    connection.execute("COMMIT")


def rows_left(path: Path) -> int:
    connection = sqlite3.connect(path)
    left = sum(int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in RAW_TABLES)
    connection.close()
    return left


def strips(states: Iterable[tuple[int, int, int, int, int]]) -> dict[int, list[tuple[int, int, State]]]:
    """What is drawn of the states of each GPU."""
    found: dict[int, Strip] = {}
    last_ms = 0
    for gpu, t0_ms, t1_ms, state, flags in states:
        found.setdefault(gpu, Strip()).add(t0_ms, t1_ms, state, flags)
        last_ms = max(last_ms, t1_ms)
    return {gpu: strip.spans(last_ms) for gpu, strip in found.items()}


def answers(path: Path, runs: list[int] | None, from_ms: int, to_ms: int) -> list[Any]:
    """Everything that a reader says of ticks."""
    with Reader(path) as reader:
        return [
            list(reader.records(runs, from_ms, to_ms)),
            strips(reader.gpu_states(runs, from_ms, to_ms)),
            [
                reader.state_ms(gpu, from_ms, to_ms, runs, as_of_ms=as_of)
                for gpu in (1, 2, 3)
                for as_of in (None, to_ms)
            ],
            reader.events(from_ms, to_ms, runs=runs),
            reader.last_events(to_ms, runs=runs),
            [reader.tick_after(runs, at_ms) for at_ms in (0, from_ms, to_ms)],
            [reader.last_tick(runs, at_ms) for at_ms in (None, from_ms, to_ms)],
        ]


@given(runs_of_records(), runs_of_records(), st.integers(-WINDOW_MS, 4 * HOUR_MS), st.integers(0, 4 * HOUR_MS))
@settings(max_examples=20, deadline=None)
def test_a_reader_says_the_same_of_raw_rows_and_of_sealed_ones(
    records: list[TickRecord], imported: list[TickRecord], offset_ms: int, length_ms: int
) -> None:
    from_ms = NOON_MS + offset_ms
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "store.db"
        fill(path, records)
        writer = Writer(path)
        writer.open()
        writer.write_import(Run(0, "imported", "dgx-04", "", "0.1.0", "UTC", NOON_MS, "digest"), imported)
        writer.close(10)
        asked = [(runs, from_ms, from_ms + length_ms) for runs in (None, [1], [2], [1, 2], [])]
        before = [answers(path, *question) for question in asked]
        sealed(path)
        assert rows_left(path) == 0
        assert [answers(path, *question) for question in asked] == before


def test_what_is_read_back_is_what_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    records = [record(NOON_MS + second * 1000) for second in range(1, 1500)]
    fill(path, records)
    sealed(path)
    with Reader(path) as reader:
        assert list(reader.records([1], 0, LATER_MS)) == records


def test_some_entities_are_read_the_same_raw_and_sealed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    records = [record(NOON_MS + second * 1000) for second in range(1, 700)]
    fill(path, records)
    wanted = (records[0].servers[0].entity, records[0].flows[0].entity)

    def some() -> list[TickRecord]:
        with Reader(path) as reader:
            return list(reader.records([1], 0, LATER_MS, wanted))

    raw = some()
    assert [each.servers[:1] for each in raw] == [each.servers[:1] for each in records]
    assert all(not each.gpus and len(each.flows) == 1 for each in raw)
    sealed(path)
    assert some() == raw


def test_only_windows_that_are_old_throughout_are_sealed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS + minute * 60_000) for minute in range(60)])
    now_ms = NOON_MS + HOUR_MS + 3 * WINDOW_MS + 1000

    def step_by_step(connection: sqlite3.Connection) -> None:
        sealing = Sealing(connection, HOUR_MS)
        while sealing.step(now_ms):
            pass

    sealed(path, step_by_step)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT min(tick_ms) FROM tick").fetchone() == (NOON_MS + 3 * WINDOW_MS,)
    assert connection.execute("SELECT max(last_ms) FROM tick_chunk").fetchone() == (NOON_MS + 29 * 60_000,)
    connection.close()


def test_what_no_sum_speaks_for_yet_is_not_sealed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS + 1000)])
    connection = open_for_writing(path)
    seal_all(connection)
    assert connection.execute("SELECT count(*) FROM tick").fetchone() == (1,)
    connection.close()


def test_each_step_stops_when_its_time_is_over_and_does_one_thing_at_least(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS + second * 1000) for second in range(600)])
    now_s = 0.0

    def slow_clock() -> float:
        nonlocal now_s
        now_s += 1.0  # every look at the clock: each piece of work takes longer than a step may
        return now_s

    def one_thing_a_step(connection: sqlite3.Connection) -> None:
        sealing = Sealing(connection, 0, clock_s=slow_clock)
        steps = 0
        while sealing.step(LATER_MS):
            steps += 1
        assert steps == 3 + 1 + 4 * 10  # three entities, the ticks, ten minutes of four tables

    sealed(path, one_thing_a_step)
    assert rows_left(path) == 0


TWO_WINDOWS = [record(NOON_MS + place * 20_000) for place in range(60)]


@pytest.fixture(scope="module")
def two_windows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("two") / "store.db"
    fill(path, TWO_WINDOWS)
    return path


@pytest.mark.parametrize("pieces", range(0, 90, 2))
def test_a_sealing_that_is_cut_short_is_taken_up_again_without_loss(
    tmp_path: Path, two_windows: Path, pieces: int
) -> None:
    path, records = tmp_path / "store.db", TWO_WINDOWS
    shutil.copy(two_windows, path)

    def some(connection: sqlite3.Connection) -> None:
        sealing = Sealing(connection, 0, clock_s=iter(range(10**6)).__next__)
        for _ in range(pieces):
            sealing.step(LATER_MS)

    sealed(path, some)
    with Reader(path) as reader:
        assert list(reader.records(None, 0, LATER_MS)) == records
    sealed(path)
    assert rows_left(path) == 0
    with Reader(path) as reader:
        assert list(reader.records(None, 0, LATER_MS)) == records


def test_a_clock_that_was_set_back_leaves_chunks_of_a_bounded_length(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    records = [record(NOON_MS + 2000 + place) for place in range(3 * TICKS_AT_MOST)]
    fill(path, records)
    sealed(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT max(ticks), count(*) FROM tick_chunk").fetchone() == (TICKS_AT_MOST, 3)
    connection.close()
    with Reader(path) as reader:
        assert list(reader.records(None, 0, LATER_MS)) == records


def test_an_import_into_minutes_that_are_being_let_go_stays(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS + second * 1000) for second in range(60)])

    def all_but_the_letting_go(connection: sqlite3.Connection) -> None:
        sealing = Sealing(connection, 0, clock_s=iter(range(10**6)).__next__)
        for _ in range(4):
            sealing.step(LATER_MS)

    sealed(path, all_but_the_letting_go)
    writer = Writer(path)
    writer.open()
    late = [record(NOON_MS + second * 1000 + 500) for second in range(60)]
    writer.write_import(Run(0, "imported", "dgx-04", "", "0.1.0", "UTC", NOON_MS, "digest"), late)
    writer.close(10)
    sealed(path)
    assert rows_left(path) == 0
    with Reader(path) as reader:
        assert len(list(reader.records([1], 0, LATER_MS))) == len(list(reader.records([2], 0, LATER_MS))) == 60


@pytest.mark.parametrize("pieces", range(10))
def test_an_import_into_minutes_that_are_being_sealed_is_sealed_whole(tmp_path: Path, pieces: int) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS + second * 1000) for second in range(60)])
    connection = open_for_writing(path)
    close_all_periods(connection)
    sealing = Sealing(connection, 0, clock_s=iter(range(10**6)).__next__)
    for _ in range(pieces):
        sealing.step(LATER_MS)
    writer = Writer(path)
    writer.open()
    # Of one more GPU, and so many that the window is cut.
    entries = [record(NOON_MS + 30_500 + place) for place in range(TICKS_AT_MOST)]
    late = [replace(each, gpus=(replace(each.gpus[0], entity=2),)) for each in entries]
    writer.write_import(Run(0, "imported", "dgx-04", "", "0.1.0", "UTC", NOON_MS, "digest"), late)
    writer.close(10)
    while sealing.step(LATER_MS):
        pass
    connection.close()
    sealed(path)
    assert rows_left(path) == 0
    with Reader(path) as reader:
        records = list(reader.records(None, 0, LATER_MS))
        assert len(records) == 60 + TICKS_AT_MOST
        assert all(each.gpus and each.servers and each.flows for each in records)
        check_sums(records, reader.quarters(0, LATER_MS))


def test_ticks_go_on_while_older_ones_are_sealed_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    writer = Writer(path, retention=Retention(HOUR_MS, 30 * DAY_MS, 90 * DAY_MS))
    writer.open()
    run = writer.begin_run(RUN).id
    records = [record(NOON_MS + at_ms, run) for at_ms in range(0, 4 * HOUR_MS, 10_000)]
    for each in records:
        writer.submit(each)
    assert writer.close(20)
    with Reader(path) as reader:
        assert list(reader.records(None, 0, LATER_MS)) == records
    connection = sqlite3.connect(path)
    (oldest_raw_ms,) = connection.execute("SELECT min(tick_ms) FROM tick").fetchone()
    connection.close()
    assert NOON_MS + 3 * HOUR_MS - WINDOW_MS <= oldest_raw_ms <= NOON_MS + 3 * HOUR_MS


@pytest.mark.parametrize("table", ["tick_chunk", "gpu_chunk"])
def test_a_chunk_without_times_is_damage_too(tmp_path: Path, table: str) -> None:
    path = tmp_path / "store.db"
    fill(path, [record(NOON_MS + 1000)])
    sealed(path)
    connection = sqlite3.connect(path)
    (layout,) = connection.execute(
        "SELECT json_array_length(columns) FROM chunk_layout WHERE kind = ?", (table.partition("_")[0],)
    ).fetchone()
    with connection:
        connection.execute(f"UPDATE {table} SET body = ?", (pack([[None]] * layout),))
    connection.close()
    with Reader(path) as reader, pytest.raises(StoreError, match="no time"):
        list(reader.records(None, 0, LATER_MS))


def test_damage_is_told_and_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    fill(path, [replace(record(NOON_MS + 1000), tick=tick(NOON_MS + 1000))])
    sealed(path)
    for change in (
        "UPDATE gpu_chunk SET body = x'00'",
        "UPDATE gpu_chunk SET entries = 7",
        "UPDATE gpu_chunk SET layout = 99",
        "UPDATE chunk_layout SET columns = '{}' WHERE kind = 'gpu'",
        "UPDATE tick_chunk SET ticks = 2",
        "UPDATE tick_chunk SET last_ms = last_ms + 1",
    ):
        connection = sqlite3.connect(path)
        connection.execute("BEGIN")
        connection.execute(change)
        damaged = tmp_path / "damaged.db"
        connection.execute("COMMIT")
        copy = sqlite3.connect(damaged)
        connection.backup(copy)
        connection.close()
        copy.close()
        with Reader(damaged) as reader, pytest.raises(StoreError, match=r"doctor --store|layout"):
            list(reader.records(None, 0, LATER_MS))
        damaged.unlink()
