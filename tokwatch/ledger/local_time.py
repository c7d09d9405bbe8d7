"""The recording host's local time: its zone by name, and the midnight that cuts days and sessions."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FIXED_OFFSET: Final = re.compile(r"UTC([+-])(\d\d):(\d\d)")


def zone_of(name: str) -> tzinfo:
    """The time zone of a run: an IANA name, else "UTC+HH:MM"; UTC for a name that this machine does not know."""
    return known_zone(name) or UTC


def known_zone(name: str) -> tzinfo | None:
    """The same, None for a name that this machine does not know."""
    if fixed := _FIXED_OFFSET.fullmatch(name):
        sign, hours, minutes = fixed.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-offset if sign == "-" else offset) if offset < timedelta(days=1) else None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # names from an imported file may be anything
        return None


def midnight_ms(at_ms: int, zone: tzinfo) -> int:
    """Local midnight at or before an instant, Unix milliseconds."""
    local = datetime.fromtimestamp(at_ms / 1000, zone)
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
