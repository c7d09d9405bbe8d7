"""Rows as Parquet: typed columns, for DuckDB, pandas, Spark. Needs pyarrow, which the extra `parquet` installs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import IO, Any, Final, get_args, get_type_hints

import msgspec

from tokwatch.exports.errors import ExportError
from tokwatch.exports.periods import Instant
from tokwatch.exports.write import column_names

_ROWS_AT_ONCE: Final = 10_000  # a row group


def check_parquet() -> None:
    """Raises ExportError where pyarrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise ExportError(
            "Parquet needs pyarrow: pip install 'tokwatch[parquet]', or choose another --format"
        ) from None


def write_parquet(
    rows: Iterable[msgspec.Struct],
    kind: type[msgspec.Struct],
    out: IO[bytes],
    renamed: Mapping[str, str] | None = None,
) -> int:
    """Write rows, all of one kind, and say how many.

    Instants become timestamps in UTC (milliseconds), decimals doubles; texts, numbers and nulls stay what they are.
    Raises ExportError where pyarrow is not installed.
    """
    check_parquet()
    import pyarrow as pa
    import pyarrow.parquet as pq

    hints = get_type_hints(kind)
    types = [_type(hints[name], pa) for name in kind.__struct_fields__]
    schema = pa.schema(list(zip(column_names(kind, renamed), types, strict=True)))
    remaining, count = iter(rows), 0
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        while batch := list(islice(remaining, _ROWS_AT_ONCE)):
            columns = zip(*map(msgspec.structs.astuple, batch), strict=True)
            arrays = [
                pa.array([_value(value, type_, pa) for value in column], type_)
                for column, type_ in zip(columns, types, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(batch)
    return count


def _type(hint: Any, pa: Any) -> Any:
    """The Parquet type of a field: `str | None` and the like, NewTypes and Literals of texts."""
    kinds = set(get_args(hint)) - {type(None)} or {hint}
    if Instant in kinds:
        return pa.timestamp("ms", tz="UTC")
    for kind, found in ((bool, pa.bool_()), (int, pa.int64()), (float, pa.float64()), (Decimal, pa.float64())):
        if kind in kinds:
            return found
    return pa.string()


def _value(value: object, type_: Any, pa: Any) -> object:
    if isinstance(value, str) and pa.types.is_timestamp(type_):
        return datetime.fromisoformat(value)
    return float(value) if isinstance(value, Decimal) else value
