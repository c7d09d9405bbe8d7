"""Files of benchmark results that the user has: read, bounded, and turned into reference points.

Three kinds, told apart by content: a CSV or JSON table of the user's own, InferenceX's `agg_bmk.json` (an array of
rows), and the zip of a dump of its database (one JSON array a table). tokwatch ships none of them.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from collectors.labels import clean_label
from tokwatch.config import Config, ConfigError
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.capacity.references import (
    MOST_REFERENCES,
    BenchmarkConfig,
    BenchmarkResult,
    NotAPoint,
    Reference,
    WorkflowRun,
    chosen,
    inferencex_row,
    latest_results,
    own_row,
)

MOST_BYTES: Final = 128 << 20  # of a file, and of a table once it is unpacked; the dump's largest wanted one is 20 MB
MOST_ROWS: Final = 1_000_000
_RESULTS, _CONFIGS, _RUNS = _TABLES = ("benchmark_results.json", "configs.json", "workflow_runs.json")
_INFERENCEX_COLUMNS: Final = ("metrics", "tput_per_gpu")

Where = Mapping[str, str | int | float | bool]
_T = TypeVar("_T")


class ReferencesError(ConfigError):
    """A file of reference points cannot be used; the message says which, where in it, and what to do."""


def settings_of(config: Config) -> SettingsBody:
    """What of a config a Snapshot depends on, the points of its reference files included. Raises ReferencesError."""
    return msgspec.structs.replace(config.settings(), references=references_of(config))


def references_of(config: Config) -> tuple[Reference, ...]:
    """The points of every file of `[[frontier.references]]`. Raises ReferencesError."""
    files = config.frontier.references
    return tuple(point for each in files for point in load_references(Path(each.file), each.where))


def load_references(path: Path, where: Where | None = None) -> tuple[Reference, ...]:
    """The operating points of a file whose columns are as `where` says. Raises ReferencesError.

    Of InferenceX's rows those that failed, or have no throughput or latency, are left out; every row of the user's own
    table must be whole.
    """
    try:
        path = path.expanduser()
    except RuntimeError:
        raise ReferencesError(f"{path}: there is no such user") from None
    name = clean_label(path.name)
    try:
        if not path.is_file():
            raise ReferencesError(f"{path}: no such file")
        if zipfile.is_zipfile(path):
            points = _of_dump(path, name, where or {})
        elif path.suffix.lower() == ".csv":
            points = _of_csv(_text(path), name, where or {})
        else:
            points = _of_json(_bytes(path), name, where or {})
    except OSError as error:
        raise ReferencesError(f"{path}: cannot be read: {error.strerror or error}") from error
    except NotAPoint as error:
        raise ReferencesError(f"{path}: {error}") from error
    if not points:
        raise ReferencesError(f"{path}: no row {'has ' + _words(where) if where else 'is an operating point'}")
    if len(points) > MOST_REFERENCES:
        raise ReferencesError(
            f"{path}: {len(points)} rows are more than the {MOST_REFERENCES} that can be told apart on a chart: "
            f"choose some by their columns with where = {{ hardware = …, model = … }}"
        )
    return tuple(points)


def _words(where: Where | None) -> str:
    return ", ".join(f"{clean_label(key)} = {clean_label(str(value))}" for key, value in (where or {}).items())


# --- tables of the user's own -----------------------------------------------------------------------------------------


def _of_csv(text: str, name: str, where: Where) -> list[Reference]:
    reader = csv.DictReader(io.StringIO(text))
    try:
        return [_own(row, f"line {reader.line_num}", number, name) for number, row in _counted(reader, where)]
    except csv.Error as error:
        raise NotAPoint(f"line {reader.line_num}: {error}") from error


def _own(row: Mapping[str, Any], place: str, number: int, name: str) -> Reference:
    try:
        return own_row(row, number, name)
    except NotAPoint as error:
        raise NotAPoint(f"{place}: {error}") from error


def _of_json(data: bytes, name: str, where: Where) -> list[Reference]:
    rows = _decoded(data, list[dict[str, Any]])
    if not any(key in row for row in rows for key in _INFERENCEX_COLUMNS):
        return [_own(row, f"row {number}", number, name) for number, row in _counted(rows, where)]
    return _results(rows, name, where)


def _counted(rows: Iterable[Mapping[str, Any]], where: Where) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """The rows asked for, with their numbers from 1. Raises NotAPoint for more than can be meant."""
    for number, row in enumerate(rows, 1):
        if number > MOST_ROWS:
            raise NotAPoint(f"it has more than {MOST_ROWS} rows")
        if chosen(row, where):
            yield number, row


# --- InferenceX -------------------------------------------------------------------------------------------------------


def _results(rows: Iterable[Mapping[str, Any]], name: str, where: Where) -> list[Reference]:
    points = []
    for _, row in _counted(rows, where):
        try:
            points.append(inferencex_row(row, name))
        except NotAPoint:  # a benchmark that failed: it has no figures, which is not the user's mistake
            continue
    return points


def _of_dump(path: Path, name: str, where: Where) -> list[Reference]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {Path(member.filename).name: member for member in archive.infolist()}
            missing = [table for table in _TABLES if table not in members]
            if missing:
                raise NotAPoint(f"no {missing[0]} in it: a dump of InferenceX's database has {', '.join(_TABLES)}")
            rows = latest_results(
                _table(archive, members[_RESULTS], list[BenchmarkResult]),
                _table(archive, members[_CONFIGS], list[BenchmarkConfig]),
                _table(archive, members[_RUNS], list[WorkflowRun]),
            )
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:  # damaged, odd, or encrypted
        raise NotAPoint(f"this zip cannot be unpacked: {error}") from error
    return _results(rows, name, where)


def _table(archive: zipfile.ZipFile, member: zipfile.ZipInfo, kind: type[_T]) -> _T:
    """One table; never unpacks more than MOST_BYTES, whatever the archive says of its size."""
    with archive.open(member) as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise NotAPoint(f"{clean_label(member.filename)} is larger than {MOST_BYTES >> 20} MiB once it is unpacked")
    return _decoded(data, kind, f"{clean_label(member.filename)}: ")


# --- files ------------------------------------------------------------------------------------------------------------


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise NotAPoint(f"it is larger than {MOST_BYTES >> 20} MiB")
    return data


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotAPoint(f"it is not UTF-8: {error.reason} at byte {error.start}") from error


def _decoded(data: bytes, kind: type[_T], place: str = "") -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotAPoint(f"{place}{clean_label(str(error))}") from error
