"""docs/store.md says what the schema is, its queries run, and other people's tools open a store."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.store.audit.books import RAW_MS, fill
from tokwatch.store.audit import audit
from tokwatch.store.cut import CUT_KEY
from tokwatch.store.meta import KEYS
from tokwatch.store.retention import Retention
from tokwatch.store.sessions import OFFERED_KEY

PAGE = (Path(__file__).parents[2] / "docs" / "store.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
SQLITE_UTILS = Path(sys.executable).with_name("sqlite-utils")
_STARTS = {"minute": {"minute_ms", "minute_utc"}, "quarter": {"quarter_ms", "quarter_utc"}}


def documented() -> dict[str, set[str]]:
    """Columns by table and view; a heading may speak for several."""
    found = {}
    for heading, section in re.findall(r"^### (`.*)\n((?:(?!^#).*\n?)*)", PAGE, re.MULTILINE):
        columns = {
            name
            for line in section.splitlines()
            if line.startswith("| `")
            for name in re.findall(r"`(\w+)`", re.split(r"(?<!\\)\|", line)[1])
        }
        for table in re.findall(r"`(\w+)`", heading):
            other = next((start for grain, start in _STARTS.items() if grain not in table), set())
            found[table] = columns - other if table.endswith(("_minute", "_quarter")) else columns
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "store.db"
    fill(path, Retention(raw_ms=RAW_MS))
    return path


def schema(path: Path) -> Iterator[tuple[str, set[str]]]:
    with closing(sqlite3.connect(path)) as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE '%sqlite%'"
        ).fetchall():
            yield name, {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}


def test_every_table_and_view_is_told_with_all_its_columns_and_no_other(store: Path) -> None:
    assert documented() == dict(schema(store))


def test_every_key_of_meta_is_told(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        keys = {key for (key,) in connection.execute("SELECT key FROM meta")}
    assert {*keys, *KEYS, CUT_KEY, OFFERED_KEY} <= set(re.findall(r"`(\w+)`", PAGE))


def test_every_check_of_the_audit_is_told(store: Path) -> None:
    told = set(re.findall(r"`([a-z]+\.[a-z]+)`", PAGE[PAGE.index("## `tokwatch doctor --store`") :]))
    assert {finding.id for finding in audit(store)} == told - {"counters.unchecked"}


def test_the_defaults_of_retention_are_those_of_the_code() -> None:
    days = Retention()
    written = (
        f"raw_hours = {days.raw_ms // 3_600_000} ",
        f"history_days = {days.history_ms // 86_400_000} ",
        f"minutes_days = {days.minutes_ms // 86_400_000} ",
    )
    assert all(line in PAGE for line in written)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.split("\n")[0][:40])
def test_its_queries_run(store: Path, query: str) -> None:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        rows = connection.execute(query).fetchall()
    assert rows or "'alert'" in query


def test_tokens_per_joule_are_those_of_the_entries(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        *_, (hour_utc, tokens_per_j) = connection.execute(QUERIES[0]).fetchall()
    assert hour_utc == "2026-11-21T12:00:00Z"
    assert tokens_per_j == pytest.approx(10 / 612, rel=1e-3)  # 10 tokens and 612 J a second


def test_sqlite_utils_opens_it(store: Path) -> None:
    def told(*words: str) -> str:
        ended = subprocess.run([SQLITE_UTILS, *words], capture_output=True, text=True, check=False, timeout=60)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    tables = json.loads(told("tables", str(store), "--counts"))
    assert {"table": "run", "count": 1} in tables
    assert "v_gpu_hour" in {view["view"] for view in json.loads(told("views", str(store)))}
    assert "CREATE TABLE gpu_raw" in told("schema", str(store)).replace('"', "")
    assert json.loads(told("rows", str(store), "v_gpu_minute", "--limit", "1"))[0]["gpu"] == "GPU-1"


def test_it_opens_as_an_immutable_file(store: Path) -> None:
    """As Datasette opens it."""
    with closing(sqlite3.connect(f"file:{store}?immutable=1", uri=True)) as connection:
        assert connection.execute("SELECT count(*) FROM v_gpu_quarter").fetchone()[0] > 0
