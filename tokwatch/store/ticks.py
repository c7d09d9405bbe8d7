"""Ticks and what was recorded at them, raw or sealed: which ones there are, and their records."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from tokwatch.ledger.axis import clip_ms
from tokwatch.ledger.entries import Flag, Tick, TickRecord
from tokwatch.store import rows
from tokwatch.store.chunks import Window
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.schema import ENTITY_BITS, ENTITY_LIMIT
from tokwatch.store.sealed import WINDOW_MS, GpuStretch, GpuTime, Sealed

_GAP: Final = Flag.GAP.value
_TICKS_AT_ONCE: Final = 256  # no read transaction stays open while the caller thinks
_OF_RUNS: Final = "(:runs IS NULL OR +t.run IN (SELECT value FROM json_each(:runs)))"  # `+`: not the index of runs


class Ticks:
    """Belongs to the connection it is given. `runs` is a set of run ids, None for all.

    Call inside a read transaction, or a tick that is sealed meanwhile is seen twice or not at all.
    """

    def __init__(self, connection: sqlite3.Connection, codec: HistogramCodec) -> None:
        self._connection = connection
        self._codec = codec
        self._sealed = Sealed(connection, codec)

    def last(self, runs: Collection[int] | None, at_or_before_ms: int | None) -> int | None:
        """tick_ms of the last tick, at or before a moment where one is given."""
        raw_ms = self._extreme_raw("max", runs, "(:at IS NULL OR tick_ms <= :at)", at_or_before_ms)
        sealed_ms = self._sealed.last_tick(runs, at_or_before_ms)
        return max((each for each in (raw_ms, sealed_ms) if each is not None), default=None)

    def after(self, runs: Collection[int] | None, after_ms: int) -> int | None:
        """tick_ms of the first tick later than a moment."""
        raw_ms = self._extreme_raw("min", runs, "tick_ms > :at", after_ms)
        sealed_ms = self._sealed.tick_after(runs, after_ms)
        return min((each for each in (raw_ms, sealed_ms) if each is not None), default=None)

    def records(
        self, runs: Collection[int] | None, after_ms: int, to_ms: int, entities: Collection[int] | None = None
    ) -> list[TickRecord]:
        """Some ticks in (after_ms, to_ms], the first ones, without their events; none when there are none.

        entities: with the entries of these only.
        """
        first_ms = self.after(runs, after_ms)
        if first_ms is None or first_ms > to_ms:
            return []
        last_ms = min(to_ms, (first_ms // WINDOW_MS + 1) * WINDOW_MS - 1)
        found = self._raw_records(runs, first_ms, last_ms, entities)
        if len(found) == _TICKS_AT_ONCE:
            last_ms = found[-1].tick.tick_ms
        for window in self._sealed.windows(runs, first_ms - 1, last_ms):
            found += self._sealed_records(window, first_ms, last_ms, entities)
        # Imports lie among what is recorded, and windows of two runs among one another.
        return sorted(found, key=lambda record: record.tick.tick_ms)

    def gpu_states(
        self, runs: Collection[int] | None, from_ms: int, to_ms: int
    ) -> Iterator[tuple[int, int, int, int, int]]:
        """(gpu, t0_ms, t1_ms, State, Flag) of ticks in (from_ms, to_ms], in order: of an entry, or several alike."""
        sealed: list[GpuStretch | GpuTime] = []
        for window in self._sealed.windows(runs, from_ms, to_ms):
            if from_ms < window.first_ms and window.last_ms <= to_ms:
                sealed += self._sealed.gpu_stretches(window)
            else:
                ticks = self._sealed.all_gpu_times(window)
                sealed += (each for each in ticks if from_ms < each.tick_ms <= to_ms)
        raw = self._connection.execute(
            f"SELECT e.id & {ENTITY_LIMIT - 1}, t.tick_ms + e.t0, t.tick_ms + e.t1, e.state, e.flags, t.tick_ms "
            f"FROM tick AS t CROSS JOIN gpu_raw AS e ON e.id BETWEEN t.tick_ms << {ENTITY_BITS} "
            f"AND (t.tick_ms << {ENTITY_BITS}) + {ENTITY_LIMIT - 1} "
            f"WHERE t.tick_ms > :from AND t.tick_ms <= :to AND {_OF_RUNS} ORDER BY t.tick_ms",
            {"from": from_ms, "to": to_ms, "runs": _json(runs)},
        ).fetchall()
        if sealed:  # imports lie among what is recorded, and windows of two runs among one another
            raw += [(*each[1:6], each.tick_ms) for each in sealed]
            raw.sort(key=itemgetter(5))
        return ((gpu, t0_ms, t1_ms, state, flags) for gpu, t0_ms, t1_ms, state, flags, _ in raw)

    def sealed_state_ms(
        self, entity: int, run: int, from_ms: int, to_ms: int, edge_ms: int, as_of_ms: int | None, longer_than_ms: int
    ) -> Iterator[tuple[int, int]]:
        """(State, milliseconds) of the parts within (from_ms, to_ms] of a GPU's sealed entries, gaps left out.

        edge_ms: later ticks than this reach back into the range only where their `reaches_ms` says so. as_of_ms and
        longer_than_ms as in `state_time`.
        """
        windows = self._sealed.windows([run], from_ms, edge_ms)
        windows += self._sealed.reaching(run, edge_ms, edge_ms, as_of_ms)
        for window in windows:
            for each in self._sealed.gpu_times(window, entity):
                length_ms = clip_ms(each.t0_ms, each.t1_ms, from_ms, to_ms)
                if (
                    length_ms
                    and not each.flags & _GAP
                    and (as_of_ms is None or each.tick_ms <= as_of_ms)
                    and max(each.t1_ms - each.t0_ms, each.measured_ms) > longer_than_ms
                ):
                    yield each.state, length_ms

    def _sealed_records(
        self, window: Window, first_ms: int, last_ms: int, entities: Collection[int] | None
    ) -> list[TickRecord]:
        gpus, servers, flows, hosts = self._sealed.entries(window)

        def at(place: int, kind: Mapping[int, tuple[rows.E, ...]]) -> tuple[rows.E, ...]:
            every = kind.get(place, ())
            return every if entities is None else tuple(entry for entry in every if entry.entity in entities)

        return [
            TickRecord(tick, at(place, gpus), at(place, servers), at(place, flows), at(place, hosts))
            for place, tick in self._sealed.within(window, first_ms - 1, last_ms)
        ]

    def _raw_records(
        self, runs: Collection[int] | None, first_ms: int, last_ms: int, entities: Collection[int] | None
    ) -> list[TickRecord]:
        chosen = f"t.tick_ms >= :first AND t.tick_ms <= :last AND {_OF_RUNS}"
        within: dict[str, Any] = {"first": first_ms, "last": last_ms, "runs": _json(runs)}
        ticks = [
            Tick(*row)
            for row in self._connection.execute(
                "SELECT tick_ms, wall_ms, boottime_ns, clock_step_ms, run FROM tick AS t "
                f"WHERE {chosen} ORDER BY tick_ms LIMIT {_TICKS_AT_ONCE}",
                within,
            )
        ]
        if not ticks:
            return []
        within["last"] = ticks[-1].tick_ms
        if entities is not None:
            chosen += f" AND e.id & {ENTITY_LIMIT - 1} IN (SELECT value FROM json_each(:entities))"
            within["entities"] = _json(entities)

        def by_tick(table: rows.EntryTable[rows.E]) -> dict[int, tuple[rows.E, ...]]:
            found = table.select(self._connection, self._codec, chosen, within)
            return {
                tick_ms: tuple(entry for _, entry in numbered)
                for tick_ms, numbered in groupby(found, lambda numbered: numbered[0])
            }

        gpus, servers, flows = by_tick(rows.GPU_ROWS), by_tick(rows.SERVER_ROWS), by_tick(rows.FLOW_ROWS)
        hosts = by_tick(rows.HOST_ROWS)
        return [
            TickRecord(
                tick,
                gpus.get(tick.tick_ms, ()),
                servers.get(tick.tick_ms, ()),
                flows.get(tick.tick_ms, ()),
                hosts.get(tick.tick_ms, ()),
            )
            for tick in ticks
        ]

    def _extreme_raw(self, extreme: str, runs: Collection[int] | None, where: str, at_ms: int | None) -> int | None:
        if runs is None:
            sql = f"SELECT {extreme}(tick_ms) FROM tick WHERE {where}"
        else:  # one index seek for each run
            sql = (
                f"SELECT {extreme}(found) FROM (SELECT (SELECT {extreme}(tick_ms) FROM tick "
                f"WHERE run = chosen.value AND {where}) AS found FROM json_each(:runs) AS chosen)"
            )
        found: int | None = self._connection.execute(sql, {"runs": _json(runs), "at": at_ms}).fetchone()[0]
        return found


def _json(values: Collection[Any] | None) -> str | None:
    return None if values is None else json.dumps(list(values))
