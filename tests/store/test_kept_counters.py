"""Counters as they stood near a moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from tokwatch.store.kept_counters import KeptCounters, last_kept
from tokwatch.store.schema import ENTITY_BITS
from tokwatch.store.sealed import WINDOW_MS

NOON_MS = 1_795_262_400_000
GPU, FLOW = 7, 12


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """One GPU's counters at every window, and a flow's once, damaged later."""
    made = sqlite3.connect(":memory:")
    made.execute("CREATE TABLE absolute (id INTEGER PRIMARY KEY, counters TEXT NOT NULL)")
    rows = [
        *((((NOON_MS + i * WINDOW_MS) << ENTITY_BITS) + GPU, f'{{"energy_mj": {i}}}') for i in range(3)),
        ((NOON_MS << ENTITY_BITS) + FLOW, '{"output_tokens@engine=0": 5, "output_tokens@engine=1": 6}'),
        (((NOON_MS + WINDOW_MS) << ENTITY_BITS) + FLOW, "torn"),
    ]
    made.executemany("INSERT INTO absolute VALUES (?, ?)", rows)
    yield made
    made.close()


def test_the_last_at_or_before_a_moment_is_found(connection: sqlite3.Connection) -> None:
    assert last_kept(connection, GPU, NOON_MS) == KeptCounters(NOON_MS, {"energy_mj": 0})
    later_ms = NOON_MS + 2 * WINDOW_MS - 1
    assert last_kept(connection, GPU, later_ms) == KeptCounters(NOON_MS + WINDOW_MS, {"energy_mj": 1})


def test_before_the_first_and_long_after_the_last_there_are_none(connection: sqlite3.Connection) -> None:
    assert last_kept(connection, GPU, NOON_MS - 1) is None
    assert last_kept(connection, GPU, NOON_MS + 5 * WINDOW_MS) is None
    assert last_kept(connection, FLOW + 1, NOON_MS) is None


def test_damaged_ones_are_as_if_they_were_not_kept(connection: sqlite3.Connection) -> None:
    assert last_kept(connection, FLOW, NOON_MS) is not None
    assert last_kept(connection, FLOW, NOON_MS + WINDOW_MS) is None
