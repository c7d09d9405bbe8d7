"""A store of an earlier version is brought forward with all that is in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.records import NOON_MS, RUN, gpu, record, tick
from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, HostEntry, State, TickRecord
from tokwatch.store import schema
from tokwatch.store.connection import open_for_writing
from tokwatch.store.errors import StoreError
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.period_sums import sums_of
from tokwatch.store.quarters import Quarters
from tokwatch.store.reader import Reader
from tokwatch.store.rollup import MINUTE_MS, QUARTER_MS
from tokwatch.store.rows import FLOW_ROWS, GPU_ROWS, insert_tick
from tokwatch.store.writer import Writer

TICK_MS = NOON_MS + 1000
LAST_TICKS = [record(NOON_MS + at_ms, length_ms=20_000) for at_ms in range(20_000, 6 * 60_000 + 30_000, 20_000)]
LAST_TICKS += [record(NOON_MS + 6 * 60_000 + 30_000, length_ms=170_000)]

# As version 1 of the program wrote them: one tick, and an earlier quarter hour that is rolled up.
ROWS = (
    f"INSERT INTO run VALUES (1, 'recorded', 'dgx-03', 'boot-1', '0.1.0', 'UTC', {NOON_MS}, '')",
    f"INSERT INTO tick VALUES ({TICK_MS}, {TICK_MS}, {TICK_MS * 1000}, 0, 1, NULL)",
    f"INSERT INTO entity VALUES (1, 'gpu', 'dgx-03', 'GPU-1', 0, {NOON_MS})",
    f"""INSERT INTO gpu_raw VALUES
        (({TICK_MS} << 20) + 1, -1000, 0, 612345, 1000, 612345, 870, 71000, 61, 1755, 0, 4, 9, 0)""",
    f"INSERT INTO flow_raw VALUES (({TICK_MS} << 20) + 11, -1000, 0, 5120, 4000, 1551, 20, 0, 0, 0, NULL, 0)",
    f"INSERT INTO host_raw VALUES (({TICK_MS} << 20) + 20, -1000, 0, 100, 64000, 90000, 3, 45000, 0)",
    f"INSERT INTO quarter VALUES ({NOON_MS - QUARTER_MS}, 1, 1), ({NOON_MS}, 1, 0)",
    f"""INSERT INTO gpu_quarter VALUES ({NOON_MS - QUARTER_MS}, 1, 1, 9, 0, 0, 0, 0, 900000, 0, 0, 0, 0, 900000, 0,
        540000000, 900000, 700000, 540000000000, 900000, 783000000, 900000, 63900000000, 900000, 66, 900, 0)""",
    f"""INSERT INTO flow_quarter VALUES
        ({NOON_MS - QUARTER_MS}, 1, 11, 900000, 4608000, 3600000, 1395900, 18000, 0, 0, 0, NULL, 900, 0)""",
)


def opened(path: Path) -> Writer:
    writer = Writer(path)
    writer.open()
    return writer


def as_of_version(path: Path, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open it as an earlier program does."""
    with monkeypatch.context() as earlier:
        earlier.setattr(schema, "SCHEMA_VERSION", version)
        earlier.setattr(schema, "_STEPS", schema._STEPS[:version])
        open_for_writing(path).close()


@pytest.fixture
def first_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store as version 1 left it."""
    path = tmp_path / "store.db"
    as_of_version(path, 1, monkeypatch)
    connection = sqlite3.connect(path)
    with connection:
        for row in ROWS:
            connection.execute(row)
    connection.close()
    return path


@pytest.fixture
def second_version(first_version: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same store as version 2 left it, with a quarter hour that was parked in part."""
    as_of_version(first_version, 2, monkeypatch)
    connection = sqlite3.connect(first_version)
    with connection:
        connection.execute("UPDATE gpu_quarter SET ms_serving = 600000, ms_parked = 300000, lost_mj = 840")
        connection.execute(f"UPDATE flow_raw SET flags = {int(Flag.OUTPUT_ELSEWHERE)}")
    connection.close()
    return first_version


