"""Mutes in the store: rows that are only added, seen from any process."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.store.connection import open_for_writing
from tokwatch.store.mutes import add_mute, end_mute
from tokwatch.store.reader import Reader
from tokwatch.store.telling import telling

MUTE = Mute(made_ms=1000, until_ms=9000, reason="an experiment", by="ada", state="parked", gpu="3")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    open_for_writing(path).close()
    return path


def test_a_mute_is_read_back_as_it_was_made_with_its_number(store: Path) -> None:
    with telling(store) as connection:
        first, second = add_mute(connection, MUTE), add_mute(connection, replace(MUTE, model="qwen"))
    assert (first.id, second.id) == (1, 2)
    with Reader(store) as reader:
        assert reader.mutes() == [first, second]


def test_a_mute_that_is_taken_back_ends_then_and_stays_in_the_books(store: Path) -> None:
    with telling(store) as connection:
        add_mute(connection, MUTE)
        assert end_mute(connection, 1, 5000)
    with Reader(store) as reader:
        assert reader.mutes() == [replace(MUTE, id=1, until_ms=5000)]


@pytest.mark.parametrize("number", [0, 2])
def test_what_is_not_in_force_cannot_be_taken_back(store: Path, number: int) -> None:
    with telling(store) as connection:
        add_mute(connection, MUTE)
        assert not end_mute(connection, number, 5000)
        assert not end_mute(connection, 1, 9000)
        assert end_mute(connection, 1, 5000)
        assert not end_mute(connection, 1, 6000)


def test_taking_one_back_is_news_to_who_looks_how_far_the_rows_go(store: Path) -> None:
    with Reader(store) as reader:
        told = [reader.told().mutes]
        with telling(store) as connection:
            add_mute(connection, MUTE)
        told.append(reader.told().mutes)
        with telling(store) as connection:
            end_mute(connection, 1, 5000)
        told.append(reader.told().mutes)
    assert told[0] < told[1] < told[2]


def test_nothing_is_kept_of_a_transaction_that_fails(store: Path) -> None:
    def fail() -> None:
        with telling(store) as connection:
            add_mute(connection, MUTE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with Reader(store) as reader:
        assert reader.mutes() == []
