"""What can be typed for a moment in time."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.moments import Moment, parse_expiry, parse_moment, parse_price

BERLIN, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")


def ms(text: str, zone: tzinfo = UTC) -> int:
    """Unix milliseconds of an ISO time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


FIRST, SHOWN, LAST = ms("2026-11-19 08:00"), ms("2026-11-21 13:00"), ms("2026-11-21 14:03:22")  # a Saturday


def read(text: str, zone: tzinfo = UTC, last_ms: int = LAST, shown_ms: int | None = None) -> Moment:
    shown_ms = min(SHOWN, last_ms) if shown_ms is None else shown_ms
    return parse_moment(text, shown_ms=shown_ms, first_ms=FIRST, last_ms=last_ms, zone=zone)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("14:02", "2026-11-21 14:02"),
        ("14:03:22", "2026-11-21 14:03:22"),
        ("14:03:22.500", "2026-11-20 14:03:22.500"),  # not yet today
        ("9:05", "2026-11-21 09:05"),
        ("14:04", "2026-11-20 14:04"),
        ("2026-11-20 14:02", "2026-11-20 14:02"),
        ("2026-11-20T14:02:05", "2026-11-20 14:02:05"),
        ("2026-11-20", "2026-11-20 00:00"),
        ("2026-11-20T14:02:05+02:00", "2026-11-20 12:02:05"),
        ("2026-11-20 14:02Z", "2026-11-20 14:02"),
        ("yesterday 14:00", "2026-11-20 14:00"),
        ("Yesterday", "2026-11-20 00:00"),
        ("today 9:00", "2026-11-21 09:00"),
        ("today 23:00", "2026-11-21 23:00"),  # later than what is stored: the caller says so
        ("monday 8:15", "2026-11-16 08:15"),
        ("sat 8:15", "2026-11-21 08:15"),
        ("saturday 15:00", "2026-11-14 15:00"),  # today's is not yet
        ("-10m", "2026-11-21 12:50"),
        ("−90s", "2026-11-21 12:58:30"),
        ("+1h", "2026-11-21 14:00"),
        ("- 1h 30m", "2026-11-21 11:30"),
        ("-1h30m", "2026-11-21 11:30"),
        ("2h ago", "2026-11-21 12:03:22"),
        ("3d ago", "2026-11-18 14:03:22"),
        ("10 minutes ago", "2026-11-21 13:53:22"),
        ("1.5 hours ago", "2026-11-21 12:33:22"),
        ("first", "2026-11-19 08:00"),
        (" END ", "2026-11-21 14:03:22"),
        ("now", "2026-11-21 14:03:22"),
    ],
)
def test_a_moment_is_understood(typed: str, meant: str) -> None:
    assert read(typed) == Moment(ms(meant))


@pytest.mark.parametrize(
    "typed",
    ["", "soon", "25:00", "14:60", "2026-13-01", "2026-02-30 10:00", "tomorrow 9:00", "-10", "10m", "ago", "9d x"],
)
def test_what_is_not_understood_is_answered_with_what_is(typed: str) -> None:
    with pytest.raises(ValueError, match=r"yesterday 14:00.*2h ago"):
        read(typed)


def test_a_time_alone_is_of_the_day_that_is_shown() -> None:
    assert read("8:15", shown_ms=ms("2026-11-19 23:00")) == Moment(ms("2026-11-19 08:15"))
    assert read("yesterday 8:15", shown_ms=ms("2026-11-19 23:00")) == Moment(ms("2026-11-20 08:15"))


def test_times_are_those_of_the_recordings_zone() -> None:
    assert read("14:02", ZoneInfo("Asia/Kathmandu")) == Moment(ms("2026-11-21 14:02", ZoneInfo("Asia/Kathmandu")))
    # 14:03 in Greenwich is 00:03 of the next day in Sydney.
    assert read("yesterday 23:00", ZoneInfo("Australia/Sydney")) == Moment(ms("2026-11-21 12:00"))