def test_a_reader_of_an_earlier_store_is_told_how_to_bring_it_forward(first_version: Path) -> None:
    with pytest.raises(StoreError, match=f"has schema version 1, this tokwatch reads {schema.SCHEMA_VERSION}"):
        Reader(first_version)


def test_the_rows_of_the_first_version_are_read_and_what_it_did_not_measure_is_unknown(first_version: Path) -> None:
    assert opened(first_version).close(10)
    with Reader(first_version) as reader:
        (read,) = reader.records(None, 0, NOON_MS * 2)
        gpus, flows = reader.quarters(NOON_MS - QUARTER_MS, NOON_MS).gpus, reader.quarters(0, NOON_MS).flows
    assert read == TickRecord(
        tick(TICK_MS),
        gpus=(gpu(TICK_MS),),
        flows=(FlowEntry(11, NOON_MS, TICK_MS, 5120, 4000, 1551, 20, 0, 0, 0),),
        hosts=(HostEntry(20, NOON_MS, TICK_MS, 100, 64_000, 90_000, 3, 45_000),),
    )
    assert (gpus[0].energy_mj, gpus[0].lost_mj, gpus[0].tensor_ms, gpus[0].dram_ms) == (540_000_000, 0, 0, 0)
    assert (flows[0].output_tokens, flows[0].drafted_tokens, flows[0].accepted_tokens) == (1_395_900, None, None)


def test_quarter_hours_of_the_second_version_do_not_know_their_idle_energy(second_version: Path) -> None:
    assert opened(second_version).close(10)
    with Reader(second_version) as reader:
        (old,) = reader.quarters(NOON_MS - QUARTER_MS, NOON_MS).gpus
        assert reader.quarters(NOON_MS - QUARTER_MS, NOON_MS).hosts == []
        assert reader.quarters(NOON_MS - QUARTER_MS, NOON_MS).elsewhere == []
    assert old.state_ms == {State.SERVING: 600_000, State.PARKED: 300_000}
    assert (old.energy_mj, old.lost_mj, old.idle_energy_mj) == (540_000_000, 840, None)


def test_a_quarter_hour_that_the_second_version_left_open_is_rolled_up_with_its_box(second_version: Path) -> None:
    writer = opened(second_version)
    run = writer.begin_run(RUN)
    writer.submit(record(NOON_MS + QUARTER_MS + 1, run.id))
    assert writer.close(10)
    with Reader(second_version) as reader:
        found = reader.quarters(NOON_MS, NOON_MS + 1, [1])
    assert [(row.energy_mj, row.idle_energy_mj) for row in found.gpus] == [(612_345, 0)]
    assert [(row.entity, row.prompt_tokens, row.output_tokens) for row in found.flows] == [(11, 5120, None)]
    assert [(row.entity, row.prompt_tokens, row.output_tokens) for row in found.elsewhere] == [(11, None, 1551)]
    assert [(row.package_energy_mj, row.package_ms, row.energy_mj) for row in found.hosts] == [(90_000, 1000, None)]


