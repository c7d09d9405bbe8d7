"""Read-only access to the store: any number of readers, while a recorder writes or after it."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from collectors.labels import clean_label
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.entries import Entity, Event, Run, Tick, TickRecord
from tokwatch.store import rows
from tokwatch.store.connection import open_for_reading
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.mutes import read_mutes
from tokwatch.store.quarters import Quarters, read_quarters
from tokwatch.store.schema import ENTITY_BITS, ENTITY_LIMIT
from tokwatch.store.seen import Seen, read_seen
from tokwatch.store.state_time import state_time

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
        self._seen_version = self._data_version()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

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

    def told(self) -> rows.Told:
        """How far prices, closings and mutes go: cheap enough to ask for every few seconds."""
        return rows.select_told(self._connection)

    def last_tick(self, runs: Collection[int] | None = None, at_or_before_ms: int | None = None) -> int | None:
        """tick_ms of the last tick, at or before a moment where one is given."""
        return self._extreme_tick("max", runs, "(:at IS NULL OR tick_ms <= :at)", at_or_before_ms)

    def tick_after(self, runs: Collection[int] | None, after_ms: int) -> int | None:
        """tick_ms of the first tick later than a moment."""
        return self._extreme_tick("min", runs, "tick_ms > :at", after_ms)

    def records(self, runs: Collection[int] | None, from_ms: int, to_ms: int) -> Iterator[TickRecord]:
        """Ticks in (from_ms, to_ms] as they were recorded, entries in the order of their entities.

        Left out are `absolutes` (only the latest are kept) and `entities` (kept once: see `entities()`).
        """
        after_ms = from_ms
        while (first_ms := self.tick_after(runs, after_ms)) is not None and first_ms <= to_ms:
            for record in self._some_records(runs, first_ms, to_ms):
                after_ms = record.tick.tick_ms
                yield record

    def events(
        self, from_ms: int, to_ms: int, kinds: Collection[str] | None = None, runs: Collection[int] | None = None
    ) -> list[Event]:
        """Events in (from_ms, to_ms], in the order they happened."""
        return [
            rows.event_of(row)
            for row in self._connection.execute(
                f"SELECT {rows.EVENT_COLUMNS} FROM event JOIN tick USING (tick_ms) "
                "WHERE event.tick_ms > :from AND event.tick_ms <= :to "
                f"AND (:kinds IS NULL OR +kind IN (SELECT value FROM json_each(:kinds))) AND {_OF_RUNS} "
                "ORDER BY event.tick_ms, position",
                {"from": from_ms, "to": to_ms, "kinds": _json(kinds), "runs": _json(runs)},
            )
        ]

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
        for kind, entity, key in self._event_series():
            if (entities is None or entity in entities) and (kinds is None or kind in kinds):
                row = self._connection.execute(
                    f"SELECT {rows.EVENT_COLUMNS} FROM event WHERE kind = :kind AND entity = :entity AND key = :key "
                    "AND tick_ms <= :at AND (:runs IS NULL OR (SELECT run FROM tick WHERE tick.tick_ms = "
                    "event.tick_ms) IN (SELECT value FROM json_each(:runs))) ORDER BY tick_ms DESC LIMIT 1",
                    {"kind": kind, "entity": entity, "key": key, "at": at_ms, "runs": _json(runs)},
                ).fetchone()
                if row is not None:
                    found.append(rows.event_of(row))
        return found

    def quarters(
        self, from_ms: int, to_ms: int, runs: Collection[int] | None = None, *, traffic: bool = True
    ) -> Quarters:
        """Quarter-hour rows of every quarter with a part in (from_ms, to_ms], whole ones, the running one included.

        traffic: with the rows of flows.
        """
        with self._snapshot():
            return read_quarters(self._connection, self._codec, from_ms, to_ms, runs, traffic=traffic)

    def seen(self, runs: Collection[int] | None = None) -> list[Seen]:
        """From when to when each GPU was there to be watched, by run."""
        with self._snapshot():
            return read_seen(self._connection, runs)

    def gpu_states(
        self, runs: Collection[int] | None, from_ms: int, to_ms: int
    ) -> Iterator[tuple[int, int, int, int, int]]:
        """(gpu, t0_ms, t1_ms, State, Flag) of every GPU entry of the ticks in (from_ms, to_ms], in order."""
        return self._connection.execute(
            f"SELECT e.id & {ENTITY_LIMIT - 1}, t.tick_ms + e.t0, t.tick_ms + e.t1, e.state, e.flags FROM tick AS t "
            f"CROSS JOIN gpu_raw AS e ON e.id BETWEEN t.tick_ms << {ENTITY_BITS} "
            f"AND (t.tick_ms << {ENTITY_BITS}) + {ENTITY_LIMIT - 1} "
            "WHERE t.tick_ms > :from AND t.tick_ms <= :to AND (:runs IS NULL OR +t.run IN "
            "(SELECT value FROM json_each(:runs))) ORDER BY t.tick_ms",
            {"from": from_ms, "to": to_ms, "runs": _json(runs)},
        )

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
        with self._snapshot():
            for run in [run.id for run in self.runs()] if runs is None else runs:
                for state, ms in state_time(self._connection, entity, run, from_ms, to_ms, as_of_ms):
                    total[state] += ms
        return {state: total[state] for state in sorted(total) if total[state]}

    def _some_records(self, runs: Collection[int] | None, first_ms: int, to_ms: int) -> list[TickRecord]:
        # `+run`: the range of ticks is the index to use, not the one of runs.
        chosen = "t.tick_ms >= :first AND t.tick_ms <= :last AND (:runs IS NULL OR +t.run IN "
        chosen += "(SELECT value FROM json_each(:runs)))"
        within: dict[str, Any] = {"first": first_ms, "last": to_ms, "runs": _json(runs)}
        ticks = [
            Tick(*row)
            for row in self._connection.execute(
                "SELECT tick_ms, wall_ms, boottime_ns, clock_step_ms, run FROM tick AS t "
                f"WHERE {chosen} ORDER BY tick_ms LIMIT {_TICKS_AT_ONCE}",
                within,
            )
        ]
        within["last"] = ticks[-1].tick_ms

        def by_tick(table: rows.EntryTable[rows.E]) -> dict[int, tuple[rows.E, ...]]:
            found = table.select(self._connection, self._codec, chosen, within)
            return {
                tick_ms: tuple(entry for _, entry in numbered)
                for tick_ms, numbered in groupby(found, lambda numbered: numbered[0])
            }

        gpus, servers, flows = by_tick(rows.GPU_ROWS), by_tick(rows.SERVER_ROWS), by_tick(rows.FLOW_ROWS)
        hosts = by_tick(rows.HOST_ROWS)
        happened = self.events(first_ms - 1, ticks[-1].tick_ms, runs=runs)
        events = {at_ms: tuple(each) for at_ms, each in groupby(happened, lambda event: event.tick_ms)}
        return [
            TickRecord(
                tick,
                gpus.get(tick.tick_ms, ()),
                servers.get(tick.tick_ms, ()),
                flows.get(tick.tick_ms, ()),
                hosts.get(tick.tick_ms, ()),
                events=events.get(tick.tick_ms, ()),
            )
            for tick in ticks
        ]

    def _extreme_tick(self, extreme: str, runs: Collection[int] | None, where: str, at_ms: int | None) -> int | None:
        if runs is None:
            sql = f"SELECT {extreme}(tick_ms) FROM tick WHERE {where}"
        else:  # one index seek for each run
            sql = (
                f"SELECT {extreme}(found) FROM (SELECT (SELECT {extreme}(tick_ms) FROM tick "
                f"WHERE run = chosen.value AND {where}) AS found FROM json_each(:runs) AS chosen)"
            )
        found: int | None = self._connection.execute(sql, {"runs": _json(runs), "at": at_ms}).fetchone()[0]
        return found

    def _event_series(self) -> Iterator[tuple[str, int, str]]:
        """Every kind, entity and key that has an event: an index seek for each, however many events there are."""
        after: tuple[str, int, str] = ("", -1, "")
        while True:
            row = self._connection.execute(
                "SELECT kind, entity, key FROM event WHERE (kind, entity, key) > (?, ?, ?) "
                "ORDER BY kind, entity, key LIMIT 1",
                after,
            ).fetchone()
            if row is None:
                return
            after = row
            yield after

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Several reads of one state of the store."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def _data_version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version


def _json(values: Collection[Any] | None) -> str | None:
    return None if values is None else json.dumps(list(values))
