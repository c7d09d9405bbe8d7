"""What can be replayed: runs put together, cut at local midnight."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.records import NOON_MS, RUN, fill, record
from tests.store.test_import import IMPORT
from tokwatch.ledger.entries import Run
from tokwatch.ledger.local_time import zone_of
from tokwatch.store.errors import StoreError
from tokwatch.store.named_sessions import NamedSession, delete_session, insert_session
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import OFFERED_KEY, Session, sessions
from tokwatch.store.telling import telling
from tokwatch.store.writer import Writer

MINUTE_MS = 60_000


def run_of(path: Path, *ticks_ms: int, run: Run = RUN) -> int:
    return fill(path, [record(tick_ms) for tick_ms in ticks_ms], run)


def sessions_of(path: Path) -> list[Session]:
    with Reader(path) as reader:
        return sessions(reader)


def test_a_run_is_a_session_named_after_its_host_and_first_tick(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    first = NOON_MS - 57 * MINUTE_MS
    run = run_of(path, first, NOON_MS)
    assert sessions_of(path) == [
        Session(
            "dgx-03-20261121-1103",
            "dgx-03",
            "recorded",
            (run,),
            first - 1,
            NOON_MS,
            "dgx-03 2026-11-21 11:03–12:00",
        )
    ]


def test_runs_a_quarter_of_an_hour_apart_are_one_session(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    first = run_of(path, NOON_MS)
    second = run_of(path, NOON_MS + 15 * MINUTE_MS)
    third = run_of(path, NOON_MS + 30 * MINUTE_MS + 1)
    assert [session.runs for session in sessions_of(path)] == [(first, second), (third,)]


def test_hosts_and_kinds_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    run_of(path, NOON_MS)
    run_of(path, NOON_MS + 1, run=replace(RUN, host="dgx-04"))
    run_of(path, NOON_MS + 2, run=replace(RUN, kind="simulated"))
    run_of(path, NOON_MS + 3)
    found = sessions_of(path)
    assert [(each.host, each.kind, len(each.runs)) for each in found] == [
        ("dgx-03", "recorded", 2),
        ("dgx-04", "recorded", 1),
        ("dgx-03", "simulated", 1),
    ]
    assert [each.id for each in found] == ["dgx-03-20261121-1200", "dgx-04-20261121-1200", "dgx-03-20261121-1200-2"]


def test_an_import_of_the_same_hours_is_a_session_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    writer = Writer(path)
    writer.open()
    past_ms = NOON_MS - 30 * 86_400_000
    for source in ("one", "two"):
        writer.write_import(replace(IMPORT, source=source), [record(past_ms), record(past_ms + 1000)])
    writer.close(10)
    assert [len(session.runs) for session in sessions_of(path)] == [1, 1]


def test_a_session_ends_at_local_midnight(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    midnight_in_berlin = NOON_MS + 11 * 3_600_000  # 23:00 UTC
    run = run_of(
        path,
        midnight_in_berlin - 2000,
        midnight_in_berlin - 1,
        midnight_in_berlin,
        midnight_in_berlin + 1000,
        run=replace(RUN, timezone="Europe/Berlin"),
    )
    one, two = sessions_of(path)
    assert (one.id, two.id) == ("dgx-03-20261121-2359", "dgx-03-20261122-0000")
    assert (one.to_ms, two.from_ms) == (midnight_in_berlin - 1, midnight_in_berlin - 1)
    assert one.runs == two.runs == (run,)


def test_a_day_of_25_hours_is_one_session(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    start = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)  # 00:30 in Berlin, the day the clock goes back
    hours = [int((start + timedelta(hours=hour)).timestamp() * 1000) for hour in range(26)]
    run_of(path, *hours, run=replace(RUN, timezone="Europe/Berlin"))
    assert [session.id for session in sessions_of(path)] == ["dgx-03-20261025-0030", "dgx-03-20261026-0030"]


def test_a_run_without_ticks_is_no_session(tmp_path: Path) -> None:
    run_of(tmp_path / "store.db")
    assert sessions_of(tmp_path / "store.db") == []


@pytest.mark.parametrize(
    ("name", "hours"),
    [("UTC+05:30", 5.5), ("UTC-08:00", -8), ("Asia/Kolkata", 5.5), ("UTC+99:99", 0), ("No/Where", 0), ("../etc", 0)],
)
def test_time_zones_by_name_or_offset(name: str, hours: float) -> None:
    assert zone_of(name).utcoffset(datetime(2026, 11, 21)) == timedelta(hours=hours)


def forget_ticks(path: Path, before_ms: int) -> None:
    """As retention does, when all is rolled up."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM tick WHERE tick_ms < ?", (before_ms,))
        for table in ("gpu_raw", "server_raw", "flow_raw", "host_raw"):
            connection.execute(f"DELETE FROM {table} WHERE id < ?", (before_ms << 20,))


