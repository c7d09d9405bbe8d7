"""`[retention]`: how long each level of the store is kept, and how large it may get."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from tokwatch.store.retention import DAY_MS, HOUR_MS, Retention

_LONGEST_DAYS: Final = 3653  # ten years; quarter hours outlive that
_BYTES_PER_GB: Final = 1_000_000_000


class RetentionSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[retention]`: each level is rolled up into the next before it goes; quarter hours are kept for ever."""

    raw_hours: float = 24  # one row a tick; then sealed into chunks, which read the same
    history_days: float = 30  # every tick; then minutes
    minutes_days: float = 90  # then quarter hours
    size_gb: float | None = None  # of the whole store, 10⁹ bytes; the oldest history goes first

    def retention(self) -> Retention:
        """As the store knows it."""
        return Retention(
            raw_ms=round(self.raw_hours * HOUR_MS),
            history_ms=round(self.history_days * DAY_MS),
            minutes_ms=round(self.minutes_days * DAY_MS),
            size_bytes=None if self.size_gb is None else round(self.size_gb * _BYTES_PER_GB),
        )


def problems(section: RetentionSection) -> Iterator[tuple[str, str]]:
    """(path, message) of each age and size that no store can be kept by."""
    # The dashboard's windows and what people look back at most stay one row a tick.
    if not 1 <= section.raw_hours <= 24 * _LONGEST_DAYS:
        yield "retention.raw_hours", f"must lie between 1 and {24 * _LONGEST_DAYS} hours, is {section.raw_hours:g}"
    if not section.raw_hours / 24 <= section.history_days <= _LONGEST_DAYS:
        yield (
            "retention.history_days",
            f"must lie between raw_hours ({section.raw_hours:g} h) and {_LONGEST_DAYS} days, "
            f"is {section.history_days:g}",
        )
    if not section.history_days <= section.minutes_days <= _LONGEST_DAYS:
        yield (
            "retention.minutes_days",
            f"must lie between history_days ({section.history_days:g}) and {_LONGEST_DAYS} days, "
            f"is {section.minutes_days:g}",
        )
    if section.size_gb is not None and not 0.1 <= section.size_gb <= 100_000:
        yield "retention.size_gb", f"must lie between 0.1 and 100000, is {section.size_gb:g}"