def test_a_time_that_was_twice_is_the_first_and_that_is_told() -> None:
    found = read("2026-10-25 02:30", BERLIN)
    assert found.at_ms == ms("2026-10-25 00:30")
    assert "twice" in found.note
    assert "+60m is the second" in found.note
    assert "+30m" in read("2026-04-05 01:45", LORD_HOWE).note


def test_a_time_that_never_was_is_told_with_what_is_meant() -> None:
    found = read("2026-03-29 02:30", BERLIN)
    assert found.at_ms == ms("2026-03-29 01:30")
    assert found.note == "there was no 02:30 on 2026-03-29, as the clocks went forward: this is 03:30"


def test_a_time_is_the_last_one_also_where_a_day_has_25_hours() -> None:
    last_ms = ms("2026-10-25 00:45")  # the first 02:45 of that day
    assert read("2:50", BERLIN, last_ms).at_ms == ms("2026-10-24 00:50")
    assert read("2:40", BERLIN, last_ms).at_ms == ms("2026-10-25 00:40")


moments = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)).map(lambda moment: moment.replace(microsecond=0))
zones = st.sampled_from([UTC, BERLIN, LORD_HOWE, ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/St_Johns")])


@given(moments, zones)
def test_what_a_clock_showed_is_found_again_or_else_told(moment: datetime, zone: tzinfo) -> None:
    found = read(f"{moment:%Y-%m-%d %H:%M:%S}", zone)
    shown = datetime.fromtimestamp(found.at_ms / 1000, zone).replace(tzinfo=None, fold=0)
    assert shown == moment or "there was no" in found.note


@given(moments, zones)
def test_a_time_alone_is_never_later_than_the_end_nor_a_day_and_more_before_it(end: datetime, zone: tzinfo) -> None:
    last_ms = int(end.replace(tzinfo=UTC).timestamp() * 1000)
    found = read("12:34", zone, last_ms, shown_ms=last_ms)
    assert found.at_ms <= last_ms < found.at_ms + timedelta(hours=25).total_seconds() * 1000


@given(st.integers(0, 10**6), st.sampled_from("smhd"))
def test_lengths_count_from_what_is_shown_or_from_the_end(number: int, unit: str) -> None:
    length_ms = number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit] * 1000
    assert read(f"-{number}{unit}").at_ms == SHOWN - length_ms
    assert read(f"+{number}{unit}").at_ms == SHOWN + length_ms
    assert read(f"{number}{unit} ago").at_ms == LAST - length_ms


@given(st.text())
def test_nothing_that_is_typed_does_more_than_be_refused(text: str) -> None:
    with suppress(ValueError):
        read(text, BERLIN)


def test_a_price_is_a_number_above_0() -> None:
    assert parse_price(" $2.35 ") == 2.35
    assert parse_price("€2.35", "€") == 2.35
    for typed in ("", "nan", "inf", "-1", "0", "two", "€2.35", "99999999"):
        with pytest.raises(ValueError, match=r"2\.35"):
            parse_price(typed)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("1h", "2026-11-21 15:03:22"),
        ("8 hours", "2026-11-21 22:03:22"),
        ("for 1h 30m", "2026-11-21 15:33:22"),
        ("until 18:00", "2026-11-21 18:00"),
        ("18:00", "2026-11-21 18:00"),
        ("until 9:00", "2026-11-22 09:00"),
        ("14:03:22", "2026-11-22 14:03:22"),
    ],
)
def test_an_end_is_a_length_from_now_or_the_next_such_time(text: str, end: str) -> None:
    assert parse_expiry(text, now_ms=LAST, zone=UTC) == ms(end)


@pytest.mark.parametrize("text", ["", "soon", "0h", "2 years", "500d", "25:00", "until tomorrow", "-1h"])
def test_what_is_no_end_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"type|a year at most"):
        parse_expiry(text, now_ms=LAST, zone=UTC)


def test_an_end_on_the_day_the_clocks_go_forward_is_still_to_come() -> None:
    now_ms = ms("2026-03-29 01:30", BERLIN)
    assert now_ms < parse_expiry("2:30", now_ms=now_ms, zone=BERLIN) < now_ms + 2 * 3_600_000
