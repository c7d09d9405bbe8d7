"""Instants of an export: UTC unless a zone is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exports.box import NOON_MS
from tokwatch.exports.errors import ExportError
from tokwatch.exports.hours import hour_of, parse_instant, utc


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2026-11-21T12:00", NOON_MS),
        ("2026-11-21 12:00:00", NOON_MS),
        ("2026-11-21T12:00:00Z", NOON_MS),
        ("2026-11-21T13:00+01:00", NOON_MS),
        ("2026-11-21", NOON_MS - 12 * 3_600_000),
        ("2026-11-21T12:00:00.250", NOON_MS + 250),
    ],
)
def test_an_instant_is_utc_unless_it_names_its_zone(text: str, at_ms: int) -> None:
    assert parse_instant(text) == at_ms


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "12:00"])
def test_what_is_no_instant_is_told_with_an_example(text: str) -> None:
    with pytest.raises(ExportError, match="write 2026-11-21"):
        parse_instant(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+14:00", "1969-12-31", "9999-12-31T23:59-12:00"])
def test_an_instant_of_another_age_is_refused(text: str) -> None:
    with pytest.raises(ExportError, match="write a year from 1970 to 2200"):
        parse_instant(text)


@given(st.integers(0, 4 * 10**12))
def test_what_is_written_is_read_back(at_ms: int) -> None:
    assert parse_instant(utc(at_ms)) == at_ms // 1000 * 1000
    assert hour_of(at_ms) <= at_ms < hour_of(at_ms) + 3_600_000
