"""What a check of the store says: one finding each, and the faults that one is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from collectors.labels import clean_label

Verdict = Literal["pass", "warn", "fail"]

_TOLD: Final = 3  # faults of one check in words; more of them say nothing new
_LONGEST: Final = 400  # characters of one
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAMAGED: Final = "something else wrote into the store, or the disk loses data: copy it away and record into another one"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `id` is stable: scripts may rely on it."""

    id: str
    verdict: Verdict
    found: str
    hint: str = ""


class Faults:
    """What one check found wrong: how much of it, and the first few in words."""

    def __init__(self, check_id: str, hint: str = DAMAGED, *, verdict: Verdict = "fail") -> None:
        """verdict: that of the finding where there is any fault."""
        self._check_id = check_id
        self._hint = hint
        self._verdict = verdict
        self._told: list[str] = []
        self.count = 0

    def add(self, words: str) -> None:
        """words: may hold anything that a damaged or foreign store says."""
        self.count += 1
        if len(self._told) < _TOLD:
            self._told.append(clean_label(words, _LONGEST))

    def finding(self, well: str) -> Finding:
        """`well`: what to say where there is no fault."""
        if not self.count:
            return Finding(self._check_id, "pass", well)
        more = f"; and {self.count - len(self._told)} more" if self.count > len(self._told) else ""
        return Finding(self._check_id, self._verdict, "; ".join(self._told) + more, self._hint)


def utc(at_ms: int) -> str:
    """An instant for people; one that no calendar has as the number it is."""
    try:
        return (_EPOCH + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    except OverflowError:
        return f"{at_ms} ms"


def amount(count: int, thing: str) -> str:
    """ "1 tick", "2 ticks"."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
