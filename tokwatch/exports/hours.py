"""UTC hours, by which time is attributed: which one a quarter hour is of, how instants are written and read."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final

from tokwatch.exports.errors import ExportError

HOUR_MS: Final = 3_600_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def hour_of(quarter_ms: int) -> int:
    """Start of the hour that a quarter hour (named by its start) belongs to."""
    return quarter_ms // HOUR_MS * HOUR_MS


@lru_cache
def utc(at_ms: int) -> str:
    """2026-11-21T14:00:00Z"""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def parse_instant(text: str, zone: tzinfo = UTC) -> int:
    """Unix milliseconds of an ISO date or date and time; in `zone` unless it names its own. Raises ExportError."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ExportError(
            f"{text!r} is no date and time: write 2026-11-21, 2026-11-21T14:00 (UTC) or 2026-11-21T14:00+01:00"
        ) from None
    if not 1970 <= instant.year <= 2200:  # near year 1 and 9999 it has none in UTC
        raise ExportError(f"{text!r} is of another age: write a year from 1970 to 2200")
    aware = instant if instant.tzinfo else instant.replace(tzinfo=zone)
    return round((aware - _EPOCH).total_seconds() * 1000)


def parse_range(since: str | None, until: str | None, zone: tzinfo = UTC) -> tuple[int | None, int | None]:
    """Both ends of a range as typed, in Unix milliseconds; None where one is left open. Raises ExportError."""
    since_ms = None if since is None else parse_instant(since, zone)
    until_ms = None if until is None else parse_instant(until, zone)
    if since_ms is not None and until_ms is not None and until_ms <= since_ms:
        raise ExportError(f"--until {until} is not later than --since {since}: nothing lies between them")
    return since_ms, until_ms
