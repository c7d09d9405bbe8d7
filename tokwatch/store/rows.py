"""Entries, ticks and their companions as rows, both ways: the SQL and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec
from msgspec.structs import astuple

from tokwatch.ledger.entries import (
    Absolute,
    Entity,
    Event,
    FlowEntry,
    GpuEntry,
    HostEntry,
    Run,
    ServerEntry,
    Tick,
    TickRecord,
)
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.schema import ENTITY_BITS, ENTITY_LIMIT

Entry = GpuEntry | ServerEntry | FlowEntry | HostEntry
E = TypeVar("E", bound=Entry)
Row = tuple[Any, ...]


class EntryTable(Generic[E]):
    """One raw table: its columns are the entry's fields, its key is (tick_ms << 20) + entity."""

    def __init__(self, name: str, entry: type[E]) -> None:
        columns = entry.__struct_fields__[3:]  # after entity, t0_ms and t1_ms
        marks = ", ".join("?" * (len(columns) + 3))
        self.name = name
        self.columns = columns
        self._entry = entry
        self._insert = f"INSERT INTO {name} (id, t0, t1, {', '.join(columns)}) VALUES ({marks})"
        # CROSS JOIN keeps SQLite at ticks first: then rows come by tick and entity without a sort.
        self._select = (
            f"SELECT t.tick_ms, e.id & {ENTITY_LIMIT - 1}, t.tick_ms + e.t0, t.tick_ms + e.t1, {', '.join(columns)} "
            f"FROM tick AS t CROSS JOIN {name} AS e ON e.id BETWEEN t.tick_ms << {ENTITY_BITS} "
            f"AND (t.tick_ms << {ENTITY_BITS}) + {ENTITY_LIMIT - 1} WHERE "
        )
        self._histograms_at = columns.index("histograms") if "histograms" in columns else None
        self._up_at = columns.index("up") if "up" in columns else None

    def insert(self, connection: sqlite3.Connection, codec: HistogramCodec, tick_ms: int, entries: Iterable[E]) -> None:
        base = tick_ms << ENTITY_BITS
        rows = []
        for entry in entries:
            entity, t0_ms, t1_ms, *values = astuple(entry)
            if self._histograms_at is not None:
                values[self._histograms_at] = codec.pack(values[self._histograms_at])
            rows.append((base + entity, t0_ms - tick_ms, t1_ms - tick_ms, *values))
        if rows:
            connection.executemany(self._insert, rows)

    def select(
        self, connection: sqlite3.Connection, codec: HistogramCodec, where: str, parameters: Row | dict[str, Any]
    ) -> Iterator[tuple[int, E]]:
        """(tick_ms, entry) by tick and entity; `where` speaks of the tick as `t`."""
        for tick_ms, entity, t0_ms, t1_ms, *values in connection.execute(
            self._select + where + " ORDER BY t.tick_ms", parameters
        ):
            yield tick_ms, self.entry(codec, entity, t0_ms, t1_ms, values)

    def entry(self, codec: HistogramCodec, entity: int, t0_ms: int, t1_ms: int, values: list[Any]) -> E:
        """An entry from the values of `columns`, which are changed."""
        make: Callable[..., E] = self._entry
        if self._histograms_at is not None:
            values[self._histograms_at] = codec.unpack(values[self._histograms_at])
        elif self._up_at is not None:
            values[self._up_at] = bool(values[self._up_at])
        return make(entity, t0_ms, t1_ms, *values)


GPU_ROWS: Final = EntryTable("gpu_raw", GpuEntry)
SERVER_ROWS: Final = EntryTable("server_raw", ServerEntry)
FLOW_ROWS: Final = EntryTable("flow_raw", FlowEntry)
HOST_ROWS: Final = EntryTable("host_raw", HostEntry)


def entries_of(record: TickRecord) -> tuple[Entry, ...]:
    return (*record.gpus, *record.servers, *record.flows, *record.hosts)


def insert_tick(connection: sqlite3.Connection, tick: Tick, reaches_ms: int | None) -> None:
    connection.execute(
        "INSERT INTO tick (tick_ms, wall_ms, boottime_ns, clock_step_ms, run, reaches_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (*astuple(tick), reaches_ms),
    )


def insert_entities(connection: sqlite3.Connection, entities: Iterable[Entity]) -> None:
    connection.executemany(
        "INSERT INTO entity (id, kind, host, key, parent, first_seen_ms) VALUES (?, ?, ?, ?, ?, ?)",
        map(astuple, entities),
    )


def select_entities(connection: sqlite3.Connection) -> list[Entity]:
    return [
        Entity(*row)
        for row in connection.execute("SELECT id, kind, host, key, parent, first_seen_ms FROM entity ORDER BY id")
    ]


def insert_events(connection: sqlite3.Connection, run: int, events: Iterable[Event]) -> None:
    connection.executemany(
        "INSERT INTO event (tick_ms, entity, kind, key, position, body, run) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (event.tick_ms, event.entity, event.kind, event.key, position, event.body.decode(), run)
            for position, event in enumerate(events)
        ),
    )


EVENT_COLUMNS: Final = "event.tick_ms, event.entity, event.kind, event.key, event.body"


def event_of(row: Row) -> Event:
    """From EVENT_COLUMNS."""
    tick_ms, entity, kind, key, body = row
    return Event(tick_ms, entity, kind, key, body.encode())


