"""Parquet, read back with pyarrow; without it, what is told."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from tests.exports.box import NOON_MS
from tests.exports.test_hourly import HOUR_MS, record
from tests.store.records import RUN
from tokwatch.exports.errors import ExportError
from tokwatch.exports.hourly import Asked, export_hourly
from tokwatch.exports.parquet import write_parquet
from tokwatch.exports.periods import Instant
from tokwatch.exports.tables import BYS, By


class Row(msgspec.Struct):
    at: Instant
    name: str | None
    kind: Literal["a", "b"] | None
    count: int | None
    amount: float | None
    cost: Decimal | None
    simulated: bool
    empty: None = None


ROWS = [
    Row(Instant("2026-11-21T17:45:00+05:45"), "=1+1", "a", -1, 0.1, Decimal("2.350"), True),
    Row(Instant("2026-11-21T12:15:00Z"), None, None, None, None, None, False),
]


def test_without_pyarrow_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ExportError, match=r"pip install 'tokwatch\[parquet\]'"):
        write_parquet(ROWS, Row, io.BytesIO())


def test_columns_are_typed_and_values_exact() -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: Parquet is NOT tested")
    pq = pytest.importorskip("pyarrow.parquet")
    out = io.BytesIO()
    assert write_parquet(ROWS, Row, out, {"at": "hour_start"}) == 2
    table = pq.read_table(pa.BufferReader(out.getvalue()))
    assert [(field.name, str(field.type)) for field in table.schema] == [
        ("hour_start", "timestamp[ms, tz=UTC]"),
        ("name", "string"),
        ("kind", "string"),
        ("count", "int64"),
        ("amount", "double"),
        ("cost", "double"),
        ("simulated", "bool"),
        ("empty", "string"),
    ]
    first, second = table.to_pylist()
    assert first == {
        "hour_start": datetime(2026, 11, 21, 12, tzinfo=UTC),
        "name": "=1+1",
        "kind": "a",
        "count": -1,
        "amount": 0.1,
        "cost": 2.35,
        "simulated": True,
        "empty": None,
    }
    assert [name for name, value in second.items() if value is not None] == ["hour_start", "simulated"]


@pytest.mark.parametrize("by", BYS)
def test_a_table_has_the_sums_that_csv_has_and_the_same_bytes_again(tmp_path: Path, by: By) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: Parquet is NOT tested")
    pq = pytest.importorskip("pyarrow.parquet")
    store = tmp_path / "store.db"
    record(store, (RUN, NOON_MS, NOON_MS + 2 * HOUR_MS))
    outs = [io.BytesIO(), io.BytesIO()]
    for out in outs:
        assert export_hourly(store, Asked(by, format="parquet"), out).rows == 2
    assert outs[0].getvalue() == outs[1].getvalue()
    table = pq.read_table(pa.BufferReader(outs[0].getvalue()))
    column = "EffectiveCost" if by == "focus" else "cost_total_usd"
    assert sum(table[column].to_pylist()) == pytest.approx(4.80)


def test_no_rows_are_a_file_with_columns() -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: Parquet is NOT tested")
    pq = pytest.importorskip("pyarrow.parquet")
    out = io.BytesIO()
    assert write_parquet([], Row, out) == 0
    assert pq.read_table(pa.BufferReader(out.getvalue())).num_rows == 0
