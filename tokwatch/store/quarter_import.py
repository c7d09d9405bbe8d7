"""Whole quarter-hour rows of many hosts written into a fresh store: of what was never seen tick by tick.

Everything that reads sums reads such a store as any other: exports, reports of money, sessions. It has one tick, after
its end, which says how far it goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import msgspec

from tokwatch.ledger.bodies import GpuBody, ServerBody, SettingsBody, event
from tokwatch.ledger.entries import Entity, Run, Tick, TickRecord
from tokwatch.ledger.registry import MOST_ENTITIES
from tokwatch.store.copying import StoreCopy
from tokwatch.store.errors import StoreError
from tokwatch.store.quarter_rows import GpuQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.rows import PriceVersion
from tokwatch.store.seen import Seen


class QuarterImport:
    """Writes a store at `path`, which is there only once the block ended without an error.

    One run stands for all hosts: runs are compared pairwise for what they hold twice, which of thousands takes hours.
    Raises StoreError where the file cannot be written, or more things are named than a store can number.
    """

    def __init__(self, path: Path, run: Run, end_ms: int) -> None:
        """end_ms: where the last quarter hour ends."""
        self._copy = StoreCopy(path)
        self._run, self._end_ms = run, end_ms
        self._entities: dict[tuple[str, str, str], int] = {}
        self._facts: dict[int, msgspec.Struct] = {}
        self._seen: dict[int, Seen] = {}

    def __enter__(self) -> QuarterImport:
        self._copy.__enter__()
        self._copy.add_run(self._run)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._copy.add_seen(list(self._seen.values()))
            last_ms = self._end_ms + 1  # a tick on the edge would be of the last quarter hour, and in it twice
            self._copy.add_record(TickRecord(Tick(last_ms, last_ms, 0, 0, self._run.id)))
        self._copy.__exit__(kind, error, trace)

    def entity(self, kind: str, host: str, key: str, *, parent: int, seen_ms: int) -> int:
        """Its number, given to it when it is named for the first time."""
        number = self._entities.get((kind, host, key))
        if number is None:
            number = len(self._entities) + 1
            if number >= MOST_ENTITIES:
                raise StoreError(f"more than {MOST_ENTITIES - 1} GPUs, servers and models: ask for a shorter time")
            self._entities[kind, host, key] = number
            self._copy.add_entities([Entity(number, kind, host, key, parent, seen_ms)])
        return number

    def host(self, name: str, seen_ms: int) -> int:
        return self.entity("host", name, name, parent=0, seen_ms=seen_ms)

    def describe(self, entity: int, at_ms: int, body: GpuBody | ServerBody) -> None:
        """What is known of it from then on; the same again is not written."""
        if self._facts.get(entity) != body:
            self._facts[entity] = body
            self._copy.add_events(self._run.id, [event(max(1, at_ms), entity, "facts", body)])

    def settings(self, at_ms: int, body: SettingsBody) -> None:
        """The limits that all of it is judged by."""
        self._copy.add_events(self._run.id, [event(max(1, at_ms), 0, "settings", body)])

    def add_price(self, version: PriceVersion) -> None:
        self._copy.add_price(version)

    def add(self, quarters: Quarters) -> None:
        """Rows of this run that it has none of yet."""
        self._copy.add_quarters(quarters)
        self._see(quarters.gpus)

    def _see(self, gpus: Iterable[GpuQuarter]) -> None:
        """From when to when each GPU is known to have been there: a quarter hour that is not whole is its first one, of
        which it was there to the end, or its last one, to the beginning."""
        for row in gpus:
            known_ms = row.observed_ms + row.gap_ms
            first_ms, last_ms = row.quarter_ms + QUARTER_MS - known_ms, row.quarter_ms + known_ms
            before = self._seen.get(row.entity)
            if before is not None:
                first_ms = min(before.first_ms, first_ms)
                last_ms = max(before.last_ms, last_ms)
            elif known_ms < QUARTER_MS:
                last_ms = row.quarter_ms + QUARTER_MS
            self._seen[row.entity] = Seen(row.entity, self._run.id, first_ms, last_ms)
