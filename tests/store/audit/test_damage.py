"""Each kind of damage is found by the check that is for it, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.audit.books import RAW_MS, failed, fill, verdicts
from tests.store.audit.books import damaged as damaged_copy
from tests.store.records import NOON_MS
from tokwatch.store.retention import Retention

SEALED = NOON_MS  # the first tick: its window is sealed
RAW = NOON_MS + 35 * 60_000 + 30_000  # a raw tick in the middle of a minute
GPU_RAW, SERVER_RAW, FLOW_RAW = (f"(({RAW} << 20) + {entity})" for entity in (1, 9, 11))
QUARTER = NOON_MS + 15 * 60_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "store.db"
    fill(path, Retention(raw_ms=RAW_MS))
    return path


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first half hour is minutes and quarter hours only."""
    path = tmp_path_factory.mktemp("pruned") / "store.db"
    fill(path, Retention(raw_ms=600_000, history_ms=RAW_MS))
    return path


def test_a_whole_store_passes_every_check(whole: Path, pruned: Path) -> None:
    assert set(verdicts(whole).values()) == set(verdicts(pruned).values()) == {"pass"}


DAMAGE = {
    "a table that is none of ours": ("CREATE TABLE mine (x)", "store.schema"),
    "a view in another way": ("DROP VIEW v_event", "store.schema"),
    "a row of a run that is not there": (f"INSERT INTO minute_due VALUES ({RAW + 86_400_000}, 77)", "store.references"),
    "a tick that is raw and sealed": (
        f"INSERT INTO tick SELECT {SEALED + 5000}, wall_ms, 3605000000000, 0, 1, NULL FROM tick LIMIT 1",
        "ticks.once",
    ),
    "a sealed window twice": (
        "UPDATE tick_chunk SET last_ms = last_ms + 600000 WHERE first_ms = (SELECT min(first_ms) FROM tick_chunk)",
        "ticks.once entries.readable",  # its body holds other ticks than it says
    ),
    "a raw row of no tick": (
        f"INSERT INTO server_raw SELECT id + (5000 << 20), t0, t1, up, running, waiting, kv_permyriad, progress, "
        f"scrape_ms, page_bytes, flags FROM server_raw WHERE id = {SERVER_RAW}",
        "ticks.rows",
    ),
    "a chunk of no window": (
        "INSERT INTO gpu_chunk SELECT id + (5000 << 20), entries, layout, body FROM gpu_chunk LIMIT 1",
        "ticks.rows",
    ),
    "a chunk that cannot be inflated": (
        f"UPDATE gpu_chunk SET body = x'0102' WHERE id = ({SEALED} << 20) + 1",
        "entries.readable",
    ),
    "a chunk with other rows than it says": (
        f"UPDATE flow_chunk SET entries = entries + 1 WHERE id = ({SEALED} << 20) + 11",
        "entries.readable",
    ),
    "a histogram that cannot be unpacked": (
        f"UPDATE flow_raw SET histograms = x'63ff' WHERE id = {FLOW_RAW}",
        "entries.readable",
    ),
    "a boot clock that goes back": (
        f"UPDATE tick SET boottime_ns = boottime_ns - 20000000000 WHERE tick_ms = {RAW}",
        "ticks.order entries.overlap",
    ),
    "an entry of the future": (f"UPDATE server_raw SET t1 = 1 WHERE id = {SERVER_RAW}", "entries.values"),
    "a state that there is not": (
        f"UPDATE gpu_raw SET state = 99 WHERE id = {GPU_RAW}",
        "entries.values minutes.sums quarters.sums",
    ),
    "an entry over the one before it": (
        f"UPDATE server_raw SET t0 = t0 - 1 WHERE id = {SERVER_RAW}",
        "entries.overlap",
    ),
    "a silence that is not flagged": ("UPDATE flow_raw SET flags = 0 WHERE flags = 8", "entries.gaps"),
    "energy in an entry": (
        f"UPDATE gpu_raw SET energy_mj = energy_mj + 1 WHERE id = {GPU_RAW}",
        "counters.balance minutes.sums quarters.sums",
    ),
    "tokens in an entry": (
        f"UPDATE flow_raw SET output_tokens = output_tokens - 1 WHERE id = {FLOW_RAW}",
        "counters.balance minutes.sums quarters.sums",
    ),
    "counters as they never stood": (
        "UPDATE absolute SET counters = '{\"energy_mj\":1}' WHERE id = (SELECT max(id) FROM absolute WHERE id & 1)",
        "counters.balance",
    ),
    "counters that are no numbers": (
        "UPDATE absolute SET counters = '[]' WHERE id = (SELECT min(id) FROM absolute)",
        "counters.balance",
    ),
    "energy in a minute": (
        f"UPDATE gpu_minute SET energy_mj = energy_mj + 1 WHERE minute_ms = {QUARTER}",
        "minutes.sums",
    ),
    "a minute that is missing": (f"DELETE FROM flow_minute WHERE minute_ms = {QUARTER}", "minutes.sums"),
    "requests in a minute's histograms": (
        f"UPDATE flow_minute SET histograms = NULL WHERE minute_ms = {QUARTER}",
        "minutes.sums",
    ),
    "time in a quarter hour": (
        f"UPDATE gpu_quarter SET ms_serving = ms_serving + 1 WHERE quarter_ms = {QUARTER}",
        "quarters.sums",
    ),
    "energy of the box in a quarter hour": (
        f"UPDATE host_quarter SET package_energy_mj = 1 WHERE quarter_ms = {QUARTER}",
        "quarters.sums",
    ),
    "a quarter hour that is missing": (f"DELETE FROM flow_quarter WHERE quarter_ms = {QUARTER}", "quarters.sums"),
    "a quarter hour of nothing": (
        f"UPDATE gpu_quarter SET quarter_ms = 900000 WHERE quarter_ms = {QUARTER}",
        "quarters.sums",
    ),
    "a thing that belongs to nothing": ("UPDATE entity SET parent = 77 WHERE kind = 'gpu'", "store.entities"),
    "an event that nobody can read": ("UPDATE event SET body = '{' WHERE kind = 'facts'", "events.bodies"),
    "an event of nothing": ("UPDATE event SET entity = 77 WHERE kind = 'facts'", "events.bodies"),
    "an event of no run": ("UPDATE event SET run = 77 WHERE kind = 'settings'", "events.bodies"),
    "a price that nobody can read": ("UPDATE price_version SET book = '[]'", "prices.bodies"),
    "a month closed with no price": ("INSERT INTO price_close VALUES ('2026-10', 9, 1)", "prices.bodies"),
    "a mute that nobody can read": ("INSERT INTO mute VALUES (1, 1, 1, '[')", "prices.bodies"),
    "edges that do not rise": (
        "UPDATE histogram_edges SET edges = '[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]'",
        "histograms.edges",
    ),
    "a range of a run that is not there": ("UPDATE session SET runs = '[1, 77]'", "sessions.runs"),
    "a range that ends before it begins": ("UPDATE session SET to_ms = from_ms - 1", "sessions.runs"),
}


