"""What a user types: a moment in time, a price. Errors are sentences for the prompt."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

_RELATIVE = re.compile(r"([+-])\s*(\d+(?:\.\d+)?)\s*([smhd])")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_CLOCK = ("%H:%M", "%H:%M:%S")
_DATED = ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


def parse_moment(text: str, *, from_ms: int, end_ms: int, utc_offset_s: int) -> int:
    """Milliseconds of what `text` names: "-10m" counts from `from_ms`, "14:03" is the last such time up to `end_ms`.

    A date and a time name that minute. Times are the recording host's. Raises ValueError with what can be typed.
    """
    text = text.strip().replace("−", "-")
    if match := _RELATIVE.fullmatch(text):
        sign, number, unit = match.groups()
        step = int(float(number) * _UNIT_MS[unit])
        return from_ms + (step if sign == "+" else -step)
    offset = timedelta(seconds=utc_offset_s)
    if dated := _read(text, _DATED):
        return _unix_ms(dated - offset)
    if timed := _read(text, _CLOCK):
        end = datetime.fromtimestamp(end_ms / 1000, UTC) + offset
        moment = end.replace(hour=timed.hour, minute=timed.minute, second=timed.second, microsecond=0)
        return _unix_ms((moment if moment <= end else moment - timedelta(days=1)) - offset)
    raise ValueError("not a time: type 14:03, 14:03:20, 2026-05-01 14:03 or -10m")


def _read(text: str, forms: tuple[str, ...]) -> datetime | None:
    for form in forms:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _unix_ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def parse_price(text: str) -> float:
    """A price per GPU and hour. Raises ValueError unless it is a number above 0."""
    try:
        price = float(text.strip().lstrip("$€£"))
    except ValueError:
        raise ValueError("not a number: type the price of one GPU for one hour, such as 2.35") from None
    if not math.isfinite(price) or price <= 0:
        raise ValueError("a price is a number above 0, such as 2.35")
    return price
