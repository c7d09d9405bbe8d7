"""The list as tab-separated text."""

from __future__ import annotations

from msgspec.structs import replace

from tests.dashboard import snapshots
from tests.dashboard.snapshots import BOX, gpu
from tokwatch.dashboard.arrange.filter import parse
from tokwatch.dashboard.arrange.table import table
from tokwatch.dashboard.arrange.view import Listing, Sort, View
from tokwatch.ledger.snapshot import Figure, Snapshot


def cells(snapshot: Snapshot, view: View) -> list[list[str]]:
    return [line.split("\t") for line in table(snapshot, Listing(view)).splitlines()]


def test_headings_carry_units_and_every_row_has_every_cell() -> None:
    heading, *rows = cells(BOX, View())
    assert heading == [
        *("GPU", "STATE", "IN STATE s", "SERVES", "OUTPUT TOK/S", "TOK/S/W"),
        *("$/M OUT", "IDLE $ TODAY", "POWER W", "MEM GiB", "TEMPERATURE °C"),
    ]
    assert len(rows) == 9
    assert {len(row) for row in rows} == {len(heading)}
    assert rows[0] == ["0", "serving", "11602", "Qwen3-32B tp4", "1551", "2.53", "0.42", "1.31", "612", "71", "61"]
    assert rows[-1][1:5] == ["all 8", "", "", "12431"]


def test_all_rows_of_the_arranged_list_are_taken_not_only_those_in_sight() -> None:
    rows = cells(snapshots.many_gpus(1000), View(sort=Sort("idle_usd", falling=True), filter=parse("idle")))
    assert len(rows) == 1 + 250 + 1
    assert rows[1][0] == "7"
    assert rows[-1][1] == "250 of 1000 shown"


def test_unknown_is_empty_and_cost_without_tokens_is_infinite() -> None:
    parked = cells(BOX, View(filter=parse("gpu:6")))[1]
    assert parked[4:7] == ["0", "", "inf"]


def test_chosen_columns_are_the_tables_too_and_shares_are_per_cent() -> None:
    heading, row, *_ = cells(BOX, View(columns=("utilization", "power_bar", "host", "uuid")))
    assert heading == ["GPU", "STATE", "IN STATE s", "UTIL %", "HOST", "UUID"]
    assert row == ["0", "serving", "11602", "93", "dgx-03", "GPU-0"]


def test_groups_stand_above_their_rows() -> None:
    rows = cells(BOX, View(group="state"))
    assert [row[0] or row[1] for row in rows[1:7]] == ["serving (5)", "0", "1", "2", "3", "5"]


def test_marks_are_told_in_a_last_column() -> None:
    heading, *rows = cells(snapshots.shared_and_ailing(), View())
    assert heading[-1] == "MARKS"
    assert rows[0][-1] == "TOK/S/W: allocated; $/M OUT: allocated"
    assert rows[4][-1] == ""


def test_a_name_from_outside_is_neither_a_cell_of_its_own_nor_a_formula() -> None:
    box = replace(BOX, gpus=(gpu(0, serves="=HYPERLINK(1)\t\x1b]52;c;\nx", tok_s=Figure(1)),))
    text = table(box, Listing(View()))
    assert "\x1b" not in text
    assert len(text.splitlines()) == 3
    assert text.splitlines()[1].split("\t")[3].startswith("'=HYPERLINK(1)\ufffd")


def test_another_currency_stands_in_the_headings() -> None:
    assert "€/M OUT" in cells(replace(BOX, currency="EUR"), View())[0]
