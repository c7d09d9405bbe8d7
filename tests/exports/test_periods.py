"""Quarter hours, hours, days and months of time zones: half-open, without holes, however clocks are set."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exports.box import NOON_MS
from tokwatch.exports.errors import ExportError
from tokwatch.exports.hours import HOUR_MS, parse_instant
from tokwatch.exports.periods import GRAINS, Grain, Period, Periods
from tokwatch.store.rollup import QUARTER_MS

ZONES = (
    "UTC",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "America/Santiago",  # clocks skip midnight
    "America/Havana",  # clocks show midnight twice
    "Pacific/Apia",  # has no 30 December 2011
    "Pacific/Chatham",
)


def told(text: str, grain: Grain, zone: str) -> tuple[str, str, float]:
    """The period of an instant: its edges as they are written, its length in hours."""
    periods = Periods(grain, zone)
    period = periods.of(parse_instant(text))
    return periods.written(period.start_ms), periods.written(period.end_ms), period.length_ms / HOUR_MS


@pytest.mark.parametrize(
    ("grain", "start", "end"),
    [
        ("quarter", "2026-11-21T14:15:00Z", "2026-11-21T14:30:00Z"),
        ("hour", "2026-11-21T14:00:00Z", "2026-11-21T15:00:00Z"),
        ("day", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),
        ("month", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
    ],
)
def test_in_utc(grain: Grain, start: str, end: str) -> None:
    assert told("2026-11-21T14:29:59.999Z", grain, "UTC")[:2] == (start, end)


def test_hours_and_days_of_kathmandu_begin_at_a_quarter_past_in_utc() -> None:
    assert told("2026-11-21T14:00Z", "hour", "Asia/Kathmandu") == (
        "2026-11-21T19:00:00+05:45",
        "2026-11-21T20:00:00+05:45",
        1,
    )
    assert told("2026-11-21T18:14Z", "day", "Asia/Kathmandu")[0] == "2026-11-21T00:00:00+05:45"
    assert told("2026-11-21T18:15Z", "day", "Asia/Kathmandu")[0] == "2026-11-22T00:00:00+05:45"


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-04-04", 24), ("2026-04-05", 24.5), ("2026-10-03", 24), ("2026-10-04", 23.5)]
)
def test_a_day_on_lord_howe_may_be_half_an_hour_longer_or_shorter(day: str, hours: float) -> None:
    assert told(f"{day}T12:00+10:30", "day", "Australia/Lord_Howe")[2] == hours


def test_where_clocks_are_set_by_half_an_hour_stands_half_an_hour() -> None:
    """At 2:00 they go back to 1:30."""
    hours = [told(f"2026-04-04T{utc}Z", "hour", "Australia/Lord_Howe") for utc in ("14:30", "15:00", "15:30")]
    assert hours == [
        ("2026-04-05T01:00:00+11:00", "2026-04-05T01:30:00+10:30", 1),
        ("2026-04-05T01:30:00+10:30", "2026-04-05T02:00:00+10:30", 0.5),
        ("2026-04-05T02:00:00+10:30", "2026-04-05T03:00:00+10:30", 1),
    ]


def test_an_hour_that_the_clocks_show_twice_is_two() -> None:
    assert [told(f"2026-10-25T{utc}Z", "hour", "Europe/Berlin")[0] for utc in ("00:30", "01:30")] == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
    ]


def test_a_day_without_midnight_begins_with_its_first_hour() -> None:
    assert told("2026-09-06T12:00Z", "day", "America/Santiago") == (
        "2026-09-06T01:00:00-03:00",
        "2026-09-07T00:00:00-03:00",
        23,
    )


quarters = st.integers(
    int(datetime(2011, 1, 1, tzinfo=UTC).timestamp() * 1000) // QUARTER_MS,
    int(datetime(2037, 1, 1, tzinfo=UTC).timestamp() * 1000) // QUARTER_MS,
).map(lambda number: number * QUARTER_MS)


@given(quarters, st.sampled_from(ZONES), st.sampled_from(GRAINS))
def test_periods_follow_one_another_without_holes(quarter_ms: int, zone: str, grain: Grain) -> None:
    periods = Periods(grain, zone)
    period = periods.of(quarter_ms)
    assert period.start_ms <= quarter_ms < period.end_ms
    assert periods.of(period.start_ms) == periods.of(period.end_ms - 1) == period
    assert periods.of(period.end_ms).start_ms == period.end_ms
    assert parse_instant(periods.written(period.start_ms)) == period.start_ms


@given(quarters, st.sampled_from(ZONES))
def test_a_finer_grain_lies_within_a_coarser_one(quarter_ms: int, zone: str) -> None:
    found = [Periods(grain, zone).of(quarter_ms) for grain in GRAINS]
    for fine, coarse in pairwise(found):
        assert coarse.start_ms <= fine.start_ms < fine.end_ms <= coarse.end_ms


def test_a_zone_that_is_not_known_is_told_with_an_example() -> None:
    with pytest.raises(ExportError, match=r"no time zone 'Mars/Olympus'.*Europe/Berlin"):
        Periods("day", "Mars/Olympus")
    with pytest.raises(ExportError, match="no time zone"):
        Periods("day", "/etc/passwd")


def test_a_zone_that_divides_quarter_hours_is_refused() -> None:
    with pytest.raises(ExportError, match="no multiple of 15 minutes"):
        Periods("day", "UTC+05:37").of(NOON_MS)


def test_a_quarter_hour_is_the_same_everywhere() -> None:
    assert {Periods("quarter", zone).of(NOON_MS) for zone in ZONES} == {Period(NOON_MS, NOON_MS + QUARTER_MS)}
