"""Rows as CSV or JSON. None is an empty cell or null, a number its shortest exact form."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Literal, TextIO

import msgspec

Format = Literal["csv", "json"]
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_rows(rows: Iterable[msgspec.Struct], kind: type[msgspec.Struct], format: Format, out: TextIO) -> int:
    """Write rows, all of one kind, and say how many. `out` must not translate newlines."""
    return _write_csv(rows, kind, out) if format == "csv" else _write_json(rows, out)


def _write_csv(rows: Iterable[msgspec.Struct], kind: type[msgspec.Struct], out: TextIO) -> int:
    """RFC 4180, but for lines that end in a bare line feed."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(kind.__struct_fields__)
    count = 0
    for row in rows:
        writer.writerow([_cell(value) for value in msgspec.structs.astuple(row)])
        count += 1
    return count


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A spreadsheet runs such a cell as a formula; labels come from outside.
        return "'" + value if value.startswith(_FORMULA_STARTS) else value
    return repr(value)


def _write_json(rows: Iterable[msgspec.Struct], out: TextIO) -> int:
    """One array of objects, one a line."""
    count = 0
    for row in rows:
        out.write(",\n" if count else "[\n")
        out.write(msgspec.json.encode(row).decode())
        count += 1
    out.write("\n]\n" if count else "[]\n")
    return count
