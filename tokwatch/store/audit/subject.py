"""The store that is looked at: one state of it, whoever writes meanwhile."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from collectors.labels import clean_label
from tokwatch.ledger.entries import Entity, Run
from tokwatch.store import rows
from tokwatch.store.cut import Cut, read_cut
from tokwatch.store.histograms import HistogramCodec
from tokwatch.store.ticks import Ticks


@dataclass(frozen=True, slots=True)
class Subject:
    """All of it is read in one transaction."""

    path: Path
    connection: sqlite3.Connection
    codec: HistogramCodec
    ticks: Ticks
    runs: dict[int, Run]
    entities: dict[int, Entity]
    cut: Cut | None  # of a file that is a part of a store

    def name(self, entity: int) -> str:
        """Of an entity, for people."""
        found = self.entities.get(entity)
        return f"{found.kind} {clean_label(found.key)}" if found is not None else f"entity {entity}"

    @property
    def imported(self) -> frozenset[int]:
        return frozenset(run.id for run in self.runs.values() if run.kind == "imported")


def subject_of(path: Path, connection: sqlite3.Connection) -> Subject:
    """Of a connection in a read transaction. Raises StoreError, sqlite3.Error where what all checks need is damaged."""
    codec = HistogramCodec(connection)
    return Subject(
        path,
        connection,
        codec,
        Ticks(connection, codec),
        {run.id: run for run in rows.select_runs(connection)},
        {entity.id: entity for entity in rows.select_entities(connection)},
        read_cut(dict(connection.execute("SELECT key, value FROM meta"))),
    )
