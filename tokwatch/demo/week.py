"""A made-up week of a fleet of 64 GPUs, with its prices, and with one that turned out to be wrong."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from tokwatch import config
from tokwatch.config import Config
from tokwatch.demo.scenario import Scenario, parse
from tokwatch.feeds.history import stored_price
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.prices.gpu_terms import Rent, TermsFor
from tokwatch.ledger.prices.version import Prices
from tokwatch.store import rows
from tokwatch.store.reader import Reader
from tokwatch.store.telling import telling

DAY_S: Final = 86_400.0
OWN_MODEL: Final = "NVIDIA H100 80GB HBM3"
RENTED_MODEL: Final = "NVIDIA H200"
TRUE_RENT_USD: Final = 2.75  # of an hour of RENTED_MODEL, by the invoice for …
RESTATED_S: Final = 3 * DAY_S  # … the first three days
_FILES: Final = files("tokwatch.demo") / "scenarios"


def scenario_text() -> str:
    """The fleet and its week."""
    return (_FILES / "week.txt").read_text(encoding="utf-8")


def week() -> tuple[Scenario, Config]:
    """The fleet's week, and the config of whoever records it: prices, interval, SLO."""
    return parse(scenario_text()), config.parse((_FILES / "week.toml").read_text(encoding="utf-8"), "week.toml")


def restate(store: Path, scenario: Scenario, prices: Prices) -> PriceVersion:
    """Tell a played store what `tokwatch prices restate` would: the first three days had another rent."""
    assert scenario.begins is not None  # it was played
    from_ms = round(scenario.begins.timestamp() * 1000)
    to_ms = from_ms + round(RESTATED_S * 1000)
    rent = TermsFor(Rent(TRUE_RENT_USD), model=RENTED_MODEL)
    terms = tuple(rent if each.model == RENTED_MODEL else each for each in prices.terms)
    corrected = msgspec.structs.replace(prices, terms=terms)
    with Reader(store) as reader:
        recorded_ms = reader.last_tick() or to_ms
    version = PriceVersion(0, from_ms, recorded_ms, "restated", corrected, to_ms, "the invoice says so")
    with telling(store) as connection:
        added = rows.insert_price(connection, stored_price(version))
    return msgspec.structs.replace(version, id=added.id)
