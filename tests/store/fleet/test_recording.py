"""What is written of a fleet is what is read: frames for its screens, quarter hours that exports read."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.fleet.quarters import NOON_MS, RUN, SERVERS, frame, quarter
from tokwatch.exports.hourly import Asked, export_hourly
from tokwatch.ledger.entries import Flag
from tokwatch.ledger.fleet.host_quarters import QUARTER_MS
from tokwatch.ledger.fleet.tally import HostTally
from tokwatch.store.connection import close_writing, open_for_writing
from tokwatch.store.errors import StoreError
from tokwatch.store.fleet.frames import COARSE_MS, FINE_MS, packed, unpacked
from tokwatch.store.fleet.reader import FleetReader
from tokwatch.store.fleet.recording import FleetRecording
from tokwatch.store.reader import Reader
from tokwatch.store.retention import DAY_MS, HOUR_MS, Retention


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fleet.db"


@pytest.fixture
def recording(path: Path) -> Iterator[FleetRecording]:
    connection = open_for_writing(path)
    recording = FleetRecording(connection)
    recording.begin_run(RUN)
    yield recording
    close_writing(connection)


def exported(path: Path, **asked: str) -> list[dict[str, str]]:
    out = io.BytesIO()
    export_hourly(path, Asked(**asked), out)  # type: ignore[arg-type]
    return list(csv.DictReader(io.StringIO(out.getvalue().decode())))


# --- quarter hours --------------------------------------------------------------------------------------------------


def test_hours_by_gpu_come_out_of_a_recorded_fleet_as_of_any_store(recording: FleetRecording, path: Path) -> None:
    recording.write_quarters([quarter(host, start_ms=NOON_MS + at) for host in ("h1", "h2") for at in (0, QUARTER_MS)])
    rows = exported(path, by="gpu")
    assert [(row["node"], row["gpu_uuid"], row["gpu_model"]) for row in rows] == [
        ("h1", "GPU-h1", "H100"),
        ("h2", "GPU-h2", "H100"),
    ]
    assert {(float(row["observed_s"]), float(row["energy_board_j"])) for row in rows} == {(1800, 900_000)}


def test_hours_by_model_have_the_tokens_and_the_gpus_of_its_servers(recording: FleetRecording, path: Path) -> None:
    recording.write_quarters([quarter("h1"), quarter("h2")])
    rows = exported(path, by="model")
    assert sum(int(row["tokens_out"]) for row in rows) == 12_000
    assert sum(float(row["energy_board_j"]) for row in rows) == 900_000


def test_a_quarter_hour_that_goes_on_is_replaced_by_what_is_known_later(recording: FleetRecording, path: Path) -> None:
    recording.write_quarters([quarter(length_ms=60_000, output=400, servers=())])
    recording.write_quarters([quarter(length_ms=120_000, output=800)])
    with Reader(path) as reader:
        rows = reader.quarters(NOON_MS, NOON_MS + QUARTER_MS)
    assert [(row.observed_ms, row.owner > 0) for row in rows.gpus] == [(120_000, True)]
    assert [row.output_tokens for row in rows.flows] == [800]


def test_a_gpu_that_two_servers_share_is_owned_by_both(recording: FleetRecording, path: Path) -> None:
    recording.write_quarters([quarter(servers=SERVERS)])
    with Reader(path) as reader:
        (row,) = reader.quarters(NOON_MS, NOON_MS + QUARTER_MS).gpus
        kinds = {entity.id: entity.kind for entity in reader.entities()}
    assert kinds[row.owner] == "group"


def test_tokens_that_are_counted_elsewhere_stand_apart(recording: FleetRecording, path: Path) -> None:
    recording.write_quarters([quarter(elsewhere=int(Flag.PROMPT_ELSEWHERE))])
    with Reader(path) as reader:
        rows = reader.quarters(NOON_MS, NOON_MS + QUARTER_MS)
    assert [(row.prompt_tokens, row.output_tokens) for row in rows.flows] == [(None, 6000)]
    assert [(row.prompt_tokens, row.output_tokens) for row in rows.elsewhere] == [(12_000, None)]


def test_another_run_goes_on_with_the_same_things(recording: FleetRecording, path: Path) -> None:
    recording.write_quarters([quarter()])
    connection = open_for_writing(path)
    again = FleetRecording(connection)
    again.begin_run(RUN)
    again.write_quarters([quarter(start_ms=NOON_MS + QUARTER_MS)])
    close_writing(connection)
    with Reader(path) as reader:
        assert [entity.kind for entity in reader.entities()] == ["host", "gpu", "server", "flow"]


def test_facts_are_written_once(recording: FleetRecording, path: Path) -> None:
    for length_ms in (60_000, 120_000):
        recording.write_quarters([quarter(length_ms=length_ms)])
    with Reader(path) as reader:
        assert len(list(reader.events(0, NOON_MS + QUARTER_MS, ["facts"]))) == 2


def test_what_did_not_fit_is_rolled_back_whole_and_the_next_is_written(recording: FleetRecording, path: Path) -> None:
    good = quarter("h2")
    bad = replace(quarter("h1"), gpus=(replace(quarter("h1").gpus[0], energy_mj=2**70),))
    with pytest.raises(OverflowError):
        recording.write_quarters([bad, good])
    recording.write_quarters([good])
    with Reader(path) as reader:
        assert {entity.host for entity in reader.entities()} == {"h2"}


# --- frames ---------------------------------------------------------------------------------------------------------


def test_a_frame_is_read_as_it_was_written(recording: FleetRecording, path: Path) -> None:
    written = frame(NOON_MS)
    recording.write_frame(written)
    with FleetReader(path) as reader:
        assert reader.frame(NOON_MS + 5000) == written
        assert reader.span_ms() == (NOON_MS, NOON_MS)
        assert reader.frame(NOON_MS - 1) is None


def test_the_newest_frame_before_a_moment_is_its_frame_and_the_finer_of_two(
    recording: FleetRecording, path: Path
) -> None:
    for at_ms, grain_ms in ((0, COARSE_MS), (0, FINE_MS), (10_000, FINE_MS), (60_000, COARSE_MS)):
        recording.write_frame(frame(NOON_MS + at_ms, grain_ms=grain_ms))
    with FleetReader(path) as reader:
        found = [reader.frame(NOON_MS + at_ms) for at_ms in (1000, 12_000, 61_000)]
    assert [(each.at_ms - NOON_MS, each.grain_ms) for each in found if each] == [
        (0, FINE_MS),
        (10_000, FINE_MS),
        (60_000, COARSE_MS),
    ]


def test_the_trend_needs_no_frame_unpacked(recording: FleetRecording, path: Path) -> None:
    for second in (0, 10, 20):
        recording.write_frame(frame(NOON_MS + second * 1000))
    with FleetReader(path) as reader:
        points = reader.trend(NOON_MS, NOON_MS + 20_000, FINE_MS)
    assert [(point.at_ms - NOON_MS, point.power_w, point.gpus_idle) for point in points] == [
        (10_000, 8200.0, 2),
        (20_000, 8200.0, 2),
    ]


def test_old_frames_go_as_new_ones_come(recording: FleetRecording, path: Path) -> None:
    recording.write_frame(frame(NOON_MS))
    recording.write_frame(frame(NOON_MS, grain_ms=COARSE_MS))
    recording.write_frame(frame(NOON_MS + DAY_MS + 10_000))
    with FleetReader(path) as reader:
        assert reader.trend(0, NOON_MS + 1, FINE_MS) == ()
        assert len(reader.trend(0, NOON_MS + 1, COARSE_MS)) == 1


def test_frames_are_kept_as_long_as_the_config_says_those_of_a_minute_as_minutes(path: Path) -> None:
    connection = open_for_writing(path)
    recording = FleetRecording(connection, Retention(HOUR_MS, HOUR_MS, minutes_ms=2 * HOUR_MS))
    recording.begin_run(RUN)
    for grain_ms, kept_ms in ((FINE_MS, HOUR_MS), (COARSE_MS, 2 * HOUR_MS)):
        for at_ms in (NOON_MS - grain_ms, NOON_MS, NOON_MS + kept_ms):
            recording.write_frame(frame(at_ms, grain_ms=grain_ms))
    close_writing(connection)
    with FleetReader(path) as reader:
        assert [point.at_ms - NOON_MS for point in reader.trend(0, 2 * NOON_MS, FINE_MS)] == [0, HOUR_MS]
        assert [point.at_ms - NOON_MS for point in reader.trend(0, 2 * NOON_MS, COARSE_MS)] == [0, 2 * HOUR_MS]


def test_a_store_of_a_size_lets_the_oldest_fine_frames_go_then_minutes_and_never_the_newest(path: Path) -> None:
    connection = open_for_writing(path)
    recording = FleetRecording(connection, Retention(size_bytes=1))
    recording.begin_run(RUN)
    recording.write_quarters([quarter()])
    for at_ms in (NOON_MS, NOON_MS + 60_000):
        recording.write_frame(frame(at_ms, grain_ms=COARSE_MS))
        recording.write_frame(frame(at_ms))
    recording.write_frame(frame(NOON_MS + 70_000))
    close_writing(connection)
    with FleetReader(path) as reader:
        assert [point.at_ms - NOON_MS for point in reader.trend(0, 2 * NOON_MS, FINE_MS)] == [70_000]
        assert [point.at_ms - NOON_MS for point in reader.trend(0, 2 * NOON_MS, COARSE_MS)] == [60_000]
    with Reader(path) as store:
        assert len(store.quarters(NOON_MS, NOON_MS + QUARTER_MS).gpus) == 1


def test_a_fleets_frames_make_a_session(recording: FleetRecording, path: Path) -> None:
    recording.write_frame(frame(NOON_MS))
    recording.write_quarters([quarter()])
    with Reader(path) as reader:
        assert reader.last_tick() == NOON_MS + QUARTER_MS


def test_a_damaged_frame_says_so(recording: FleetRecording, path: Path) -> None:
    recording.write_frame(frame(NOON_MS))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE fleet_frame SET body = x'00'")
    with FleetReader(path) as reader, pytest.raises(StoreError, match="a frame of the fleet is damaged"):
        reader.frame(NOON_MS)


def test_a_frame_of_no_hosts_is_one_too() -> None:
    assert unpacked(packed(())) == ()


def test_a_column_that_a_frame_does_not_have_is_what_it_is_by_default() -> None:
    hosts = (HostTally("h1", 1, 2, region="eu"),)
    assert unpacked(packed(hosts)) == hosts