@pytest.mark.parametrize(("statement", "checks"), DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_is_found_by_its_own_check(whole: Path, tmp_path: Path, statement: str, checks: str) -> None:
    assert failed(damaged_copy(whole, tmp_path / "store.db", [statement])) == set(checks.split())


def test_edges_that_are_gone_leave_their_histograms_unreadable(whole: Path, tmp_path: Path) -> None:
    found = failed(damaged_copy(whole, tmp_path / "store.db", ["DELETE FROM histogram_edges"]))
    assert {"entries.readable", "histograms.sums"} <= found


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        (f"DELETE FROM server_raw WHERE id = {SERVER_RAW}", "entries.holes"),
        (f"UPDATE quarter SET rolled = 0 WHERE quarter_ms = {QUARTER}", "sums.due"),
        ("UPDATE event SET kind = 'weather' WHERE kind = 'facts'", "events.bodies"),
    ],
)
def test_what_is_only_odd_is_a_warning(whole: Path, tmp_path: Path, statement: str, check: str) -> None:
    found = verdicts(damaged_copy(whole, tmp_path / "store.db", [statement]))
    assert {check_id: verdict for check_id, verdict in found.items() if verdict != "pass"} == {check: "warn"}


def test_quarter_hours_whose_entries_are_gone_are_compared_with_their_minutes(pruned: Path, tmp_path: Path) -> None:
    less = f"UPDATE gpu_quarter SET energy_mj = energy_mj - 1 WHERE quarter_ms = {QUARTER}"
    more = f"UPDATE gpu_quarter SET energy_mj = energy_mj + 1 WHERE quarter_ms = {QUARTER}"
    assert failed(damaged_copy(pruned, tmp_path / "less.db", [less])) == {"quarters.minutes"}
    assert failed(damaged_copy(pruned, tmp_path / "more.db", [more])) == set()  # of an entry of over an hour, it may be
