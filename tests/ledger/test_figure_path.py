"""Figure paths: every figure of a Snapshot has an address, and the address leads to it."""

from __future__ import annotations

from tests.dashboard.snapshots import BOX
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.figure_path import PARTS, FigurePath, figure_at, row_at


def test_a_figure_is_found_by_its_row_and_its_name() -> None:
    assert figure_at(BOX, FigurePath("gpu", "power_w", 16)) == Figure(128)
    assert figure_at(BOX, FigurePath("totals", "tok_s")) == Figure(12_431)
    assert figure_at(BOX, FigurePath("server", "ttft_s.p95", 2)) == Interval(0.25, 0.5, n=2400)
    assert figure_at(BOX, FigurePath("alert", "usd_per_day", "parked")) == Figure(55.12)
    assert figure_at(BOX, FigurePath("economy", "cost.rent")) == BOX.economy.cost.rent


def test_a_plain_number_is_a_figure_too() -> None:
    assert figure_at(BOX, FigurePath("server", "running", 2)) == Figure(48.0)
    assert figure_at(BOX, FigurePath("totals", "gpus")) == Figure(8.0)


def test_what_is_not_there_is_none() -> None:
    assert figure_at(BOX, FigurePath("gpu", "power_w", 99)) is None
    assert figure_at(BOX, FigurePath("gpu", "colour", 16)) is None
    assert figure_at(BOX, FigurePath("gpu", "name", 16)) is None
    assert row_at(BOX, FigurePath("deployment", "cost", "nobody")) is None


def test_every_part_leads_into_the_snapshot() -> None:
    for part in PARTS:
        row_at(BOX, FigurePath(part, "x"))
