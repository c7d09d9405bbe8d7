"""What a kilowatt-hour costs: one price, a tariff by the local time of day, or a series such as a day-ahead market's.

Edges lie on quarter hours, so every stored quarter hour falls under one price.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from tokwatch.ledger.local_time import known_zone

QUARTER_MS = 15 * 60_000
QUARTERS_PER_DAY = 24 * 4
LONGEST_WEEK_MS = (7 * 24 + 1) * 3_600_000  # clocks are set back by an hour


class Flat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="flat"):
    """The same at all times."""

    usd_per_kwh: float

    def at(self, at_ms: int) -> float | None:
        return self.usd_per_kwh


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[from, until) of some weekdays; until ≤ from reaches into the next day."""

    usd_per_kwh: float
    weekdays: tuple[int, ...]  # 0: Monday, of the day it begins on
    from_minute: int  # local minutes since midnight, multiples of 15
    until_minute: int

    def holds(self, weekday: int, minute: int) -> bool:
        """Whether a local time of day lies in it."""
        if self.from_minute < self.until_minute:
            return weekday in self.weekdays and self.from_minute <= minute < self.until_minute
        yesterday = (weekday - 1) % 7
        return (weekday in self.weekdays and minute >= self.from_minute) or (
            yesterday in self.weekdays and minute < self.until_minute
        )


class TimeOfUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="time-of-use"):
    """By local time; `otherwise` outside of all periods (None: no price then).

    The hour that clocks repeat has its price twice, the one they skip not at all.
    """

    timezone: str  # IANA name
    periods: tuple[Period, ...]
    otherwise: float | None = None

    def at(self, at_ms: int) -> float | None:
        """None too on a machine that does not know the zone: another zone's price would be a wrong one."""
        zone = known_zone(self.timezone)
        if zone is None:
            return None
        local = datetime.fromtimestamp(at_ms / 1000, zone)
        weekday, minute = local.weekday(), local.hour * 60 + local.minute
        held = (period.usd_per_kwh for period in self.periods if period.holds(weekday, minute))
        return next(held, self.otherwise)


class Series(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="series"):
    """A price from each instant until the next one; none before the first and after the end."""

    source: str  # name of the file it was read from
    from_ms: tuple[int, ...]  # ascending quarter hours
    usd_per_kwh: tuple[float, ...]
    until_ms: int

    def at(self, at_ms: int) -> float | None:
        index = bisect_right(self.from_ms, at_ms) - 1
        return self.usd_per_kwh[index] if index >= 0 and at_ms < self.until_ms else None


def by_week(periods: Sequence[Period]) -> Iterator[list[int]]:
    """Indices of the periods that hold in each local quarter hour of a week, from Monday 00:00; at most one in sound
    tariffs."""
    for quarter in range(7 * QUARTERS_PER_DAY):
        weekday, of_day = divmod(quarter, QUARTERS_PER_DAY)
        yield [index for index, period in enumerate(periods) if period.holds(weekday, of_day * 15)]


Electricity = Flat | TimeOfUse | Series


def segments(electricity: Electricity | None, from_ms: int, to_ms: int) -> Iterator[tuple[int, int, float | None]]:
    """(from, to] cut where the price of a kilowatt-hour changes."""
    if electricity is None or isinstance(electricity, Flat):
        yield from_ms, to_ms, electricity.usd_per_kwh if electricity else None
        return
    start_ms, price = from_ms, electricity.at(from_ms)
    for edge_ms in range(from_ms // QUARTER_MS * QUARTER_MS + QUARTER_MS, to_ms, QUARTER_MS):
        after = electricity.at(edge_ms)
        if after != price:
            yield start_ms, edge_ms, price
            start_ms, price = edge_ms, after
    yield start_ms, to_ms, price


def next_change(electricity: Electricity, at_ms: int) -> tuple[int, float | None] | None:
    """(when, price from then on) of the next other price; None when there is none within the longest week."""
    _, edge_ms, _ = next(segments(electricity, at_ms, at_ms + LONGEST_WEEK_MS))
    return None if edge_ms == at_ms + LONGEST_WEEK_MS else (edge_ms, electricity.at(edge_ms))
