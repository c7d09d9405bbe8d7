"""Sealed chunks: the ticks of one run, or the rows of one entity, in a short window, as one packed body each.

Rows refer to ticks by their place in the tick chunk. Times are kept as what is left when the usual is taken away: the
wall clock against the tick, CLOCK_BOOTTIME against it, a row's t0 against the t1 before it; most of those are 0.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final, Generic, NamedTuple

import msgspec

from tokwatch.ledger.entries import Tick
from tokwatch.store.columns import Columns, DamagedError, pack
from tokwatch.store.errors import StoreError
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.rows import FLOW_ROWS, GPU_ROWS, HOST_ROWS, SERVER_ROWS, E, EntryTable
from tokwatch.store.schema import ENTITY_BITS, ENTITY_LIMIT

_NS_PER_MS: Final = 1_000_000
_TICK_COLUMNS: Final = ("tick_ms", "wall_less_tick_ms", "boottime_less_tick_ns", "clock_step_ms", "reaches_ms")
_ROW_TIMES: Final = ("tick", "t1_less_tick_ms", "t0_less_t1_before_ms")


class Layouts:
    """Which columns chunks hold, by number; belongs to the connection it is given."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[tuple[str, tuple[str, ...]], int] = {}
        self._columns: dict[int, tuple[str, ...]] = {}

    def forget(self) -> None:
        """After a rollback: numbers given out inside it do not exist."""
        self._numbers.clear()
        self._columns.clear()

    def number(self, kind: str, columns: tuple[str, ...]) -> int:
        """Of a layout that may be new; inside the caller's transaction."""
        if (kind, columns) not in self._numbers:
            row = (kind, json.dumps(columns))
            self._connection.execute(
                "INSERT INTO chunk_layout (kind, columns) VALUES (?, ?) ON CONFLICT DO NOTHING", row
            )
            (self._numbers[kind, columns],) = self._connection.execute(
                "SELECT id FROM chunk_layout WHERE kind = ? AND columns = ?", row
            ).fetchone()
        return self._numbers[kind, columns]

    def columns(self, number: int) -> tuple[str, ...]:
        """Raises StoreError for a number that was never given out."""
        if number not in self._columns:
            row = self._connection.execute("SELECT columns FROM chunk_layout WHERE id = ?", (number,)).fetchone()
            if row is None:
                raise StoreError(f"the store has no chunk layout {number}; check it with `tokwatch doctor --store`")
            try:
                self._columns[number] = msgspec.json.decode(row[0], type=tuple[str, ...])
            except msgspec.MsgspecError as error:
                raise StoreError(f"the store's chunk layout {number} is damaged: {error}") from error
        return self._columns[number]


class Window(NamedTuple):
    """Ticks of one run that were sealed together."""

    first_ms: int
    last_ms: int
    run: int
    ticks: int
    reaches_ms: int | None
    layout: int


_WINDOW_COLUMNS: Final = ", ".join(Window._fields)