@pytest.fixture
def third_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that version 3 was killed in, six minutes after noon: the quarter hour of its ticks is open."""
    path = tmp_path / "store.db"
    as_of_version(path, 3, monkeypatch)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(ROWS[0])
        codec = HistogramCodec(connection)
        for each in LAST_TICKS:
            insert_tick(connection, each.tick, None)
            GPU_ROWS.insert(connection, codec, each.tick.tick_ms, each.gpus)
            FLOW_ROWS.insert(connection, codec, each.tick.tick_ms, each.flows)
        connection.execute(f"INSERT INTO quarter VALUES ({NOON_MS}, 1, 0)")
    connection.close()
    return path


def sums_of_last_ticks(grain_ms: int) -> Quarters:
    gpus = [entry for each in LAST_TICKS for entry in each.gpus]
    flows = [entry for each in LAST_TICKS for entry in each.flows]
    return sums_of(gpus, flows, [], run=1, from_ms=0, to_ms=NOON_MS * 2, grain_ms=grain_ms)


def test_a_quarter_hour_that_the_third_version_left_open_is_read_with_all_that_crosses_its_minutes(
    third_version: Path,
) -> None:
    assert opened(third_version).close(10)
    with Reader(third_version) as reader:
        assert reader.quarters(NOON_MS, NOON_MS * 2) == sums_of_last_ticks(QUARTER_MS)
        assert reader.minutes(NOON_MS, NOON_MS * 2) == sums_of_last_ticks(MINUTE_MS)
        assert reader.minutes(NOON_MS, NOON_MS + 1).gpus == sums_of_last_ticks(MINUTE_MS).gpus[:1]


def test_it_is_rolled_up_when_the_next_recorder_begins(third_version: Path) -> None:
    for _ in range(2):
        writer = opened(third_version)
        writer.begin_run(RUN)
        assert writer.close(10)
        connection = sqlite3.connect(third_version)
        assert connection.execute("SELECT rolled FROM quarter").fetchall() == [(1,)]
        assert connection.execute("SELECT count(*) FROM minute_due").fetchone() == (0,)
        connection.close()
        with Reader(third_version) as reader:
            assert reader.quarters(NOON_MS, NOON_MS * 2) == sums_of_last_ticks(QUARTER_MS)
            assert reader.minutes(NOON_MS, NOON_MS * 2) == sums_of_last_ticks(MINUTE_MS)


def test_recording_goes_on_in_a_store_of_the_first_version(first_version: Path) -> None:
    writer = opened(first_version)
    run = writer.begin_run(RUN)
    entry: GpuEntry = replace(
        gpu(NOON_MS + 2000), lost_mj=840_000, tensor_permille=310, dram_permille=620, memory_temperature_c=83
    )
    new = TickRecord(tick(NOON_MS + 2000, run.id), gpus=(entry,))
    writer.submit(new)
    writer.submit(record(NOON_MS + QUARTER_MS + 1, run.id))
    assert writer.close(10)
    assert (writer.problem, writer.dropped) == (None, 0)
    with Reader(first_version) as reader:
        assert next(reader.records([run.id], 0, NOON_MS * 2)) == new
        (rolled,) = (row for row in reader.quarters(NOON_MS, NOON_MS + 1, [run.id]).gpus)
    assert (rolled.lost_mj, rolled.tensor_permille_ms, rolled.dram_permille_ms) == (840_000, 310_000, 620_000)


def test_a_migrated_store_and_a_new_one_have_the_same_tables_and_views(first_version: Path, tmp_path: Path) -> None:
    assert opened(first_version).close(10)
    fresh = tmp_path / "fresh.db"
    assert opened(fresh).close(10)

    def columns(path: Path) -> list[tuple[str, str]]:
        connection = sqlite3.connect(path)
        found = connection.execute(
            "SELECT m.type, m.name, c.name, c.type, c.'notnull' FROM sqlite_master AS m "
            "JOIN pragma_table_info(m.name) AS c WHERE m.type IN ('table', 'view') ORDER BY m.name, c.cid"
        ).fetchall()
        connection.close()
        return found

    assert columns(first_version) == columns(fresh)


def test_the_views_speak_of_what_may_be_missing(first_version: Path) -> None:
    assert opened(first_version).close(10)
    connection = sqlite3.connect(first_version)
    connection.execute("UPDATE gpu_quarter SET lost_mj = 5000")
    gpus = connection.execute(
        "SELECT energy_j, energy_lost_at_most_j, tensor_mean_percent FROM v_gpu_quarter"
    ).fetchall()
    flows = connection.execute("SELECT output_tokens, drafted_tokens FROM v_flow_quarter").fetchall()
    connection.close()
    assert (gpus, flows) == ([(540_000.0, 5.0, None)], [(1_395_900, None)])
