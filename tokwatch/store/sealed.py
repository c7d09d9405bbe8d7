"""The sealed part of a store, read: which windows there are, their ticks, entries and states. Decoded ones are kept."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeVar, cast

from tokwatch.ledger.entries import FlowEntry, GpuEntry, HostEntry, ServerEntry, Tick
from tokwatch.store.chunks import (
    FLOW_CHUNKS,
    GPU_CHUNKS,
    HOST_CHUNKS,
    SERVER_CHUNKS,
    ChunkTable,
    EntryColumns,
    Layouts,
    Window,
    read_ticks,
    select_windows,
)
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.rows import E

WINDOW_MS: Final = 10 * 60_000  # ticks of one chunk lie in one of these, counted from 1970

_FOR_EVER_MS: Final = (1 << 63) - 1
_KEPT_WINDOWS: Final = 4  # stepping about in a replay decodes each window once; 64 GPUs take some 15 MB a window
_KEPT_TICKS: Final = 24  # windows
_KEPT_TIMES: Final = 64  # windows of one GPU
_KEPT_STRETCHES: Final = 144  # windows: a day of strips, a few pieces each

K = TypeVar("K")
V = TypeVar("V")


class GpuStretch(NamedTuple):
    """What a GPU did in (t0_ms, t1_ms]: at one tick, or at several where nothing changed and no hole was left."""

    tick_ms: int  # the last one
    entity: int
    t0_ms: int
    t1_ms: int
    state: int
    flags: int


class GpuTime(NamedTuple):
    """What a GPU did at one tick."""

    tick_ms: int
    entity: int
    t0_ms: int
    t1_ms: int
    state: int
    flags: int
    measured_ms: int


class WindowEntries(NamedTuple):
    """Entries of a window by the place of their tick, each in the order of entities."""

    gpus: dict[int, tuple[GpuEntry, ...]]
    servers: dict[int, tuple[ServerEntry, ...]]
    flows: dict[int, tuple[FlowEntry, ...]]
    hosts: dict[int, tuple[HostEntry, ...]]


class Sealed:
    """Belongs to the connection it is given. Methods raise StoreError where a chunk is damaged."""

    def __init__(self, connection: sqlite3.Connection, codec: HistogramCodec) -> None:
        self._connection = connection
        self._codec = codec
        self._layouts = Layouts(connection)
        self._ticks: OrderedDict[int, list[Tick]] = OrderedDict()
        self._entries: OrderedDict[int, WindowEntries] = OrderedDict()
        self._times: OrderedDict[tuple[int, int], list[GpuTime]] = OrderedDict()
        self._stretches: OrderedDict[int, list[GpuStretch]] = OrderedDict()

    def windows(self, runs: Collection[int] | None, from_ms: int, to_ms: int) -> list[Window]:
        """Those with a tick in (from_ms, to_ms], by their first tick; of several runs they may overlap."""
        return select_windows(self._connection, runs, from_ms, to_ms, WINDOW_MS)

    def ticks(self, window: Window) -> list[Tick]:
        found = _kept(self._ticks, window.first_ms)
        if found is None:
            found = read_ticks(self._connection, self._layouts, window)
            _keep(self._ticks, window.first_ms, found, _KEPT_TICKS)
        return found

    def entries(self, window: Window) -> WindowEntries:
        """All entries of a window."""
        found = _kept(self._entries, window.first_ms)
        if found is None:
            found = WindowEntries(
                self._of_kind(GPU_CHUNKS, window),
                self._of_kind(SERVER_CHUNKS, window),
                self._of_kind(FLOW_CHUNKS, window),
                self._of_kind(HOST_CHUNKS, window),
            )
            _keep(self._entries, window.first_ms, found, _KEPT_WINDOWS)
        return found

    def gpu_times(self, window: Window, entity: int) -> list[GpuTime]:
        """What a GPU did, tick by tick: only the columns needed for that are decoded."""
        key = (window.first_ms, entity)
        found = _kept(self._times, key)
        if found is None:
            found = next(self._gpu_times(window, entity), [])
            _keep(self._times, key, found, _KEPT_TIMES)
        return found

    def all_gpu_times(self, window: Window) -> list[GpuTime]:
        """The same of every GPU; not kept, for it is much."""
        return [each for of_one in self._gpu_times(window) for each in of_one]

    def gpu_stretches(self, window: Window) -> list[GpuStretch]:
        """What every GPU did, one after another, in as few pieces as say it."""
        found = _kept(self._stretches, window.first_ms)
        if found is None:
            ticks, found = self.ticks(window), []
            for gpu, columns in GPU_CHUNKS.columns(self._connection, self._layouts, window, ticks):
                found += _stretches(gpu, columns, ticks)
            _keep(self._stretches, window.first_ms, found, _KEPT_STRETCHES)
        return found

    def _gpu_times(self, window: Window, entity: int | None = None) -> Iterator[list[GpuTime]]:
        ticks = self.ticks(window)
        for gpu, columns in GPU_CHUNKS.columns(self._connection, self._layouts, window, ticks, entity):
            numbers = (columns[name] for name in ("tick", "t0_ms", "t1_ms", "state", "flags", "measured_ms"))
            yield [GpuTime(ticks[place].tick_ms, gpu, *rest) for place, *rest in zip(*numbers, strict=True)]

    def reaching(self, run: int, after_ms: int, before_ms: int, as_of_ms: int | None) -> list[Window]:
        """Windows of a run that begin after a moment and hold an entry that reaches back to before another one."""
        firsts = self._connection.execute(
            "SELECT first_ms FROM tick_chunk WHERE run = ? AND first_ms > ? AND reaches_ms < ? AND first_ms <= ?",
            (run, after_ms, before_ms, _FOR_EVER_MS if as_of_ms is None else as_of_ms),
        ).fetchall()
        return [window for (first_ms,) in firsts for window in self.windows([run], first_ms - 1, first_ms)]

    def last_tick(self, runs: Collection[int] | None, at_or_before_ms: int | None) -> int | None:
        """tick_ms of the last sealed tick, at or before a moment where one is given."""
        at_ms = _FOR_EVER_MS if at_or_before_ms is None else at_or_before_ms
        found_ms: int | None = None
        for window in self._last_windows(runs, at_ms):
            last_ms = window.last_ms
            if last_ms > at_ms:
                ticks = self.ticks(window)
                last_ms = ticks[bisect_right(ticks, at_ms, key=_tick_ms) - 1].tick_ms
            found_ms = last_ms if found_ms is None else max(found_ms, last_ms)
        return found_ms

    def tick_after(self, runs: Collection[int] | None, after_ms: int) -> int | None:
        """tick_ms of the first sealed tick later than a moment."""
        first_ms = self._first_after(runs, after_ms)
        for window in self.windows(runs, after_ms, after_ms + 1):
            if window.first_ms <= after_ms:
                ticks = self.ticks(window)
                found_ms = ticks[bisect_right(ticks, after_ms, key=_tick_ms)].tick_ms
                first_ms = found_ms if first_ms is None else min(first_ms, found_ms)
        return first_ms

    def within(self, window: Window, from_ms: int, to_ms: int) -> Iterator[tuple[int, Tick]]:
        """(place, tick) of the window's ticks in (from_ms, to_ms]."""
        ticks = self.ticks(window)
        first = bisect_right(ticks, from_ms, key=_tick_ms)
        end = bisect_left(ticks, to_ms + 1, key=_tick_ms)
        return zip(range(first, end), ticks[first:end], strict=True)

    def _of_kind(self, table: ChunkTable[E], window: Window) -> dict[int, tuple[E, ...]]:
        found: dict[int, list[E]] = {}
        ticks = self.ticks(window)
        for place, entry in table.read(self._connection, self._layouts, self._codec, window, ticks):
            found.setdefault(place, []).append(entry)
        return {place: tuple(entries) for place, entries in found.items()}

    def _last_windows(self, runs: Collection[int] | None, at_ms: int) -> list[Window]:
        """The last windows that begin at or before a moment: those of one run follow one another."""
        if runs is None:
            (newest_ms,) = self._connection.execute(
                "SELECT max(first_ms) FROM tick_chunk WHERE first_ms <= ?", (at_ms,)
            ).fetchone()
            if newest_ms is None:
                return []
            return [window for window in self.windows(None, newest_ms - 1, newest_ms) if window.first_ms <= at_ms]
        return [
            window
            for (first_ms,) in self._connection.execute(
                "SELECT (SELECT first_ms FROM tick_chunk WHERE run = chosen.value AND first_ms <= :at "
                "ORDER BY first_ms DESC LIMIT 1) FROM json_each(:runs) AS chosen",
                {"at": at_ms, "runs": json.dumps(list(runs))},
            ).fetchall()
            if first_ms is not None
            for window in self.windows(runs, first_ms - 1, first_ms)
            if window.first_ms == first_ms
        ]

    def _first_after(self, runs: Collection[int] | None, after_ms: int) -> int | None:
        """The first window that begins after a moment: its first tick."""
        if runs is None:
            sql = "SELECT min(first_ms) FROM tick_chunk WHERE first_ms > :after"
        else:  # one index seek for each run
            sql = (
                "SELECT min(found) FROM (SELECT (SELECT min(first_ms) FROM tick_chunk WHERE run = chosen.value "
                "AND first_ms > :after) AS found FROM json_each(:runs) AS chosen)"
            )
        parameters: dict[str, Any] = {"after": after_ms, "runs": None if runs is None else json.dumps(list(runs))}
        return cast("int | None", self._connection.execute(sql, parameters).fetchone()[0])


def _stretches(gpu: int, columns: EntryColumns, ticks: Sequence[Tick]) -> Iterator[GpuStretch]:
    numbers = zip(*(columns[name] for name in ("tick", "t0_ms", "t1_ms", "state", "flags")), strict=True)
    last, from_ms, to_ms, state, flags = next(numbers)
    for place, t0_ms, t1_ms, next_state, next_flags in numbers:
        if t0_ms != to_ms or next_state != state or next_flags != flags:
            yield GpuStretch(ticks[last].tick_ms, gpu, from_ms, to_ms, state, flags)
            from_ms, state, flags = t0_ms, next_state, next_flags
        last, to_ms = place, t1_ms
    yield GpuStretch(ticks[last].tick_ms, gpu, from_ms, to_ms, state, flags)


def _tick_ms(tick: Tick) -> int:
    return tick.tick_ms


def _kept(kept: OrderedDict[K, V], key: K) -> V | None:
    found = kept.get(key)
    if found is not None:
        kept.move_to_end(key)
    return found


def _keep(kept: OrderedDict[K, V], key: K, value: V, at_most: int) -> None:
    kept[key] = value
    while len(kept) > at_most:
        kept.popitem(last=False)