def insert_run(connection: sqlite3.Connection, run: Run) -> Run:
    """The run with the id it got; its own id is not looked at."""
    cursor = connection.execute(
        "INSERT INTO run (kind, host, boot_id, version, timezone, started_ms, source) VALUES (?, ?, ?, ?, ?, ?, ?)",
        astuple(run)[1:],
    )
    assert cursor.lastrowid is not None
    return msgspec.structs.replace(run, id=cursor.lastrowid)


def select_runs(connection: sqlite3.Connection) -> list[Run]:
    return [
        Run(*row)
        for row in connection.execute(
            "SELECT id, kind, host, boot_id, version, timezone, started_ms, source FROM run ORDER BY id"
        )
    ]


_ABSOLUTE_COLUMNS: Final = "incarnation, at_ns, boot_id, counters"


def _absolute_values(absolute: Absolute) -> Row:
    counters = msgspec.json.encode(absolute.counters).decode()
    return absolute.incarnation, absolute.at_ns, absolute.boot_id, counters


def replace_latest_absolutes(connection: sqlite3.Connection, tick_ms: int, absolutes: Iterable[Absolute]) -> None:
    connection.executemany(
        f"INSERT OR REPLACE INTO absolute_latest (entity, tick_ms, {_ABSOLUTE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
        ((absolute.entity, tick_ms, *_absolute_values(absolute)) for absolute in absolutes),
    )


def append_absolutes(connection: sqlite3.Connection, tick_ms: int, flagged: Iterable[tuple[Absolute, int]]) -> None:
    """Keep them for ever, each with the flags of the entry that made it worth keeping."""
    base = tick_ms << ENTITY_BITS
    connection.executemany(
        f"INSERT INTO absolute (id, flags, {_ABSOLUTE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
        ((base + absolute.entity, flags, *_absolute_values(absolute)) for absolute, flags in flagged),
    )


def append_last_absolutes(connection: sqlite3.Connection, run: int) -> None:
    """At a run's end: its latest absolutes, unless they were kept at that very tick."""
    connection.execute(
        f"INSERT OR IGNORE INTO absolute (id, flags, {_ABSOLUTE_COLUMNS}) "
        f"SELECT (tick_ms << {ENTITY_BITS}) + entity, 0, {_ABSOLUTE_COLUMNS} FROM absolute_latest "
        "WHERE tick_ms >= (SELECT min(tick_ms) FROM (SELECT tick_ms FROM tick WHERE run = :run "
        "UNION ALL SELECT first_ms FROM tick_chunk WHERE run = :run))",
        {"run": run},
    )


def select_latest_absolutes(connection: sqlite3.Connection) -> list[Absolute]:
    return [
        Absolute(entity, incarnation, at_ns, boot_id, msgspec.json.decode(counters, type=dict[str, int]))
        for entity, incarnation, at_ns, boot_id, counters in connection.execute(
            f"SELECT entity, {_ABSOLUTE_COLUMNS} FROM absolute_latest ORDER BY entity"
        )
    ]


class PriceVersion(msgspec.Struct, frozen=True):
    """One version of the price book. A correction is a newer row for the same time; rows are never changed."""

    id: int
    effective_from_ms: int
    recorded_ms: int
    source: str  # as in ledger/prices
    book: bytes  # JSON, decoded by ledger/prices
    effective_to_ms: int | None = None  # of a restatement
    reason: str = ""


def insert_price(connection: sqlite3.Connection, price: PriceVersion) -> PriceVersion:
    """The version with the id it got; its own id is not looked at."""
    _, from_ms, recorded_ms, source, book, *restated = astuple(price)
    cursor = connection.execute(
        "INSERT INTO price_version (effective_from_ms, recorded_ms, source, book, effective_to_ms, reason) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (from_ms, recorded_ms, source, book.decode(), *restated),
    )
    assert cursor.lastrowid is not None
    return msgspec.structs.replace(price, id=cursor.lastrowid)


def select_prices(connection: sqlite3.Connection) -> list[PriceVersion]:
    return [
        PriceVersion(id_, from_ms, recorded_ms, source, book.encode(), *restated)
        for id_, from_ms, recorded_ms, source, book, *restated in connection.execute(
            "SELECT id, effective_from_ms, recorded_ms, source, book, effective_to_ms, reason FROM price_version "
            "ORDER BY id"
        )
    ]


class PriceClose(msgspec.Struct, frozen=True):
    """A UTC month whose prices are final."""

    month: str  # "2026-10"
    last_version: int  # the newest price version when it was closed; 0: there was none
    closed_ms: int


def insert_close(connection: sqlite3.Connection, month: str, closed_ms: int) -> None:
    """Raises sqlite3.IntegrityError for a month that is closed already."""
    connection.execute(
        "INSERT INTO price_close (month, last_version, closed_ms) SELECT ?, coalesce(max(id), 0), ? FROM price_version",
        (month, closed_ms),
    )


def select_closes(connection: sqlite3.Connection) -> list[PriceClose]:
    return [
        PriceClose(*row)
        for row in connection.execute("SELECT month, last_version, closed_ms FROM price_close ORDER BY month")
    ]


class Told(NamedTuple):
    """How far what people told a store goes; rows are only ever added, so a number that grew says what is new."""

    prices: int
    closes: int
    mutes: int


def select_told(connection: sqlite3.Connection) -> Told:
    return Told(
        *connection.execute(
            "SELECT (SELECT coalesce(max(id), 0) FROM price_version), (SELECT count(*) FROM price_close), "
            "(SELECT coalesce(max(id), 0) FROM mute)"
        ).fetchone()
    )
