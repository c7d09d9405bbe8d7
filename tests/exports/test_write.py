"""Rows as CSV, JSON, JSON lines and Markdown."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.exports.write import TextFormat, write_rows


class Row(msgspec.Struct):
    name: str | None
    count: int | None
    amount: float | None = None
    simulated: bool = False


def written(format: TextFormat, *rows: Row) -> str:
    out = io.StringIO(newline="")
    assert write_rows(rows, Row, format, out) == len(rows)
    return out.getvalue()


def test_unknown_is_an_empty_cell_or_null_and_never_zero() -> None:
    assert written("csv", Row(None, None), Row("a", 0, 0.0)) == "name,count,amount,simulated\n,,,false\na,0,0.0,false\n"
    assert json.loads(written("json", Row(None, 0))) == [{"name": None, "count": 0, "amount": None, "simulated": False}]


def test_json_lines_are_one_object_a_line() -> None:
    lines = written("jsonl", Row("a", 1), Row("b", None)).splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["a", "b"]
    assert written("jsonl") == ""


def test_markdown_is_a_table_in_which_labels_stay_in_their_cells() -> None:
    assert written("markdown", Row("a|b\n<img src=x>", -1, 0.5), Row("=1+1", None)).splitlines() == [
        "| name | count | amount | simulated |",
        "| --- | --- | --- | --- |",
        r"| a\|b \<img src=x\> | -1 | 0.5 | false |",
        "| '=1+1 |  |  | false |",
    ]


def test_a_decimal_keeps_its_digits() -> None:
    class Priced(msgspec.Struct):
        cost: Decimal

    out = io.StringIO()
    write_rows([Priced(Decimal("0.000000100"))], Priced, "csv", out)
    assert out.getvalue() == "cost\n0.000000100\n"
    out = io.StringIO()
    write_rows([Priced(Decimal("2.350"))], Priced, "jsonl", out)
    assert out.getvalue() == '{"cost":2.350}\n'


def test_columns_may_be_called_otherwise() -> None:
    begins: dict[TextFormat, str] = {"csv": "hour,", "jsonl": '{"hour":', "markdown": "| hour |"}
    for format, begin in begins.items():
        out = io.StringIO()
        write_rows([Row("12", 1)], Row, format, out, {"name": "hour"})
        assert out.getvalue().startswith(begin)


def test_no_rows_are_a_header_or_an_empty_array() -> None:
    assert written("csv") == "name,count,amount,simulated\n"
    assert json.loads(written("json")) == []


def test_a_text_that_a_spreadsheet_would_run_is_defused_and_a_number_is_not() -> None:
    lines = [written("csv", Row(text, -1, -2.5)).split("\n")[1] for text in ("=1+1", "+1", "-1", "@SUM(A1)")]
    assert lines == ["'=1+1,-1,-2.5,false", "'+1,-1,-2.5,false", "'-1,-1,-2.5,false", "'@SUM(A1),-1,-2.5,false"]
    assert json.loads(written("json", Row("=1+1", -1)))[0]["name"] == "=1+1"


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    st.none() | st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_csv_gives_back_what_was_written(name: str, count: int | None, amount: float) -> None:
    _, [read_name, read_count, read_amount, _] = csv.reader(
        io.StringIO(written("csv", Row(name, count, amount)), newline="")
    )
    assert read_name.removeprefix("'") == name.removeprefix("'")
    assert read_name[:1] not in ("=", "+", "-", "@")
    assert (int(read_count) if read_count else None) == count
    assert float(read_amount) == amount
