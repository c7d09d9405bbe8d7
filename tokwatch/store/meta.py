"""Table `meta`: who wrote the store last and by which clocks, as rows that anybody with a SQL shell can read."""

from __future__ import annotations

import sqlite3
from typing import Final

from tokwatch.first_sight.kept import FRAME_KEY, SNAPSHOT_KEY
from tokwatch.ledger.entries import Run
from tokwatch.store.schema import SCHEMA_VERSION

# Rows of the last run. Beside them `created_by` is the version that made the store.
KEYS: Final = {
    "schema_version": "as PRAGMA user_version says it",
    "recorded_by": "the program and its version",
    "host": "the box, as it is called in the tables",
    "boot_id": "of the kernel, new at each boot; empty where there is none",
    "timezone": "IANA name or UTC+HH:MM; days and hours of the day are told in it",
    "clock": "which clocks place ticks and measure intervals",
    "run": "the id of that run in table `run`",
}
# Rows of the last dashboard, for the first sight of the next one.
SCREEN_KEYS: Final = {
    FRAME_KEY: "the home screen as it last stood, by cells and styles",
    SNAPSHOT_KEY: "the Snapshot that it was drawn from: JSON, deflated, base64",
}
_CLOCK: Final = "wall clock (UTC, ms) places ticks; CLOCK_BOOTTIME measures every interval"


def describe(connection: sqlite3.Connection, run: Run) -> None:
    """Say who writes from now on; in the caller's transaction."""
    told = {
        "schema_version": str(SCHEMA_VERSION),
        "recorded_by": f"tokwatch {run.version}",
        "host": run.host,
        "boot_id": run.boot_id,
        "timezone": run.timezone,
        "clock": _CLOCK,
        "run": str(run.id),
    }
    connection.executemany("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", told.items())


def keep_screen(connection: sqlite3.Connection, frame: str, snapshot: str) -> None:
    """What the next dashboard shows before it has measured anything; in the caller's transaction."""
    rows = ((FRAME_KEY, frame), (SNAPSHOT_KEY, snapshot))
    connection.executemany("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", rows)
