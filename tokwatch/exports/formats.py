"""The formats a table can be written in, all of them as bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import IO, Final, Literal, get_args

import msgspec

from tokwatch.exports.parquet import check_parquet, write_parquet
from tokwatch.exports.write import write_rows

Format = Literal["csv", "json", "jsonl", "markdown", "parquet"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)


def check_format(format: Format) -> None:
    """Raises ExportError for one that needs what is not installed: before anything is read or written."""
    if format == "parquet":
        check_parquet()


def write_bytes(
    rows: Iterable[msgspec.Struct],
    kind: type[msgspec.Struct],
    format: Format,
    out: IO[bytes],
    renamed: Mapping[str, str] | None = None,
) -> int:
    """Write rows, all of one kind, and say how many: text as UTF-8 with plain newlines, whatever the locale."""
    if format == "parquet":
        return write_parquet(rows, kind, out, renamed)
    text = io.TextIOWrapper(out, encoding="utf-8", errors="backslashreplace", newline="")
    try:
        return write_rows(rows, kind, format, text, renamed)
    finally:
        text.detach()
