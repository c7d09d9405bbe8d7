"""What a recorder without a screen says."""

from __future__ import annotations

import msgspec

from tests.store.records import NOON_MS, tick
from tokwatch.commands.journal import Journal
from tokwatch.ledger.bodies import ProblemBody
from tokwatch.ledger.entries import Event, TickRecord


def told(*texts: str, entity: int = 0) -> list[str]:
    """What is said of one trouble whose words change from tick to tick."""
    lines: list[str] = []
    journal = Journal(lines.append)
    for n, text in enumerate(texts):
        event = Event(NOON_MS + n, entity, "problem", "store", msgspec.json.encode(ProblemBody(text)))
        journal.take(TickRecord(tick(NOON_MS + n), events=(event,)))
    return lines


def test_a_trouble_is_said_when_it_begins_and_when_it_is_over() -> None:
    full = "cannot write the store /s.db: database or disk is full; ticks wait in memory"
    assert told("", full, "") == [f"trouble: {full}", f"over: {full}"]


def test_words_that_go_on_changing_are_said_once() -> None:
    assert told("full (1 lost so far)", "full (2 lost so far)", "full (3 lost so far)", "") == [
        "trouble: full (1 lost so far)",
        "over: full (3 lost so far)",
    ]


def test_a_servers_own_trouble_is_none_of_the_recorders() -> None:
    assert told("connection refused", entity=7) == []
