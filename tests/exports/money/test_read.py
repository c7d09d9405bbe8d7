"""A period of a real store: which hours are read, and what is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from tests.exports.box import NOON_MS
from tests.exports.test_hourly import HOUR_MS, MINUTE_MS, SIMULATED, export, record
from tests.store.records import RUN
from tokwatch.exports.errors import ExportError
from tokwatch.exports.money.read import Question, money
from tokwatch.exports.money.report import Report
from tokwatch.ledger.prices.version import Prices
from tokwatch.store.errors import StoreError
from tokwatch.store.rows import PriceVersion
from tokwatch.store.writer import Writer


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def read(store: Path, question: Question = Question()) -> Report:  # noqa: B008 - frozen
    report = money(store, question)
    assert report is not None
    return report


def test_the_money_of_a_stored_hour_is_that_of_its_export(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 2 * HOUR_MS))
    report = read(store)
    exported = sum(row["cost_total_usd"] for row in export(store))
    assert report.whole.bill.total_usd.value == pytest.approx(exported) == pytest.approx(4.80)
    assert report.whole.served.output_tokens.value == 2 * 60 * 480
    assert (report.hours, report.gpus, report.hosts, report.simulated) == (2.0, 1, ("dgx-03",), False)
    assert report.timezone == RUN.timezone
    assert [price.version for price in report.prices] == [1]


def test_the_period_is_the_last_24_stored_hours_unless_told_otherwise(store: Path) -> None:
    begun, ended = NOON_MS, NOON_MS + 30 * HOUR_MS
    record(store, (RUN, begun, begun + HOUR_MS), (RUN, ended - HOUR_MS, ended))
    assert read(store).whole.bill.gpu_hours == pytest.approx(1.0)
    assert read(store, Question(since_ms=begun)).whole.bill.gpu_hours == pytest.approx(2.0)
    # A day up to a moment: what was stored before it, not what came later.
    assert read(store, Question(until_ms=begun + 2 * HOUR_MS)).whole.bill.gpu_hours == pytest.approx(1.0)


def test_a_gap_is_unobserved_and_reconciles_with_the_invoice(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 20 * MINUTE_MS), (RUN, NOON_MS + 40 * MINUTE_MS, NOON_MS + HOUR_MS))
    bill = read(store).whole.bill
    assert bill.total_usd.value == pytest.approx(2.40 * 40 / 60)
    assert bill.unobserved_usd.value == pytest.approx(2.40 * 20 / 60)
    assert bill.invoice_usd.value == pytest.approx(2.40)
    assert read(store).rows[-1].name == "(unobserved)"


def test_a_simulated_period_says_so(store: Path) -> None:
    record(store, (SIMULATED, NOON_MS, NOON_MS + HOUR_MS))
    assert read(store).simulated


def test_a_period_of_which_nothing_is_stored_has_no_report(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + HOUR_MS))
    assert money(store, Question(since_ms=NOON_MS - 9 * HOUR_MS, until_ms=NOON_MS - 5 * HOUR_MS)) is None
    writer = Writer(empty := store.with_name("empty.db"))
    writer.open()
    assert writer.close(10)
    assert money(empty, Question()) is None


def test_amounts_of_two_currencies_are_not_added_up(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 2 * HOUR_MS))
    writer = Writer(store)
    writer.open()
    book = msgspec.json.encode(Prices("EUR", 2.0))
    writer.add_price(PriceVersion(0, NOON_MS + HOUR_MS, NOON_MS + HOUR_MS, "config", book))
    assert writer.close(10)
    with pytest.raises(ExportError, match="EUR and USD"):
        money(store, Question())
    assert read(store, Question(since_ms=NOON_MS + HOUR_MS)).currency == "EUR"


def test_a_question_never_touches_the_store(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + HOUR_MS))
    before = store.read_bytes()
    read(store, Question(what_if={"gpu_price": 0.5}, curve=True, demand=True, by="gpu"))
    assert store.read_bytes() == before


def test_a_quarter_that_is_rolled_up_is_not_read_from_raw_rows(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + 2 * HOUR_MS))
    told = read(store, Question(until_ms=NOON_MS + HOUR_MS)).whole.bill.total_usd
    with sqlite3.connect(store) as connection:
        last_ms = NOON_MS + HOUR_MS
        connection.execute(f"DELETE FROM gpu_raw WHERE id >> 20 <= {last_ms}")
        connection.execute(f"DELETE FROM flow_raw WHERE id >> 20 <= {last_ms}")
    assert read(store, Question(until_ms=last_ms)).whole.bill.total_usd == told


def test_a_damaged_store_is_told_with_what_to_do(store: Path) -> None:
    record(store, (RUN, NOON_MS, NOON_MS + HOUR_MS))
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE price_version SET book = '{'")
    with pytest.raises(StoreError, match="doctor --store"):
        money(store, Question())
