"""`--to DIR`: a table as one file a day, a table by months as one a month, and a manifest beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO

import msgspec

from tokwatch.exports.directory import Directory, Written
from tokwatch.exports.errors import ExportError
from tokwatch.exports.manifest import Manifest, ManifestFile, Summing
from tokwatch.exports.periods import Grain, Period, Periods
from tokwatch.exports.sheet import Sheet

Rows = Iterable[tuple[Period, msgspec.Struct]]


@dataclass(frozen=True, slots=True)
class Whole:
    """Whether a day's rows are all that there will be."""

    over: bool  # nothing more will come of this day
    missing: tuple[str, ...] = ()  # why something may be missing all the same


@dataclass(frozen=True, slots=True)
class DaysWritten:
    """What was done."""

    rows: int
    files: int
    replaced: int  # of them; the others already were like that


def file_periods(grain: Grain, zone: str) -> Periods:
    """What a file holds: a day of the zone, of a table by months a month."""
    return Periods("month" if grain == "month" else "day", zone)


def write_days(rows: Rows, path: Path, sheet: Sheet, begun: Manifest, whole: Callable[[Period], Whole]) -> DaysWritten:
    """Replace the files of the rows' days and the manifest; files of other days and other tables stay as they are.

    rows: ascending. begun: the manifest of an empty directory. whole: of a day.
    Raises ExportError where the directory holds the same table asked for otherwise, or cannot be written.
    """
    days = file_periods(sheet.grain, sheet.zone)
    files: list[ManifestFile] = []
    replaced = 0
    with Directory(path) as directory:
        name = f"{sheet.stem}.{sheet.suffix}.manifest.json"
        manifest = _read(directory, path / name, begun)
        for day, of_day in groupby(rows, key=lambda each: days.of(each[0].start_ms)):
            file, written = _write(directory, day, of_day, sheet, days, whole(day))
            files.append(file)
            replaced += written.changed
        now = msgspec.structs.replace(begun, files=manifest.files).with_files(files)
        content = msgspec.json.format(msgspec.json.encode(now), indent=1) + b"\n"
        directory.replace(name, lambda out: out.write(content))
    return DaysWritten(sum(file.rows for file in files), len(files), replaced)


def _read(directory: Directory, path: Path, begun: Manifest) -> Manifest:
    """The manifest that is there, if any."""
    content = directory.read(path.name)
    if content is None:
        return begun
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise ExportError(f"{path} is no manifest of an export: {error}; move it away") from error
    if different := manifest.differences(begun):
        raise ExportError(
            f"{path.parent} holds files that were exported otherwise ({'; '.join(different)}): choose another directory"
        )
    return manifest


def _write(
    directory: Directory, day: Period, rows: Rows, sheet: Sheet, days: Periods, whole: Whole
) -> tuple[ManifestFile, Written]:
    start = days.written(day.start_ms)
    name = f"{sheet.stem}-{start[: len('2026-11') if days.grain == 'month' else len('2026-11-20')]}.{sheet.suffix}"
    passing, count = Summing(rows, sheet.kind.summed), 0

    def write(out: IO[bytes]) -> None:
        nonlocal count
        count = sheet.write(passing, out)

    written = directory.replace(name, write)
    file = ManifestFile(
        name=name,
        start=start,
        end=days.written(day.end_ms),
        rows=count,
        sums=passing.sums,
        amounts=passing.amounts,
        coverage=passing.coverage,
        price_versions=passing.price_versions,
        complete=whole.over and not whole.missing,
        missing=whole.missing,
        bytes=written.bytes,
        sha256=written.sha256,
    )
    return file, written
