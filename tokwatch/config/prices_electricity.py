"""`[prices.electricity]`: one price, a tariff by local time, or a file with a price series."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from tokwatch.config.prices_limits import Problem, most_per_kwh, outside
from tokwatch.config.prices_series import SeriesFile
from tokwatch.ledger.local_time import known_zone
from tokwatch.ledger.prices.electricity import QUARTERS_PER_DAY, Electricity, Flat, Period, TimeOfUse, by_week

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WAYS = ("usd_per_kwh", "periods", "file")
_WHERE = "prices.electricity"


class PeriodSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Hours of some days at one price; `until` at or before `from` reaches into the next day."""

    usd_per_kwh: float
    from_: str  # "16:00"
    until: str  # "21:00", "24:00"
    days: tuple[str, ...] = ("mon-sun",)  # "mon", "mon-fri", "sat-sun"

    def period(self) -> Period:
        """Raises ValueError with words for what is no day or time of day."""
        weekdays = sorted({day for text in self.days for day in _weekdays(text)})
        return Period(self.usd_per_kwh, tuple(weekdays), _minute(self.from_), _minute(self.until))


class ElectricitySection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of three: usd_per_kwh, or timezone with periods, or file."""

    usd_per_kwh: float | None = None
    timezone: str = ""  # IANA name; of the periods
    periods: tuple[PeriodSection, ...] = ()
    otherwise: float | None = None  # outside of the periods
    file: SeriesFile | None = None  # CSV, relative to the config file

    def electricity(self) -> Electricity:
        """As the price book has it; for a section without problems."""
        if self.file is not None:
            return self.file.series
        if self.usd_per_kwh is not None:
            return Flat(self.usd_per_kwh)
        return TimeOfUse(self.timezone, tuple(each.period() for each in self.periods), self.otherwise)


def problems(section: ElectricitySection, currency: str) -> Iterator[Problem]:
    """(path, message) of what gives an instant no price, two, or one that cannot be."""
    told = [key for key in _WAYS if getattr(section, key) not in (None, ())]
    if len(told) != 1:
        yield _WHERE, f"give one of usd_per_kwh, periods with a timezone, and file; there are {len(told)}"
        return
    for key, value in (("timezone", section.timezone), ("otherwise", section.otherwise)):
        if value not in ("", None) and not section.periods:
            yield f"{_WHERE}.{key}", f"belongs to periods, and {told[0]} is given"
    most = most_per_kwh(currency)
    yield from outside(f"{_WHERE}.usd_per_kwh", section.usd_per_kwh, 0, most, "per kWh, not cents and not per MWh")
    yield from outside(f"{_WHERE}.otherwise", section.otherwise, 0, most, "per kWh, not cents and not per MWh")
    if section.file is not None:
        yield from _series_problems(section.file, currency)
    if section.periods:
        yield from _tariff_problems(section, most)


def _series_problems(file: SeriesFile, currency: str) -> Iterator[Problem]:
    most = most_per_kwh(currency, market=True)
    if file.currency != currency:
        yield f"{_WHERE}.file", f"its prices are in {file.currency}, and prices.currency is {currency}"
    for price in (min(file.series.usd_per_kwh), max(file.series.usd_per_kwh)):
        yield from outside(f"{_WHERE}.file", price, -most, most, "a price per kWh; is the column one per MWh?")


def _tariff_problems(section: ElectricitySection, most: float) -> Iterator[Problem]:
    yield from _zone_problems(section.timezone)
    periods = []
    for index, each in enumerate(section.periods):
        where = f"{_WHERE}.periods[{index}]"
        yield from outside(f"{where}.usd_per_kwh", each.usd_per_kwh, 0, most, "per kWh, not cents and not per MWh")
        for key, text in (("from", each.from_), ("until", each.until)):
            if problem := _time_problem(text, end_of_day=key == "until"):
                yield f"{where}.{key}", problem
                return
        try:
            periods.append(each.period())
        except ValueError as error:
            yield f"{where}.days", str(error)
            return
        if not periods[-1].weekdays:
            yield f"{where}.days", 'name a day: "mon", "mon-fri" or "sat-sun"'
    for quarter, held in enumerate(by_week(periods)):
        when = _local(quarter)
        if len(held) > 1:
            yield f"{_WHERE}.periods[{held[1]}]", f"overlaps periods[{held[0]}] on {when}"
            return
        if not held and section.otherwise is None:
            yield _WHERE, f"has no price on {when}: give that of all other times as otherwise"
            return


def _zone_problems(timezone: str) -> Iterator[Problem]:
    where = f"{_WHERE}.timezone"
    if not timezone:
        yield where, 'is missing: the hours of a tariff are local ones, write an IANA name such as "Europe/Berlin"'
    elif known_zone(timezone) is None:
        words = "is no time zone that this machine knows: write an IANA name such as"
        yield where, f'"{timezone}" {words} "Europe/Berlin"; if it is one, install tzdata'
    elif re.fullmatch(r"UTC[+-]\d\d:\d\d", timezone) and int(timezone[-2:]) % 15:
        yield where, f'"{timezone}" is off the quarter hour: prices change on quarter hours'


def _time_problem(text: str, *, end_of_day: bool) -> str:
    try:
        minute = _minute(text)
    except ValueError as error:
        return str(error)
    if minute == QUARTERS_PER_DAY * 15 and not end_of_day:
        return "the day begins at 00:00"
    return "is off the quarter hour: prices change on quarter hours" if minute % 15 else ""


def _minute(text: str) -> int:
    found = re.fullmatch(r"(\d{1,2}):(\d\d)", text)
    minute = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else -1
    if not 0 <= minute <= QUARTERS_PER_DAY * 15:
        raise ValueError(f'"{text}" is no time of day: write "16:00", and "24:00" for the end of the day')
    return minute


def _weekdays(text: str) -> list[int]:
    first, _, last = text.lower().partition("-")
    if first not in _DAYS or (last or first) not in _DAYS:
        raise ValueError(f'"{text}" is no day: write "mon", "mon-fri" or "sat-sun"')
    begin, end = _DAYS.index(first), _DAYS.index(last or first)
    return [day % 7 for day in range(begin, end + 1 + (7 if end < begin else 0))]


def _local(quarter: int) -> str:
    day, of_day = divmod(quarter, QUARTERS_PER_DAY)
    return f"{_DAY_NAMES[day]} at {of_day // 4:02}:{of_day % 4 * 15:02}"
