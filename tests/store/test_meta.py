"""Table `meta`: who wrote the store last."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from msgspec.structs import replace

from tests.store.records import RUN
from tokwatch.store.meta import KEYS
from tokwatch.store.schema import SCHEMA_VERSION
from tokwatch.store.writer import Writer


def meta_of(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    rows = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    connection.close()
    return rows


def test_a_run_says_who_writes_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    for version in ("0.1.0", "0.2.0"):
        writer = Writer(path)
        writer.open()
        run = writer.begin_run(replace(RUN, version=version))
        assert writer.close(10)
    rows = meta_of(path)
    assert rows.keys() == {*KEYS, "created_by"}
    assert rows["recorded_by"] == "tokwatch 0.2.0"
    assert rows["schema_version"] == str(SCHEMA_VERSION)
    assert (rows["host"], rows["boot_id"], rows["timezone"]) == (RUN.host, RUN.boot_id, RUN.timezone)
    assert rows["run"] == str(run.id)
    assert "CLOCK_BOOTTIME" in rows["clock"]
