"""What a row speaks for: a quarter hour, an hour, a day or a month as the clocks of a time zone tell them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, Literal, NamedTuple, NewType, get_args

from tokwatch.exports.errors import ExportError
from tokwatch.exports.hours import HOUR_MS, utc
from tokwatch.ledger.local_time import known_zone
from tokwatch.store.rollup import QUARTER_MS

Grain = Literal["quarter", "hour", "day", "month"]
GRAINS: Final[tuple[Grain, ...]] = get_args(Grain)
Instant = NewType("Instant", str)  # an ISO date and time with its offset from UTC


class Period(NamedTuple):
    """[start, end), Unix milliseconds; both are edges of quarter hours."""

    start_ms: int
    end_ms: int

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms

    def overlaps(self, other: Period) -> bool:
        return self.start_ms < other.end_ms and other.start_ms < self.end_ms


class Periods:
    """The periods of one grain in one time zone.

    Every zone in use is a multiple of 15 minutes from UTC, so a quarter hour lies in one period of each. A local hour
    ends where the clocks are set: one of 30 minutes stands beside a change by half an hour, and an hour that the
    clocks show twice is two. Days and months are from midnight to midnight, however long that is.
    """

    def __init__(self, grain: Grain = "hour", zone: str = "UTC") -> None:
        """zone: an IANA name. Raises ExportError for one that this machine does not know."""
        self.grain, self.zone_name, self.zone = grain, zone, zone_called(zone)
        self._find: Callable[[int], Period] = {
            "quarter": self._quarter,
            "hour": self._hour,
            "day": self._day,
            "month": self._month,
        }[grain]
        self._found: dict[int, Period] = {}

    def of(self, at_ms: int) -> Period:
        """The period that an instant lies in, the start of the period included.

        Raises ExportError where the zone is no multiple of 15 minutes from UTC at an edge, as before 1973.
        """
        quarter_ms = at_ms // QUARTER_MS * QUARTER_MS
        found = self._found.get(quarter_ms)
        if found is None:
            found = self._found[quarter_ms] = self._find(quarter_ms)
            if any(edge_ms % QUARTER_MS for edge_ms in found):
                raise ExportError(
                    f"{self.zone_name} is no multiple of 15 minutes from UTC at {utc(at_ms)}, and quarter hours "
                    "cannot be divided: choose another --tz"
                )
        return found

    def written(self, at_ms: int) -> Instant:
        """2026-11-21T14:00:00Z, and 2026-11-21T19:45:00+05:45 in a zone."""
        if self.zone_name == "UTC":
            return Instant(utc(at_ms))
        return Instant(datetime.fromtimestamp(at_ms / 1000, self.zone).isoformat(timespec="seconds"))

    # --- within ---------------------------------------------------------------------------------------------------

    def _quarter(self, at_ms: int) -> Period:
        return Period(at_ms, at_ms + QUARTER_MS)

    def _hour(self, at_ms: int) -> Period:
        offset_ms = self._offset_ms(at_ms)
        start_ms = (at_ms + offset_ms) // HOUR_MS * HOUR_MS - offset_ms
        quarters = range(start_ms, start_ms + HOUR_MS, QUARTER_MS)
        alike = [quarter_ms for quarter_ms in quarters if self._offset_ms(quarter_ms) == offset_ms]
        return Period(alike[0], alike[-1] + QUARTER_MS) if alike else Period(start_ms, start_ms + HOUR_MS)

    def _day(self, at_ms: int) -> Period:
        day = self._local(at_ms).date()
        return Period(self._midnight_ms(day), self._midnight_ms(day + timedelta(days=1)))

    def _month(self, at_ms: int) -> Period:
        first = self._local(at_ms).date().replace(day=1)
        after = (first + timedelta(days=31)).replace(day=1)
        return Period(self._midnight_ms(first), self._midnight_ms(after))

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, self.zone)

    def _offset_ms(self, at_ms: int) -> int:
        offset = self._local(at_ms).utcoffset()
        assert offset is not None  # it has a zone
        return offset // timedelta(milliseconds=1)

    def _midnight_ms(self, day: date) -> int:
        """The first instant of a day, also where the clocks skip midnight or show it twice."""
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp() * 1000)


def zone_called(name: str) -> tzinfo:
    """Raises ExportError for a name that this machine does not know."""
    if name == "UTC":
        return UTC
    zone = known_zone(name)
    if zone is None:
        raise ExportError(f"this machine knows no time zone {name!r}: write an IANA name such as Europe/Berlin")
    return zone
