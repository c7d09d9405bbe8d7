"""The shipped examples: each is a config that is accepted, and says where its figures are from."""

from __future__ import annotations

import re
from importlib.resources import as_file, files

import pytest

from tokwatch.config import Config, load
from tokwatch.ledger.prices.gpu_terms import PricedGpu

FOLDER = files("tokwatch") / "assets" / "prices"
NAMES = sorted(each.name for each in FOLDER.iterdir() if each.name.endswith(".toml"))


def example(name: str) -> Config:
    with as_file(FOLDER) as folder:
        return load(folder / name)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_a_config_that_prices_something(name: str) -> None:
    assert example(name).prices.prices() is not None


@pytest.mark.parametrize("name", NAMES)
def test_an_example_says_of_its_figures_whose_and_when_or_that_they_are_made_up(name: str) -> None:
    words = "\n".join(line for line in (FOLDER / name).read_text(encoding="utf-8").splitlines() if line.startswith("#"))
    assert re.search(r"\b20\d\d\b|nobody's tariff|no market's", words)


def test_nothing_has_a_price_unless_a_user_writes_one() -> None:
    assert Config().prices.prices() is None


def test_the_owned_example_costs_what_its_text_says() -> None:
    prices = example("own.toml").prices.prices()
    fixed = prices.fixed(PricedGpu("GPU-a", "NVIDIA H100")) if prices else None
    assert fixed is not None
    text = (FOLDER / "own.toml").read_text(encoding="utf-8")
    for amount in (fixed.capex, fixed.opex, fixed.space, fixed.total):
        assert f"{amount:.5f}" in text
