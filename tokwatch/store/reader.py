"""Read-only access to the store: any number of readers, while a recorder writes or after it."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from collectors.labels import clean_label
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.entries import Entity, Event, Run, TickRecord
from tokwatch.store import rows
from tokwatch.store.breaks import Break, read_breaks
from tokwatch.store.connection import one_state, open_for_reading
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.kept_counters import KeptCounters, last_kept
from tokwatch.store.mutes import read_mutes
from tokwatch.store.named_sessions import NamedSession, select_meta, select_sessions, select_summed
from tokwatch.store.open_periods import read_minutes, read_quarters
from tokwatch.store.quarters import Quarters
from tokwatch.store.seen import Seen, read_seen
from tokwatch.store.series import event_series
from tokwatch.store.state_time import state_time
from tokwatch.store.ticks import Ticks

_STEPS_BETWEEN_LOOKS: Final = 20_000  # of SQLite's machine: under a millisecond
_TICKS_AT_ONCE: Final = 256  # no read transaction stays open while the caller thinks
_KEY_LIMIT: Final = 4096  # keys identify: only what nobody could have recorded is cut
_OF_RUNS: Final = "(:runs IS NULL OR run IN (SELECT value FROM json_each(:runs)))"


class Reader:
    """One read-only connection; belongs to the thread that made it. `runs` is a set of run ids, None for all.

    Raises StoreError from the constructor: no store, not ours, or of another version.
    """

    def __init__(self, path: Path) -> None:
        self._connection = open_for_reading(path)
        self._codec = HistogramCodec(self._connection)
        self._ticks = Ticks(self._connection, self._codec)
        self._seen_version = self._data_version()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def give_up_when(self, taken_back: Callable[[], bool]) -> None:
        """Asked now and then while SQLite works; true ends the reading with sqlite3.OperationalError.

        Not Connection.interrupt: that is lost on whoever is between two statements.
        """
        self._connection.set_progress_handler(taken_back, _STEPS_BETWEEN_LOOKS)

    def changed(self) -> bool:
        """Whether anything was committed since the last call (or since opening). Costs microseconds: poll it."""
        version = self._data_version()
        changed, self._seen_version = version != self._seen_version, version
        return changed

    def faults(self) -> list[str]:
        """What SQLite's own quick check finds wrong with the file; nothing when it is sound. Reads all of it."""
        try:
            found = [str(row[0]) for row in self._connection.execute("PRAGMA quick_check(5)")]
        except sqlite3.DatabaseError as error:  # damaged where the check itself has to read
            return [str(error)]
        return [] if found == ["ok"] else found

    def runs(self) -> list[Run]:
        return [
            replace(run, host=clean_label(run.host), version=clean_label(run.version))
            for run in rows.select_runs(self._connection)
        ]

    def entities(self) -> list[Entity]:
        """Everything that was ever measured. A flow's key is JSON: whoever decodes it cleans the labels in it."""
        return [
            replace(entity, host=clean_label(entity.host), key=clean_label(entity.key, _KEY_LIMIT))
            for entity in rows.select_entities(self._connection)
        ]

    def prices(self) -> list[rows.PriceVersion]:
        """Every version of the price book, in the order they were recorded."""
        return [
            replace(price, source=clean_label(price.source), reason=clean_label(price.reason, _KEY_LIMIT))
            for price in rows.select_prices(self._connection)
        ]

    def closes(self) -> list[rows.PriceClose]:
        """The months whose prices are final."""
        return rows.select_closes(self._connection)

    def mutes(self) -> list[Mute]:
        """Every mute of alerts that there ever was, those that are over included."""
        return read_mutes(self._connection)

    def meta(self) -> dict[str, str]:
        """What the file says about itself."""
        return {
            clean_label(key): clean_label(value, _KEY_LIMIT) for key, value in select_meta(self._connection).items()
        }

    def named_sessions(self) -> list[NamedSession]:
        """Ranges that somebody named, by their beginnings."""
        return [replace(named, name=clean_label(named.name)) for named in select_sessions(self._connection)]

    def summed_quarters(self, run: int, before_ms: int | None = None) -> list[int]:
        """Starts of the quarter hours that a run has sums of, those that end by `before_ms` where it is given."""
        return select_summed(self._connection, run, before_ms)

    def told(self) -> rows.Told:
        """How far prices, closings and mutes go: cheap enough to ask for every few seconds."""
        return rows.select_told(self._connection)

    def last_tick(self, runs: Collection[int] | None = None, at_or_before_ms: int | None = None) -> int | None:
        """tick_ms of the last tick, at or before a moment where one is given."""
        with one_state(self._connection):
            return self._ticks.last(runs, at_or_before_ms)

    def tick_after(self, runs: Collection[int] | None, after_ms: int) -> int | None:
        """tick_ms of the first tick later than a moment."""
        with one_state(self._connection):
            return self._ticks.after(runs, after_ms)

    def records(
        self, runs: Collection[int] | None, from_ms: int, to_ms: int, entities: Collection[int] | None = None
    ) -> Iterator[TickRecord]:
        """Ticks in (from_ms, to_ms] as they were recorded, entries in the order of their entities.

        Left out are `absolutes` (only the latest are kept) and `entities` (kept once: see `entities()`).
        entities: with the entries of these only, which takes a part of the time.
        """
        after_ms = from_ms
        while True:
            with one_state(self._connection):
                found = self._ticks.records(runs, after_ms, to_ms, entities)
                if not found:
                    return
                last_ms = found[-1].tick.tick_ms
                happened = {
                    at_ms: tuple(each)
                    for at_ms, each in groupby(self.events(after_ms, last_ms, runs=runs), lambda event: event.tick_ms)
                }
            for record in found:
                events = happened.get(record.tick.tick_ms)
                yield record if events is None else replace(record, events=events)
            after_ms = last_ms

    def events(
        self,
        from_ms: int,
        to_ms: int,
        kinds: Collection[str] | None = None,
        runs: Collection[int] | None = None,
        entities: Collection[int] | None = None,
    ) -> list[Event]:
        """Events in (from_ms, to_ms], in the order they happened."""
        within: dict[str, Any] = {"from": from_ms, "to": to_ms, "runs": _json(runs)}
        chosen = f"event.tick_ms > :from AND event.tick_ms <= :to AND {_OF_RUNS}"
        if kinds is None:
            sql = f"SELECT {rows.EVENT_COLUMNS} FROM event WHERE {chosen} ORDER BY event.tick_ms, position"
            every = [rows.event_of(row) for row in self._connection.execute(sql, within)]
            return [event for event in every if entities is None or event.entity in entities]
        # By series: of a month's 200 000 events the alerts and states are a few thousand.
        sql = f"SELECT position, {rows.EVENT_COLUMNS} FROM event WHERE kind = :kind AND entity = :entity AND key = :key"
        found = [
            row
            for kind, entity, key in event_series(self._connection, kinds)
            if entities is None or entity in entities
            for row in self._connection.execute(
                f"{sql} AND {chosen}", within | {"kind": kind, "entity": entity, "key": key}
            )
        ]
        found.sort(key=lambda row: (row[1], row[0]))
        return [rows.event_of(row[1:]) for row in found]

    def last_events(
        self,
        at_ms: int,
        *,
        runs: Collection[int] | None = None,
        entities: Collection[int] | None = None,
        kinds: Collection[str] | None = None,
    ) -> list[Event]:
        """The event in force at a moment for every kind × entity × key, in that order."""
        found = []
        for kind, entity, key in event_series(self._connection, kinds):
            if entities is None or entity in entities:
                row = self._connection.execute(
                    f"SELECT {rows.EVENT_COLUMNS} FROM event WHERE kind = :kind AND entity = :entity AND key = :key "
                    f"AND tick_ms <= :at AND {_OF_RUNS} ORDER BY tick_ms DESC LIMIT 1",
                    {"kind": kind, "entity": entity, "key": key, "at": at_ms, "runs": _json(runs)},
                ).fetchone()
                if row is not None:
                    found.append(rows.event_of(row))
        return found

    def kept_counters(self, entity: int, at_or_before_ms: int) -> KeptCounters | None:
        """An entity's counters as they stood when they were last kept; None where none were of late."""
        return last_kept(self._connection, entity, at_or_before_ms)

    def breaks(self, from_ms: int, to_ms: int) -> list[Break]:
        """Restarts and unwatched silences of counters in (from_ms, to_ms], of all runs, in order."""
        return read_breaks(self._connection, from_ms, to_ms)

    def quarters(
        self, from_ms: int, to_ms: int, runs: Collection[int] | None = None, *, traffic: bool = True
    ) -> Quarters:
        """Quarter-hour rows of every quarter with a part in (from_ms, to_ms], whole ones, the running one included.

        traffic: with the rows of flows.
        """
        with one_state(self._connection):
            return read_quarters(self._connection, self._codec, from_ms, to_ms, runs, traffic=traffic)

    def minutes(
        self, from_ms: int, to_ms: int, runs: Collection[int] | None = None, *, traffic: bool = True
    ) -> Quarters:
        """Minute rows likewise; `quarter_ms` is where the minute starts. None is older than they are kept, none of
        before version 4, and none has a part of an entry that reaches back for more than an hour."""
        with one_state(self._connection):
            return read_minutes(self._connection, self._codec, from_ms, to_ms, runs, traffic=traffic)

    def due_quarters(self, from_ms: int, to_ms: int, runs: Collection[int] | None = None) -> int:
        """How many quarter hours that start in [from_ms, to_ms) have no stored rows yet: still running, or cut off."""
        found: int = self._connection.execute(
            "SELECT count(*) FROM quarter WHERE rolled = 0 AND quarter_ms >= :from AND quarter_ms < :to "
            f"AND {_OF_RUNS}",
            {"from": from_ms, "to": to_ms, "runs": _json(runs)},
        ).fetchone()[0]
        return found

    def seen(self, runs: Collection[int] | None = None) -> list[Seen]:
        """From when to when each GPU was there to be watched, by run."""
        with one_state(self._connection):
            return read_seen(self._connection, runs)

    def gpu_states(
        self, runs: Collection[int] | None, from_ms: int, to_ms: int
    ) -> Iterator[tuple[int, int, int, int, int]]:
        """(gpu, t0_ms, t1_ms, State, Flag) of every GPU entry of the ticks in (from_ms, to_ms], in order."""
        with one_state(self._connection):
            return self._ticks.gpu_states(runs, from_ms, to_ms)

    def state_ms(
        self,
        entity: int,
        from_ms: int,
        to_ms: int,
        runs: Collection[int] | None = None,
        *,
        as_of_ms: int | None = None,
    ) -> dict[int, int]:
        """Milliseconds a GPU spent in each State within (from_ms, to_ms], gaps left out; no zeros.

        as_of_ms: what was known at that tick; entries of later ticks that reach back are left out.
        """
        total: dict[int, int] = defaultdict(int)
        with one_state(self._connection):
            for run in [run.id for run in self.runs()] if runs is None else runs:
                for state, ms in state_time(self._connection, self._ticks, entity, run, from_ms, to_ms, as_of_ms):
                    total[state] += ms
        return {state: total[state] for state in sorted(total) if total[state]}

    def used_bytes(self) -> int:
        """What the file holds, free pages left out; up to 4 MB more stand in the -wal beside it."""
        pages, free, size = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def _data_version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version


def _json(values: Collection[Any] | None) -> str | None:
    return None if values is None else json.dumps(list(values))
