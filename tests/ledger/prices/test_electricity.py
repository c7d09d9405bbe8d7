"""What a kilowatt-hour costs at each instant: any has one price, and it changes on quarter hours only."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.prices.electricity import (
    LONGEST_WEEK_MS,
    QUARTER_MS,
    QUARTERS_PER_DAY,
    Electricity,
    Flat,
    Period,
    Series,
    TimeOfUse,
    by_week,
    next_change,
    segments,
)

WEEKDAYS, EVERY_DAY = (0, 1, 2, 3, 4), tuple(range(7))
EVENING = Period(0.30, WEEKDAYS, 16 * 60, 21 * 60)
NIGHT = Period(0.10, EVERY_DAY, 23 * 60, 6 * 60)
BERLIN = TimeOfUse("Europe/Berlin", (EVENING, NIGHT), 0.20)


def ms(text: str, zone: str = "Europe/Berlin") -> int:
    """Unix milliseconds of a local time; with a fold, "2026-10-25T02:30 again"."""
    time, _, again = text.partition(" ")
    return int(datetime.fromisoformat(time).replace(tzinfo=ZoneInfo(zone), fold=bool(again)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("local", "price"),
    [
        ("2026-11-20T15:59:59", 0.20),  # a Friday
        ("2026-11-20T16:00", 0.30),
        ("2026-11-20T20:59", 0.30),
        ("2026-11-20T21:00", 0.20),
        ("2026-11-21T17:00", 0.20),  # Saturdays have no evening price
        ("2026-11-20T23:00", 0.10),
        ("2026-11-21T00:00", 0.10),
        ("2026-11-21T05:59", 0.10),
        ("2026-11-21T06:00", 0.20),
    ],
)
def test_a_tariff_holds_by_local_time_and_weekday_and_across_midnight(local: str, price: float) -> None:
    assert BERLIN.at(ms(local)) == price


def test_a_period_belongs_to_the_day_it_begins_on() -> None:
    friday_night = TimeOfUse("UTC", (Period(0.10, (4,), 22 * 60, 6 * 60),), 0.20)
    prices = [friday_night.at(ms(f"2026-11-{day}T05:00", "UTC")) for day in (20, 21, 22)]
    assert prices == [0.20, 0.10, 0.20]


def test_from_midnight_to_midnight_is_the_whole_day() -> None:
    for until in (0, 24 * 60):
        tariff = TimeOfUse("UTC", (Period(0.10, (6,), 0, until),), 0.20)
        assert [tariff.at(ms(f"2026-11-{day}T23:59", "UTC")) for day in (21, 22, 23)] == [0.20, 0.10, 0.20]
        assert tariff.at(ms("2026-11-23T00:00", "UTC")) == 0.20


def test_the_hour_that_clocks_repeat_has_its_price_twice() -> None:
    tariff = TimeOfUse("Europe/Berlin", (Period(0.10, EVERY_DAY, 2 * 60, 3 * 60),), 0.20)
    begin, end = ms("2026-10-25T00:00"), ms("2026-10-25T06:00")
    cut = list(segments(tariff, begin, end))
    assert [price for _, _, price in cut] == [0.20, 0.10, 0.20]
    assert cut[1][1] - cut[1][0] == 2 * 3_600_000
    assert (cut[1][0], cut[1][1]) == (ms("2026-10-25T02:00"), ms("2026-10-25T03:00"))


def test_the_hour_that_clocks_skip_has_no_price_at_all() -> None:
    tariff = TimeOfUse("Europe/Berlin", (Period(0.10, EVERY_DAY, 2 * 60, 3 * 60),), 0.20)
    assert list(segments(tariff, ms("2026-03-29T00:00"), ms("2026-03-29T06:00"))) == [
        (ms("2026-03-29T00:00"), ms("2026-03-29T06:00"), 0.20)
    ]


def test_outside_of_all_periods_and_without_another_price_there_is_none() -> None:
    assert TimeOfUse("UTC", (EVENING,)).at(ms("2026-11-20T03:00", "UTC")) is None


def test_a_zone_that_this_machine_does_not_know_gives_no_price() -> None:
    assert TimeOfUse("Mars/Olympus_Mons", (), 0.2).at(0) is None


def test_each_quarter_hour_of_a_week_knows_its_periods() -> None:
    week = list(by_week((EVENING, NIGHT, Period(0.5, (4,), 20 * 60, 22 * 60))))
    friday_20 = 4 * QUARTERS_PER_DAY + 80
    assert len(week) == 7 * QUARTERS_PER_DAY
    assert (week[0], week[friday_20 - 1], week[friday_20], week[40]) == ([1], [0], [0, 2], [])


SERIES = Series("a.csv", (QUARTER_MS, 2 * QUARTER_MS, 6 * QUARTER_MS), (0.1, -0.02, 0.3), 10 * QUARTER_MS)


def test_a_series_holds_from_each_row_to_the_next_and_nowhere_else() -> None:
    quarters = (0, 1, 2, 5, 6, 9, 10)
    assert [SERIES.at(quarter * QUARTER_MS) for quarter in quarters] == [None, 0.1, -0.02, -0.02, 0.3, 0.3, None]
    assert SERIES.at(2 * QUARTER_MS - 1) == 0.1


def test_a_flat_price_is_one_segment_and_no_price_too() -> None:
    assert list(segments(Flat(0.085), 5, 10**12)) == [(5, 10**12, 0.085)]
    assert list(segments(None, 5, 10)) == [(5, 10, None)]


def test_the_next_change_is_told_where_there_is_one() -> None:
    assert next_change(BERLIN, ms("2026-11-20T15:00")) == (ms("2026-11-20T16:00"), 0.30)
    assert next_change(SERIES, 7 * QUARTER_MS) == (10 * QUARTER_MS, None)
    assert next_change(Flat(0.1), 0) is None


def test_a_price_that_holds_once_a_week_is_still_found() -> None:
    tariff = TimeOfUse("Europe/Berlin", (Period(0.10, (6,), 2 * 60, 3 * 60),), 0.20)
    after = ms("2026-10-18T03:00")
    assert next_change(tariff, after) == (ms("2026-10-25T02:00"), 0.10)
    assert ms("2026-10-25T02:30 again") - after <= LONGEST_WEEK_MS


quarters_of_day = st.integers(0, QUARTERS_PER_DAY).map(lambda quarter: quarter * 15)
periods = st.builds(
    Period,
    st.sampled_from([0.1, 0.2, 0.3]),
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    quarters_of_day.filter(lambda minute: minute < 24 * 60),
    quarters_of_day,
)
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC-03:30"]
)
tariffs = st.builds(TimeOfUse, zones, st.lists(periods, max_size=4).map(tuple), st.none() | st.just(0.4))


@st.composite
def series(draw: st.DrawFn) -> Series:
    steps = draw(st.lists(st.integers(1, 4), min_size=2, max_size=30))
    begin = draw(st.integers(0, 100)) + YEAR_MS // QUARTER_MS
    edges = [QUARTER_MS * (begin + sum(steps[:n])) for n in range(len(steps) + 1)]
    prices = draw(st.lists(st.sampled_from([-0.1, 0.1, 0.2]), min_size=len(steps), max_size=len(steps)))
    return Series("a.csv", tuple(edges[:-1]), tuple(prices), edges[-1])


YEAR_MS = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
instants = st.integers(0, 366 * 86_400_000).map(lambda ms: YEAR_MS + ms)


@given(tariffs | series(), instants, st.integers(1, 40 * QUARTER_MS), st.data())
def test_any_instant_has_exactly_one_price_and_it_changes_on_quarter_hours(
    electricity: Electricity, from_ms: int, length_ms: int, data: st.DataObject
) -> None:
    to_ms = from_ms + length_ms
    cut = list(segments(electricity, from_ms, to_ms))
    assert (cut[0][0], cut[-1][1]) == (from_ms, to_ms)
    for (_, end, price), (start, _, after) in pairwise(cut):
        assert end == start
        assert end % QUARTER_MS == 0
        assert price != after
    for start, end, price in cut:
        assert start < end
        assert electricity.at(data.draw(st.integers(start, end - 1))) == price