def test_days_whose_ticks_are_gone_are_listed_from_their_sums(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    day_ms = 24 * 60 * MINUTE_MS
    run = run_of(path, *range(NOON_MS + 1000, NOON_MS + day_ms, 15 * MINUTE_MS))
    forget_ticks(path, NOON_MS + day_ms - 6 * 60 * MINUTE_MS)
    first, second, third = sessions_of(path)
    assert [each.replayable for each in (first, second, third)] == [False, False, True]
    assert (first.id, first.from_ms, first.to_ms) == ("dgx-03-20261121-1200", NOON_MS, NOON_MS + day_ms // 2)
    assert (second.id, second.to_ms) == ("dgx-03-20261122-0000", NOON_MS + day_ms - 6 * 60 * MINUTE_MS)
    assert third.from_ms >= second.to_ms
    assert {each.runs for each in (first, second, third)} == {(run,)}


def test_a_run_whose_ticks_are_all_gone_is_listed_still(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    run_of(path, NOON_MS + 1000, NOON_MS + 16 * MINUTE_MS)
    run_of(path, NOON_MS + 600 * MINUTE_MS, run=replace(RUN, started_ms=NOON_MS + 600 * MINUTE_MS))
    forget_ticks(path, NOON_MS + 60 * MINUTE_MS)
    assert [(each.replayable, each.runs) for each in sessions_of(path)] == [(False, (1,)), (True, (2,))]


def test_what_an_entry_says_of_the_time_before_its_run_is_no_session(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    begins_ms = NOON_MS + 120 * MINUTE_MS
    records = [record(begins_ms + 1000, length_ms=120 * MINUTE_MS), record(begins_ms + 20 * MINUTE_MS)]
    fill(path, records, replace(RUN, started_ms=begins_ms))
    assert [each.replayable for each in sessions_of(path)] == [True]


def test_a_named_range_is_a_session(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    run = run_of(path, NOON_MS, NOON_MS + 1000, NOON_MS + 2000)
    with telling(path) as connection:
        insert_session(connection, NamedSession("the outage", (run,), NOON_MS, NOON_MS + 1000, NOON_MS))
    assert [each for each in sessions_of(path) if each.named] == [
        Session(
            "the outage",
            "dgx-03",
            "recorded",
            (run,),
            NOON_MS,
            NOON_MS + 1000,
            "dgx-03 2026-11-21 12:00–12:00",
            named=True,
        )
    ]
    with telling(path) as connection:
        assert delete_session(connection, "the outage")
        assert not delete_session(connection, "the outage")
    assert [each.named for each in sessions_of(path)] == [False]


def test_a_named_range_whose_ticks_are_gone_says_so(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    run = run_of(path, NOON_MS, NOON_MS + 60 * MINUTE_MS)
    with telling(path) as connection:
        insert_session(connection, NamedSession("before", (run,), NOON_MS - 1, NOON_MS + 1000, NOON_MS))
    forget_ticks(path, NOON_MS + MINUTE_MS)
    assert [each.replayable for each in sessions_of(path) if each.named] == [False]


def test_of_a_file_cut_for_others_only_what_it_offers_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    run = run_of(path, NOON_MS, NOON_MS + 1000)
    with telling(path) as connection:
        insert_session(connection, NamedSession("offered", (run,), NOON_MS, NOON_MS + 1000, NOON_MS))
        connection.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (OFFERED_KEY, f"[{run}]"))
    assert [each.id for each in sessions_of(path)] == ["offered"]


def test_a_file_that_lies_about_what_it_offers_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    run_of(path, NOON_MS)
    with telling(path) as connection:
        connection.execute("INSERT INTO meta (key, value) VALUES (?, '{')", (OFFERED_KEY,))
    with pytest.raises(StoreError, match="what it offers"):
        sessions_of(path)
