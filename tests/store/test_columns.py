"""Columns of integers: what goes in comes out, in few bytes, and nothing else is taken for one."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokwatch.store.columns import INFLATED_AT_MOST, ROWS_AT_MOST, Columns, DamagedError, pack

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
VALUES = st.one_of(INT64, st.integers(-300, 300), st.none())


@st.composite
def tables(draw: st.DrawFn) -> list[list[int | None]]:
    rows = draw(st.integers(1, 40))
    return draw(st.lists(st.lists(VALUES, min_size=rows, max_size=rows), max_size=6))


@given(tables(), st.binary(max_size=20))
@settings(max_examples=300, deadline=None)
def test_what_goes_in_comes_out(table: list[list[int | None]], tail: bytes) -> None:
    found = Columns(pack(table, tail), len(table[0]) if table else 1, len(table))
    assert [found[place] for place in range(len(table))] == table
    assert found.tail == tail


def test_a_steady_column_takes_next_to_nothing() -> None:
    rows = 600
    steady: list[list[int | None]] = [[7] * rows, list(range(0, 1000 * rows, 1000)), [None] * rows]
    assert len(pack(steady)) < 60


def test_noise_takes_the_bytes_of_its_range_and_not_of_its_height() -> None:
    noise = [600_000 + value * 7919 % 251 for value in range(600)]
    assert len(pack([noise])) < 700


@given(st.binary(max_size=200), st.integers(-1, 700), st.integers(0, 5))
@settings(max_examples=300, deadline=None)
def test_other_bytes_are_damage_and_nothing_worse(inflated: bytes, rows: int, columns: int) -> None:
    for body in (inflated, zlib.compress(inflated)):
        try:
            found = Columns(body, rows, columns)
            assert all(len(found[place]) == rows for place in range(columns))
        except DamagedError:
            pass


def test_a_bomb_is_not_inflated() -> None:
    bomb = zlib.compress(bytes(INFLATED_AT_MOST + 1))
    with pytest.raises(DamagedError, match="at most"):
        Columns(bomb, 1, 1)


def test_more_rows_than_a_chunk_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        pack([[1] * (ROWS_AT_MOST + 1)])
