"""`export hourly`: what a store holds as a table, read a day at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from tokwatch import __version__
from tokwatch.exports.background import Background
from tokwatch.exports.days import Whole, file_periods, write_days
from tokwatch.exports.focus.billing import SELF_HOSTED, Billing
from tokwatch.exports.formats import Format, check_format
from tokwatch.exports.manifest import Manifest
from tokwatch.exports.names import Names
from tokwatch.exports.periods import Grain, Period, Periods
from tokwatch.exports.presence import Presence
from tokwatch.exports.selection import Selection, select, whole_hours
from tokwatch.exports.sheet import Sheet
from tokwatch.exports.tables import By, Table, table_kind
from tokwatch.feeds.history import read_book
from tokwatch.store.errors import StoreError
from tokwatch.store.reader import Reader

Told = Callable[[float], None]  # the part that is done, 0..1


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a store: all of it by UTC hours, unless told otherwise."""

    by: By = "gpu"
    grain: Grain = "hour"
    zone: str = "UTC"  # an IANA name: whose hours, days and months
    format: Format = "csv"
    since_ms: int | None = None  # Unix; both are widened to whole periods, with a directory to whole files
    until_ms: int | None = None
    session: str | None = None
    simulated: bool = False  # with what was made up
    billing: Billing = SELF_HOSTED  # of the FOCUS table


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of it."""

    rows: int
    left_out: tuple[str, ...] = ()  # simulated sessions, which were not asked for
    files: int = 0
    replaced: int = 0  # of the files; the others already were like that


def export_hourly(store: Path, asked: Asked, out: IO[bytes], told: Told | None = None) -> Exported:
    """Write the rows, oldest first.

    Raises StoreError where the store cannot be read, ExportError where what is asked makes no sense.
    """
    sheet, periods = _sheet(asked), Periods(asked.grain, asked.zone)
    with reading(store) as reader:
        selection = _select(reader, asked, periods)
        rows = _rows(reader, selection, sheet, periods, told)
        count = sheet.write((row for _, row in rows), out)
        return Exported(count, selection.left_out if selection else ())


def export_days(
    store: Path,
    asked: Asked,
    directory: Path,
    now_ms: int,
    told: Told | None = None,
    *,
    partial: Mapping[str, Period] | None = None,
) -> Exported:
    """Write one file a day into a directory; those that already are as they should be are left alone.

    partial: in words why something may be missing in the store, and from when to when; the manifest says it.
    Raises what `export_hourly` does, and ExportError where the directory cannot be written.
    """
    sheet, periods = _sheet(asked), Periods(asked.grain, asked.zone)
    begun = Manifest(
        table=sheet.name,
        schema_version=sheet.kind.schema_version,
        format=asked.format,
        timezone=asked.zone,
        simulated=asked.simulated,
        session=asked.session,
        written_by=f"tokwatch {__version__}",
    )
    with reading(store) as reader:
        selection = _select(reader, asked, file_periods(asked.grain, asked.zone))
        runs = selection.runs if selection else None

        def whole(day: Period) -> Whole:
            over = day.end_ms <= now_ms and not reader.due_quarters(day.start_ms, day.end_ms, runs)
            return Whole(over, tuple(words for words, about in (partial or {}).items() if about.overlaps(day)))

        rows = _rows(reader, selection, sheet, periods, told)
        done = write_days(rows, directory, sheet, begun, whole)
    return Exported(done.rows, selection.left_out if selection else (), done.files, done.replaced)


def background_of(reader: Reader, selection: Selection | None = None) -> Background:
    """Names, prices, settings and kinds of runs, of the whole store; when GPUs were there, of the selection."""
    told = reader.events(0, reader.last_tick() or 0, ["facts", "settings"])
    runs = reader.runs()
    chosen, within = (selection.runs, (selection.from_ms, selection.to_ms)) if selection else (None, None)
    return Background(
        names=Names(reader.entities(), [event for event in told if event.kind == "facts"]),
        book=read_book(reader),
        state_ms=reader.state_ms,
        simulated=frozenset(run.id for run in runs if run.kind == "simulated"),
        presence=Presence(reader.seen(chosen), runs, within),
        settings=tuple(event for event in told if event.kind == "settings"),
    )


@contextmanager
def reading(store: Path) -> Iterator[Reader]:
    """The store to read. Raises StoreError, also for damage that shows on the way."""
    try:
        with Reader(store) as reader:
            yield reader
    except (sqlite3.Error, msgspec.DecodeError) as error:
        raise StoreError(f"cannot read the store {store}: {error}; check it with `tokwatch doctor --store`") from error


def _sheet(asked: Asked) -> Sheet:
    check_format(asked.format)
    return Sheet(table_kind(asked.by, asked.billing), asked.by, asked.grain, asked.zone, asked.format)


def _select(reader: Reader, asked: Asked, periods: Periods) -> Selection | None:
    return select(
        reader,
        since_ms=asked.since_ms,
        until_ms=asked.until_ms,
        session=asked.session,
        periods=periods,
        simulated=asked.simulated,
    )


def _rows(
    reader: Reader, selection: Selection | None, sheet: Sheet, periods: Periods, told: Told | None
) -> Iterator[tuple[Period, msgspec.Struct]]:
    """By period, as each is over. What makes a store unreadable shows at once, before anything is written."""
    if selection is None:
        return iter(())
    table = sheet.kind.make(background_of(reader, selection), periods, selection.quarters)
    return _taken(reader, selection, sheet, table, told)


def _taken(
    reader: Reader, selection: Selection, sheet: Sheet, table: Table, told: Told | None
) -> Iterator[tuple[Period, msgspec.Struct]]:
    for quarters, hours in whole_hours(reader, selection, traffic=sheet.kind.traffic):
        table.take(quarters, hours)
        yield from table.over(hours.stop)
        if told:
            told((hours.stop - selection.from_ms) / (selection.to_ms - selection.from_ms))
    yield from table.over()
