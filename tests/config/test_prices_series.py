"""A price series from a file: read while the config is, and refused with the file's own line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.refusal import refused
from tokwatch.config import load, parse
from tokwatch.config.prices_series import MOST_ROWS, read_series
from tokwatch.ledger.prices.electricity import QUARTER_MS, Series

CONFIG = '[prices]\ncurrency = "EUR"\n[prices.electricity]\nfile = "market.csv"\n'
MIDNIGHT_MS = 1_795_215_600_000  # 2026-11-21 00:00 +01:00


def rows(*lines: str, head: str = "time,eur_per_mwh") -> str:
    return "\n".join([head, *lines]) + "\n"


@pytest.fixture
def market(tmp_path: Path) -> Path:
    return tmp_path / "market.csv"


def test_a_series_is_read_beside_the_config_that_names_it(market: Path) -> None:
    market.write_text(rows("2026-11-21T00:00+01:00,60", "2026-11-21T01:00+01:00,-5", "2026-11-21T01:00Z,100"))
    config = market.with_name("config.toml")
    config.write_text(CONFIG)
    prices = load(config).prices.prices()
    hours = tuple(MIDNIGHT_MS + hour * 3_600_000 for hour in range(4))
    assert prices is not None
    assert prices.electricity == Series("market.csv", hours[:3], (0.06, -0.005, 0.1), hours[3])


def test_the_column_says_the_unit(market: Path) -> None:
    market.write_text(rows("2026-11-21T00:00Z,0.06", "2026-11-21T00:15Z,0.05", "", head="time,usd_per_kwh"))
    assert read_series(market).series.usd_per_kwh == (0.06, 0.05)


def test_steps_may_become_shorter_as_they_did_in_europe(market: Path) -> None:
    at = ["2025-09-30T22:00Z", "2025-09-30T23:00Z", "2025-10-01T00:00Z", "2025-10-01T00:15Z", "2025-10-01T00:30Z"]
    market.write_text(rows(*(f"{time},1" for time in at)))
    series = read_series(market).series
    assert series.until_ms - series.from_ms[-1] == QUARTER_MS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: the first line must be time,usd_per_kwh or time,eur_per_mwh or the like"),
        ("time;eur_per_mwh\n", "1: the first line must be time,usd_per_kwh or time,eur_per_mwh or the like"),
        (rows("2026-11-21T00:00Z,1"), " two rows are needed at least: how long a row holds is told by the next"),
        (rows("2026-11-21T00:00Z,1,2"), "2: a row is a time and a price, this one has 3 fields"),
        (rows("21.11.2026,1"), "2: '21.11.2026' is no time: write 2026-11-21T00:00+01:00"),
        (
            rows("2026-11-21T00:00,1"),
            "2: 2026-11-21T00:00 has no time zone: write 2026-11-21T00:00Z or 2026-11-21T00:00+01:00",
        ),
        (rows("2026-11-21T00:10Z,1"), "2: 2026-11-21T00:10Z is off the quarter hour: prices change on quarter hours"),
        (rows("2026-11-21T00:00Z,NaN"), "2: 'NaN' is no price: write a number such as 0.085"),
        (rows("2026-11-21T00:00Z,"), "2: '' is no price: write a number such as 0.085"),
        (
            rows("2026-11-21T01:00Z,1", "2026-11-21T00:00Z,1"),
            "3: 2026-11-21T00:00Z does not come after the row before: sort by time",
        ),
        (
            rows("2026-11-21T01:00Z,1", "2026-11-21T01:00Z,1"),
            "3: 2026-11-21T01:00Z does not come after the row before: sort by time",
        ),
        (
            rows("2026-11-21T00:00Z,1", "", "2026-11-21T02:00Z,1"),
            "4: 120 minutes after the row before: rows are missing",
        ),
        (
            rows(*(f"2026-11-21T00:{minute}Z,1" for minute in ("00", "15", "45")), "2026-11-21T01:00Z,1"),
            "4: 30 minutes after the row before: rows are missing",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(market: Path, text: str, message: str) -> None:
    market.write_text(text)
    assert refused(CONFIG, market.parent) == f"4: prices.electricity.file: {market}:{message}"


def test_a_file_that_is_missing_or_no_text_is_told(market: Path) -> None:
    assert refused(CONFIG, market.parent) == f"4: prices.electricity.file: {market}: no such file"
    market.write_bytes(b"time,eur_per_mwh\n\xff")
    assert refused(CONFIG, market.parent).startswith(f"4: prices.electricity.file: {market}: cannot be read: ")
    assert refused("[prices.electricity]\nfile = 5") == "2: prices.electricity.file: write the name of a CSV file"
    assert "cannot be read" in refused(f"[prices.electricity]\nfile = '{'x' * 300}'")


def test_prices_of_another_currency_are_refused(market: Path) -> None:
    market.write_text(rows("2026-11-21T00:00Z,1", "2026-11-21T01:00Z,1"))
    text = '[prices.electricity]\nfile = "market.csv"'
    message = "2: prices.electricity.file: its prices are in EUR, and prices.currency is USD"
    assert refused(text, market.parent) == message


def test_prices_per_mwh_that_are_called_per_kwh_are_refused(market: Path) -> None:
    market.write_text(rows("2026-11-21T00:00Z,60", "2026-11-21T01:00Z,85", head="time,eur_per_kwh"))
    assert refused(CONFIG, market.parent) == (
        "4: prices.electricity.file: must lie between -25 and 25, is 60: a price per kWh; is the column one per MWh?"
    )


def test_more_than_a_year_of_quarter_hours_is_refused(market: Path) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    times = (begin + timedelta(minutes=15 * row) for row in range(MOST_ROWS + 1))
    market.write_text(rows(*(f"{time.isoformat()},1" for time in times)))
    message = f"4: prices.electricity.file: {market}:{MOST_ROWS + 2}: more than {MOST_ROWS} rows: "
    assert refused(CONFIG, market.parent) == message + "keep a year of quarter hours at most"


@given(st.lists(st.floats(-400, 4000).map(lambda price: round(price, 2)), min_size=2, max_size=50), st.integers(1, 4))
def test_every_row_holds_for_its_step(tmp_path_factory: pytest.TempPathFactory, prices: list[float], step: int) -> None:
    path = tmp_path_factory.mktemp("series") / "market.csv"
    begin = datetime(2026, 3, 28, tzinfo=UTC)
    times = [begin + timedelta(minutes=15 * step * row) for row in range(len(prices))]
    path.write_text(rows(*(f"{time.isoformat()},{price}" for time, price in zip(times, prices, strict=True))))
    series = read_series(path).series
    begin_ms = int(begin.timestamp() * 1000)
    quarters = [series.at(begin_ms + quarter * QUARTER_MS) for quarter in range(step * len(prices))]
    assert quarters == [price / 1000 for price in prices for _ in range(step)]
    assert series.at(begin_ms - 1) is None
    assert series.at(series.until_ms) is None


def test_a_config_without_a_series_needs_no_directory() -> None:
    assert parse("[prices.electricity]\nusd_per_kwh = 0.1", "config.toml").prices.prices() is not None
