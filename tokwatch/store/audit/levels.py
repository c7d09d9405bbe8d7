"""The levels beside each other: every tick raw or sealed and nothing left between, what is due, and what each takes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final, NamedTuple

from tokwatch.store.audit.finding import Faults, Finding, amount, utc
from tokwatch.store.audit.subject import Subject
from tokwatch.store.chunks import CHUNK_TABLES
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.schema import ENTITY_BITS

_FAULTS_AT_MOST: Final = 100  # of one statement: more rows say nothing new
_KINDS: Final = ("gpu", "server", "flow", "host")


def check_levels(subject: Subject) -> Iterator[Finding]:
    yield _once(subject.connection)
    yield _loose_rows(subject.connection)
    yield _due(subject)


def _once(connection: sqlite3.Connection) -> Finding:
    faults = Faults("ticks.once")
    for tick_ms, run in connection.execute(
        "SELECT tick_ms, tick.run FROM tick_chunk JOIN tick ON tick.tick_ms BETWEEN first_ms AND last_ms "
        f"AND tick.run = tick_chunk.run LIMIT {_FAULTS_AT_MOST}"
    ):
        faults.add(f"tick {utc(tick_ms)} of run {run} is raw and sealed")
    last_ms: dict[int, int] = {}
    for first_ms, end_ms, run in connection.execute("SELECT first_ms, last_ms, run FROM tick_chunk ORDER BY first_ms"):
        if first_ms <= last_ms.get(run, -1):
            faults.add(f"run {run} has two sealed windows at {utc(first_ms)}")
        last_ms[run] = end_ms
    return faults.finding("every tick is raw or sealed, none is both")


def _loose_rows(connection: sqlite3.Connection) -> Finding:
    """Rows of no tick. Not those of a window that is being sealed: its chunks come before its ticks are sealed, and
    its raw rows go after."""
    faults = Faults("ticks.rows")
    for table in CHUNK_TABLES:
        for id_ in _numbers(
            connection,
            f"SELECT id >> {ENTITY_BITS} FROM {table.raw_table} AS e WHERE id >> {ENTITY_BITS} NOT IN "
            f"(SELECT tick_ms FROM tick) AND NOT EXISTS (SELECT 1 FROM tick_chunk WHERE id >> {ENTITY_BITS} "
            "BETWEEN first_ms AND last_ms)",
        ):
            faults.add(f"{table.raw_table} has a row at {utc(id_)}, where no tick is")
        for id_ in _numbers(
            connection,
            f"SELECT DISTINCT id >> {ENTITY_BITS} FROM {table.name} WHERE id >> {ENTITY_BITS} NOT IN "
            f"(SELECT first_ms FROM tick_chunk) AND id >> {ENTITY_BITS} NOT IN (SELECT tick_ms FROM tick)",
        ):
            faults.add(f"{table.name} has a chunk of {utc(id_)}, where no window begins")
    return faults.finding("every row and chunk belongs to a tick")


def _numbers(connection: sqlite3.Connection, sql: str) -> Iterator[int]:
    return (number for (number,) in connection.execute(f"{sql} LIMIT {_FAULTS_AT_MOST}"))


def _due(subject: Subject) -> Finding:
    """Sums that should have been made: a window is never sealed before them, so one that lags holds all up."""
    faults = Faults("sums.due", "the next recorder that opens the store makes them", verdict="warn")
    newest_ms = subject.ticks.last(None, None) or 0
    for table, column, length_ms, where in (
        ("quarter", "quarter_ms", QUARTER_MS, "AND rolled = 0"),
        ("minute_due", "minute_ms", 60_000, ""),
    ):
        for start_ms, run in subject.connection.execute(
            f"SELECT {column}, run FROM {table} WHERE {column} + {length_ms} < ? {where} "
            f"ORDER BY {column} LIMIT {_FAULTS_AT_MOST}",
            (newest_ms,),
        ):
            # The recorder makes them with the first tick after; of runs that ended, the next recorder does.
            faults.add(f"the {column.removesuffix('_ms')} of {utc(start_ms)}, run {run}, is not summed up")
    return faults.finding("nothing older than the newest tick waits to be summed up")


class _Level(NamedTuple):
    check_id: str
    tables: tuple[str, ...]
    unit: str
    span: str  # SELECT of its first and last instant
    rows: str  # SELECT of how many rows it holds, by the table whose columns they have
    entries: bool = True  # of entries or their sums


def measure_levels(subject: Subject) -> Iterator[Finding]:
    """Rows, bytes and time span of each level; bytes a value, a value being one column of one row."""
    bytes_of = _bytes_by_table(subject.connection)
    for level in _LEVELS:
        first_ms, last_ms = subject.connection.execute(level.span).fetchone()
        rows = values = 0
        for table, count in subject.connection.execute(level.rows):
            rows += count
            values += count * len(subject.connection.execute(f"SELECT * FROM {table} LIMIT 0").description)
        words = [amount(rows, level.unit)]
        if bytes_of is not None:
            size = sum(bytes_of.get(table, 0) for table in level.tables)
            words.append(f"{size / 1e6:.1f} MB")
            if values and level.entries:
                words.append(f"{size / values:.2f} bytes a value")
        if first_ms is not None:
            words.append(f"{utc(first_ms)} to {utc(last_ms)}")
        yield Finding(level.check_id, "pass", ", ".join(words))


def _bytes_by_table(connection: sqlite3.Connection) -> dict[str, int] | None:
    """Indices count to their tables; None where SQLite was built without dbstat."""
    try:
        sizes = connection.execute("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE").fetchall()
    except sqlite3.OperationalError:
        return None
    owners: dict[str, str] = dict(connection.execute("SELECT name, tbl_name FROM sqlite_master").fetchall())
    found: dict[str, int] = {}
    for name, size in sizes:
        owner = owners.get(name, name)
        found[owner] = found.get(owner, 0) + size
    return found


def _counts(suffix: str, count: str) -> str:
    """How many rows each kind has; a chunk's are counted by the columns of the raw row that they were."""
    name = "raw" if suffix == "chunk" else suffix
    return " UNION ALL ".join(f"SELECT '{kind}_{name}', {count} FROM {kind}_{suffix}" for kind in _KINDS)


def _sums(suffix: str) -> tuple[str, ...]:
    return tuple(f"{kind}_{suffix}" for kind in ("gpu", "flow", "flow_elsewhere", "host"))


def _rolled(check_id: str, grain: str) -> _Level:
    tables = _sums(grain)
    return _Level(
        check_id,
        tables,
        "row",
        f"SELECT min({grain}_ms), max({grain}_ms) FROM gpu_{grain}",
        " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables),
    )


_LEVELS: Final = (
    _Level(
        "size.raw",
        ("tick", *(f"{kind}_raw" for kind in _KINDS)),
        "row",
        "SELECT min(tick_ms), max(tick_ms) FROM tick",
        _counts("raw", "count(*)"),
    ),
    _Level(
        "size.history",
        ("tick_chunk", "chunk_layout", *(f"{kind}_chunk" for kind in _KINDS)),
        "sealed row",
        "SELECT min(first_ms), max(last_ms) FROM tick_chunk",
        _counts("chunk", "coalesce(sum(entries), 0)"),
    ),
    _rolled("size.minutes", "minute"),
    _rolled("size.quarters", "quarter"),
    _Level(
        "size.events",
        ("event",),
        "event",
        "SELECT min(tick_ms), max(tick_ms) FROM event",
        "SELECT 'event', count(*) FROM event",
        entries=False,
    ),
)
