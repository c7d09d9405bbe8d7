"""What a user types: a moment in time, a price. Errors are sentences for the prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

TIMES_IN_SHORT: Final = "14:03, yesterday 14:00, -10m, 2h ago, first, end"
_UNDERSTOOD: Final = (
    "not a time: type 14:03, 14:03:20, 2026-05-01 14:03, today 9:00, yesterday 14:00, monday 8:15, -10m, 2h ago, "
    "3d ago, first or end"
)
_FIRST: Final = frozenset({"first", "start", "begin", "beginning"})
_LAST: Final = frozenset({"last", "end", "now"})
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_UNIT: Final = r"(?:s|m|h|d|w|sec|min|hr|seconds?|minutes?|hours?|days?|weeks?)(?![a-z])"
_LENGTH: Final = rf"(?:\d{{1,9}}(?:\.\d{{1,6}})? ?{_UNIT} ?)+"
_PART: Final = re.compile(r"([\d.]+) ?([a-z]+)")
_RELATIVE: Final = re.compile(rf"([+-]) ?({_LENGTH})")
_AGO: Final = re.compile(rf"({_LENGTH}) ?ago")
_TIME: Final = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?")
_DAY_AND_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d|[a-z]+)(?:[ t]+(\d.*))?")
_MIDNIGHT: Final = time()


class Moment(NamedTuple):
    """An instant, Unix ms, and in `note` what had to be assumed of the words it was named by; "" for nothing."""

    at_ms: int
    note: str = ""


def parse_moment(text: str, *, shown_ms: int, first_ms: int, last_ms: int, zone: tzinfo) -> Moment:
    """The instant that `text` names on the clocks of `zone`.

    "+10m" and "-10m" count from `shown_ms`, and a time alone is of its day, of the day before where it would be later
    than `last_ms`. "2h ago", "today" and "yesterday" count from `last_ms`; a weekday is the last such one up to then.
    The instant may lie outside of [first_ms, last_ms].
    Raises ValueError with all that can be typed.
    """
    words = " ".join(text.lower().replace("−", "-").split())
    if words in _FIRST or words in _LAST:
        return Moment(first_ms if words in _FIRST else last_ms)
    if match := _RELATIVE.fullmatch(words):
        return Moment(shown_ms + (_length_ms(match[2]) if match[1] == "+" else -_length_ms(match[2])))
    if match := _AGO.fullmatch(words):
        return Moment(last_ms - _length_ms(match[1]))
    try:
        return _absolute(words) or _on_the_clock(words, shown_ms, last_ms, zone)
    except (OverflowError, OSError) as error:  # a year that no clock has
        raise ValueError(_UNDERSTOOD) from error


ENDS_IN_SHORT: Final = "1h, 8h, 3d, or until 18:00"
_LONGEST_MS: Final = 366 * 86_400_000
_NO_PRICE: Final = 1e6  # of a GPU hour in no currency's units: zeros too many


def parse_expiry(text: str, *, now_ms: int, zone: tzinfo) -> int:
    """When something ends that begins now: after a length of time, or at the next 18:00 on the clocks of `zone`.

    Raises ValueError with what can be typed.
    """
    words = " ".join(text.lower().split()).removeprefix("for ").removeprefix("until ")
    if re.fullmatch(_LENGTH, words):
        length_ms = _length_ms(words)
        if not 0 < length_ms <= _LONGEST_MS:
            raise ValueError("a length of time above 0, and a year at most")
        return now_ms + length_ms
    at = _time(words)
    if at is None:
        raise ValueError(f"not an end: type {ENDS_IN_SHORT}")
    today = datetime.fromtimestamp(now_ms / 1000, zone).date()
    ends = (_instant(today + timedelta(days=days), at, zone).at_ms for days in range(3))
    return next(end_ms for end_ms in ends if end_ms > now_ms)


def _length_ms(text: str) -> int:
    return sum(int(float(number) * _UNITS_MS[unit[0]]) for number, unit in _PART.findall(text))


def _absolute(words: str) -> Moment | None:
    """An ISO time that says how far from UTC it is."""
    try:
        moment = datetime.fromisoformat(words.upper())
    except ValueError:
        return None
    return None if moment.tzinfo is None else Moment(round(moment.timestamp() * 1000))


def _on_the_clock(words: str, shown_ms: int, last_ms: int, zone: tzinfo) -> Moment:
    """A day, a time of day, or both."""
    last_day, shown_day = (datetime.fromtimestamp(at / 1000, zone).date() for at in (last_ms, shown_ms))
    if (alone := _time(words)) is not None:
        return _last_of((shown_day - timedelta(days=back) for back in range(2)), alone, last_ms, zone)
    match = _DAY_AND_TIME.fullmatch(words)
    at = _MIDNIGHT if match is None or match[2] is None else _time(match[2])
    if match is None or at is None:
        raise ValueError(_UNDERSTOOD)
    named = match[1]
    if named in ("today", "yesterday"):
        return _instant(last_day - timedelta(days=named == "yesterday"), at, zone)
    for number, weekday in enumerate(_WEEKDAYS):
        if named in (weekday, weekday[:3]):
            back = (last_day.weekday() - number) % 7
            days = (last_day - timedelta(days=back + 7 * weeks) for weeks in range(2))
            return _last_of(days, at, last_ms, zone)
    try:
        return _instant(date.fromisoformat(named), at, zone)
    except ValueError:
        raise ValueError(_UNDERSTOOD) from None


def _time(text: str) -> time | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return time(hour, minute, second, int((match[4] or "0").ljust(3, "0")) * 1000)


def _last_of(days: Iterator[date], at: time, last_ms: int, zone: tzinfo) -> Moment:
    """The first of the days, the latest one first, on which the time is not later than last_ms."""
    for day in days:
        found = _instant(day, at, zone)
        if found.at_ms <= last_ms:
            break
    return found


def _instant(day: date, at: time, zone: tzinfo) -> Moment:
    """A time of day as an instant; the clock showed it never or twice where it was put forward or back (PEP 495)."""
    named = datetime.combine(day, at)
    before, after = named.replace(tzinfo=zone), named.replace(tzinfo=zone, fold=1)
    back = (before.utcoffset() or timedelta()) - (after.utcoffset() or timedelta())
    found_ms = round(before.timestamp() * 1000)
    if not back:
        return Moment(found_ms)
    if back > timedelta():
        minutes = round(back.total_seconds() / 60)
        return Moment(
            found_ms,
            f"{named:%H:%M} was twice on {day}, as the clocks went back: this is the first; +{minutes}m is the second",
        )
    shown = datetime.fromtimestamp(found_ms / 1000, UTC).astimezone(zone)
    return Moment(found_ms, f"there was no {named:%H:%M} on {day}, as the clocks went forward: this is {shown:%H:%M}")


def parse_price(text: str, sign: str = "$") -> float:
    """A price per GPU and hour, with the currency's own sign before it or not. Raises ValueError for all else."""
    try:
        price = float(text.strip().removeprefix(sign))
    except ValueError:
        raise ValueError("not a number: type the price of one GPU for one hour, such as 2.35") from None
    if not 0 < price < _NO_PRICE:  # also NaN
        raise ValueError(f"a price is a number above 0 and below {_NO_PRICE:.0f}, such as 2.35")
    return price
