"""`export openmetrics`: a range of a store as text that `promtool tsdb create-blocks-from openmetrics` takes.

It is read a day at a time and kept as numbers, some 16 bytes a sample: text is grouped by family, the store by time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

from tokwatch.exports.hourly import background_of, reading
from tokwatch.exports.openmetrics.families import Recording
from tokwatch.exports.openmetrics.text import lines
from tokwatch.exports.selection import Selection, select, whole_hours
from tokwatch.store.reader import Reader
from tokwatch.store.rollup import QUARTER_MS

Grain = Literal["quarter", "minute"]
Told = Callable[[float], None]  # the part that is done, 0..1

_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a store: all that was recorded, a sample a quarter hour."""

    grain: Grain = "quarter"
    since_ms: int | None = None  # Unix; both are widened to whole UTC hours
    until_ms: int | None = None
    session: str | None = None
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of it."""

    samples: int
    left_out: tuple[str, ...] = ()  # simulated sessions, which were not asked for


def export_openmetrics(store: Path, asked: Asked, out: IO[bytes], told: Told | None = None) -> Exported:
    """Write the text. Raises StoreError where the store cannot be read, ExportError where nothing can be meant."""
    with reading(store) as reader:
        selection = select(
            reader,
            since_ms=asked.since_ms,
            until_ms=asked.until_ms,
            session=asked.session,
            simulated=asked.simulated,
        )
        if selection is None:
            out.write(b"# EOF\n")
            return Exported(0)
        recording = _recorded(reader, selection, asked.grain, told)
    samples = 0
    for line in lines(recording):
        out.write(f"{line}\n".encode())
        samples += not line.startswith("#")
    return Exported(samples, selection.left_out)


def _recorded(reader: Reader, selection: Selection, grain: Grain, told: Told | None) -> Recording:
    by_minute = grain == "minute"
    grain_ms = _MINUTE_MS if by_minute else QUARTER_MS
    recording = Recording(background_of(reader, selection), selection.quarters, selection.to_ms, grain_ms)
    for quarters, hours in whole_hours(reader, selection):
        recording.add_quantities(reader.minutes(hours.start, hours.stop, selection.runs) if by_minute else quarters)
        recording.add_cost(quarters)
        if told:
            told((hours.stop - selection.from_ms) / (selection.to_ms - selection.from_ms))
    return recording
