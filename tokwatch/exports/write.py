"""Rows as text: CSV, JSON, JSON lines, Markdown. None is an empty cell or null, a number its shortest exact form."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal, TextIO

import msgspec

TextFormat = Literal["csv", "json", "jsonl", "markdown"]
Rows = Iterable[msgspec.Struct]

# A spreadsheet runs such a cell as a formula; labels come from outside.
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_MARKUP: Final = re.compile(r"([\\`*_\[\]<>|~&#])")
_JSON: Final = msgspec.json.Encoder(decimal_format="number")


def column_names(kind: type[msgspec.Struct], renamed: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The fields of a struct as columns, some of them by other names."""
    return tuple((renamed or {}).get(name, name) for name in kind.__struct_fields__)


def write_rows(
    rows: Rows,
    kind: type[msgspec.Struct],
    format: TextFormat,
    out: TextIO,
    renamed: Mapping[str, str] | None = None,
) -> int:
    """Write rows, all of one kind, as they come, and say how many. `out` must not translate newlines.

    renamed: columns that are not called as the struct calls them.
    """
    return _WRITERS[format](rows, column_names(kind, renamed), out)


def _write_csv(rows: Rows, names: Sequence[str], out: TextIO) -> int:
    """RFC 4180, but for lines that end in a bare line feed."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    count = 0
    for row in rows:
        writer.writerow([_cell(value) for value in msgspec.structs.astuple(row)])
        count += 1
    return count


def _write_json(rows: Rows, names: Sequence[str], out: TextIO) -> int:
    """One array of objects, one a line."""
    count = 0
    for row in rows:
        out.write(",\n" if count else "[\n")
        out.write(_object(row, names))
        count += 1
    out.write("\n]\n" if count else "[]\n")
    return count


def _write_json_lines(rows: Rows, names: Sequence[str], out: TextIO) -> int:
    """An object a line."""
    count = 0
    for row in rows:
        out.write(_object(row, names) + "\n")
        count += 1
    return count


def _write_markdown(rows: Rows, names: Sequence[str], out: TextIO) -> int:
    """A table as GitHub reads it."""
    out.write(f"| {' | '.join(names)} |\n|{' --- |' * len(names)}\n")
    count = 0
    for row in rows:
        out.write(f"| {' | '.join(_markdown_cell(value) for value in msgspec.structs.astuple(row))} |\n")
        count += 1
    return count


_WRITERS: Final[dict[TextFormat, Callable[[Rows, Sequence[str], TextIO], int]]] = {
    "csv": _write_csv,
    "json": _write_json,
    "jsonl": _write_json_lines,
    "markdown": _write_markdown,
}


def _object(row: msgspec.Struct, names: Sequence[str]) -> str:
    return _JSON.encode(dict(zip(names, msgspec.structs.astuple(row), strict=True))).decode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value if value.startswith(_FORMULA_STARTS) else value
    if isinstance(value, Decimal):
        return format(value, "f")
    return repr(value)


def _markdown_cell(value: object) -> str:
    cell = _cell(value)
    return _MARKUP.sub(r"\\\1", " ".join(cell.splitlines())) if isinstance(value, str) else cell