def seal_ticks(connection: sqlite3.Connection, layouts: Layouts, run: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows are (tick_ms, wall_ms, boottime_ns, clock_step_ms, reaches_ms), in order."""
    tick_ms, wall_ms, boottime_ns, clock_step_ms, reaches_ms = zip(*rows, strict=True)
    body = pack(
        (
            tick_ms,
            [wall - tick for wall, tick in zip(wall_ms, tick_ms, strict=True)],
            [boottime - tick * _NS_PER_MS for boottime, tick in zip(boottime_ns, tick_ms, strict=True)],
            clock_step_ms,
            reaches_ms,
        )
    )
    reaching = min((each for each in reaches_ms if each is not None), default=None)
    layout = layouts.number("tick", _TICK_COLUMNS)
    connection.execute(
        f"INSERT INTO tick_chunk ({_WINDOW_COLUMNS}, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*Window(tick_ms[0], tick_ms[-1], run, len(rows), reaching, layout), body),
    )


def select_windows(
    connection: sqlite3.Connection, runs: Collection[int] | None, from_ms: int, to_ms: int, longest_ms: int
) -> list[Window]:
    """Windows with a tick in (from_ms, to_ms], none longer than longest_ms, in order."""
    chosen = None if runs is None else json.dumps(list(runs))
    return [
        Window(*row)
        for row in connection.execute(
            f"SELECT {_WINDOW_COLUMNS} FROM tick_chunk WHERE first_ms > :from - :longest AND first_ms <= :to "
            "AND last_ms > :from AND (:runs IS NULL OR +run IN (SELECT value FROM json_each(:runs))) ORDER BY first_ms",
            {"from": from_ms, "to": to_ms, "longest": longest_ms, "runs": chosen},
        )
    ]


def read_ticks(connection: sqlite3.Connection, layouts: Layouts, window: Window) -> list[Tick]:
    """The ticks of a window. Raises StoreError where its body is damaged."""
    row = connection.execute("SELECT body FROM tick_chunk WHERE first_ms = ?", (window.first_ms,)).fetchone()
    if row is None:
        raise _damaged("ticks", window, "it is gone")
    found = _columns(row[0], window.ticks, layouts.columns(window.layout), "ticks", window)
    tick_ms, wall, boottime, clock_step_ms = (found[name] for name in _TICK_COLUMNS[:4])
    if any(None in column for column in (tick_ms, wall, boottime, clock_step_ms)):
        raise _damaged("ticks", window, "it has ticks of no time")
    if tick_ms[0] != window.first_ms or tick_ms[-1] != window.last_ms:
        raise _damaged("ticks", window, "it holds other ticks")
    return [
        Tick(tick, tick + off_ms, tick * _NS_PER_MS + off_ns, step_ms, window.run)
        for tick, off_ms, off_ns, step_ms in zip(tick_ms, wall, boottime, clock_step_ms, strict=True)
    ]


class ChunkTable(Generic[E]):
    """The chunks of one kind of entry."""

    def __init__(self, kind: str, rows: EntryTable[E]) -> None:
        self._kind = kind
        self._name = f"{kind}_chunk"
        self._rows = rows
        self._layout = (*_ROW_TIMES, *rows.columns)
        self._histograms_at = self._layout.index("histograms") if "histograms" in rows.columns else None
        self._raw = (
            f"SELECT t.tick_ms, e.t0, e.t1, {', '.join(rows.columns)} FROM tick AS t "
            f"CROSS JOIN {rows.name} AS e ON e.id = (t.tick_ms << {ENTITY_BITS}) + ? "
            "WHERE t.tick_ms >= ? AND t.tick_ms <= ? AND +t.run = ? ORDER BY t.tick_ms"
        )

    @property
    def raw_table(self) -> str:
        return self._rows.name

    @property
    def name(self) -> str:
        return self._name

    def raw_entities(self, connection: sqlite3.Connection, first_ms: int, last_ms: int) -> list[int]:
        """Entities that have raw rows in [first_ms, last_ms]."""
        return [
            entity
            for (entity,) in connection.execute(
                f"SELECT DISTINCT id & {ENTITY_LIMIT - 1} FROM {self._rows.name} WHERE id >= ? AND id < ?",
                (first_ms << ENTITY_BITS, (last_ms + 1) << ENTITY_BITS),
            )
        ]

    def seal(
        self, connection: sqlite3.Connection, layouts: Layouts, run: int, ticks_ms: Sequence[int], entity: int
    ) -> None:
        """Pack the raw rows of an entity at these ticks of a run; the raw rows stay."""
        rows = connection.execute(self._raw, (entity, ticks_ms[0], ticks_ms[-1], run)).fetchall()
        if not rows:
            return
        place = {tick_ms: index for index, tick_ms in enumerate(ticks_ms)}
        tick_ms, t0, t1, *values = map(list, zip(*rows, strict=True))
        ends_ms = [tick + off for tick, off in zip(tick_ms, t1, strict=True)]
        before_ms = (tick_ms[0], *ends_ms)
        gaps_ms = [tick + off - end for tick, off, end in zip(tick_ms, t0, before_ms, strict=False)]
        tail = b""
        if self._histograms_at is not None:
            blobs = values[self._histograms_at - len(_ROW_TIMES)]
            values[self._histograms_at - len(_ROW_TIMES)] = [None if blob is None else len(blob) for blob in blobs]
            tail = b"".join(blob for blob in blobs if blob is not None)
        body = pack((([place[tick] for tick in tick_ms]), t1, gaps_ms, *values), tail)
        connection.execute(
            f"INSERT INTO {self._name} (id, entries, layout, body) VALUES (?, ?, ?, ?)",
            ((ticks_ms[0] << ENTITY_BITS) + entity, len(rows), layouts.number(self._kind, self._layout), body),
        )

    def read(
        self,
        connection: sqlite3.Connection,
        layouts: Layouts,
        codec: HistogramCodec,
        window: Window,
        ticks: Sequence[Tick],
    ) -> Iterator[tuple[int, E]]:
        """(place of its tick, entry) of all entities, by entity and tick."""
        for entity, columns in self.columns(connection, layouts, window, ticks):
            numbers: list[list[Any]] = [columns[name] for name in self._rows.columns if name != "histograms"]
            if self._histograms_at is not None:
                at = self._histograms_at - len(_ROW_TIMES)
                numbers.insert(at, _blobs(columns["histograms"], columns.tail, window))
            for tick, t0_ms, t1_ms, *values in zip(
                columns["tick"], columns["t0_ms"], columns["t1_ms"], *numbers, strict=True
            ):
                yield tick, self._rows.entry(codec, entity, t0_ms, t1_ms, values)

    def columns(
        self,
        connection: sqlite3.Connection,
        layouts: Layouts,
        window: Window,
        ticks: Sequence[Tick],
        entity: int | None = None,
    ) -> Iterator[tuple[int, EntryColumns]]:
        """(entity, its columns) of all entities, or of one."""
        base = window.first_ms << ENTITY_BITS
        within = (base, base + ENTITY_LIMIT - 1) if entity is None else (base + entity, base + entity)
        for id_, entries, layout, body in connection.execute(
            f"SELECT id, entries, layout, body FROM {self._name} WHERE id BETWEEN ? AND ? ORDER BY id", within
        ):
            found = _columns(body, entries, layouts.columns(layout), self._kind, window)
            yield id_ & ENTITY_LIMIT - 1, EntryColumns(found, ticks, window, self._kind)


class NamedColumns:
    """Columns of a body by name; one that it does not have, for it is older, is unknown throughout."""

    def __init__(self, columns: Columns, rows: int, names: tuple[str, ...]) -> None:
        self._columns = columns
        self._rows = rows
        self._places = {name: place for place, name in enumerate(names)}

    def __getitem__(self, name: str) -> list[Any]:
        place = self._places.get(name)
        return [None] * self._rows if place is None else self._columns[place]

    @property
    def tail(self) -> bytes:
        return self._columns.tail


class EntryColumns:
    """The columns of one entity's rows in a window; besides those of its table `tick`, `t0_ms` and `t1_ms`."""

    def __init__(self, columns: NamedColumns, ticks: Sequence[Tick], window: Window, kind: str) -> None:
        self._columns = columns
        places, ends, gaps = (columns[name] for name in _ROW_TIMES)
        if None in places or None in ends or None in gaps:
            raise _damaged(kind, window, "it has rows of no time")
        if not all(0 <= place < len(ticks) for place in (min(places), max(places))):
            raise _damaged(kind, window, "it has rows of no tick")
        tick_ms = [ticks[place].tick_ms for place in places]
        ends_ms = [tick + off for tick, off in zip(tick_ms, ends, strict=True)]
        before_ms = (tick_ms[0], *ends_ms)
        self._times = {
            "t1_ms": ends_ms,
            "t0_ms": [end + gap for end, gap in zip(before_ms, gaps, strict=False)],
        }

    def __getitem__(self, name: str) -> list[Any]:
        return self._times[name] if name in self._times else self._columns[name]

    @property
    def tail(self) -> bytes:
        return self._columns.tail


GPU_CHUNKS: Final = ChunkTable("gpu", GPU_ROWS)
SERVER_CHUNKS: Final = ChunkTable("server", SERVER_ROWS)
FLOW_CHUNKS: Final = ChunkTable("flow", FLOW_ROWS)
HOST_CHUNKS: Final = ChunkTable("host", HOST_ROWS)
CHUNK_TABLES: Final = (GPU_CHUNKS, SERVER_CHUNKS, FLOW_CHUNKS, HOST_CHUNKS)


def delete_entries(connection: sqlite3.Connection, first_ms: int) -> None:
    """Delete the chunks of every entity in the window that begins with a tick."""
    base = first_ms << ENTITY_BITS
    for table in CHUNK_TABLES:
        connection.execute(f"DELETE FROM {table.name} WHERE id BETWEEN ? AND ?", (base, base + ENTITY_LIMIT - 1))


def _columns(body: bytes, rows: int, names: tuple[str, ...], kind: str, window: Window) -> NamedColumns:
    try:
        return NamedColumns(Columns(body, rows, len(names)), rows, names)
    except DamagedError as error:
        raise _damaged(kind, window, str(error)) from error


def _blobs(lengths: list[int | None], tail: bytes, window: Window) -> list[bytes | None]:
    ends = list(accumulate(length or 0 for length in lengths))
    if ends[-1] != len(tail) or min(length or 0 for length in lengths) < 0:
        raise _damaged("flow", window, "its histograms do not fit")
    return [None if length is None else tail[end - length : end] for length, end in zip(lengths, ends, strict=True)]


def _damaged(kind: str, window: Window, why: str) -> StoreError:
    return StoreError(
        f"the store's sealed {kind} from {window.first_ms} on are damaged: {why}; "
        "check it with `tokwatch doctor --store`"
    )
