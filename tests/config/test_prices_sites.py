"""`[[prices.sites]]` of the config."""

from __future__ import annotations

import pytest

from tests.config.refusal import refused
from tokwatch.config import parse
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.facility import Carbon, Facility

TEXT = """
[prices]
usd_per_gpu_hour = 2.5
[prices.carbon]
g_per_kwh = 300
label = "grid"
year = 2026

[[prices.sites]]
name = "Oslo"
hosts = ["osl-*"]
region = "eu-north"
power_cap_kw = 1500
electricity = { usd_per_kwh = 0.05 }
facility = { pue = 1.08 }
"""


def test_a_site_stands_in_the_price_book_with_what_it_names() -> None:
    prices = parse(TEXT, "config.toml").prices.prices()
    assert prices is not None
    (site,) = prices.sites
    assert (site.name, site.region, site.power_cap_w, site.electricity) == ("Oslo", "eu-north", 1.5e6, Flat(0.05))
    facility = prices.facility_at("osl-1")
    assert facility.pue == 1.08
    assert facility.carbon is not None
    assert facility.carbon.g_per_kwh == 300


def test_a_sites_own_carbon_takes_the_place_of_the_general_one_and_leaves_the_rest() -> None:
    text = """
[prices.facility]
pue = 1.3
[[prices.sites]]
name = "A"
hosts = ["a"]
carbon = { g_per_kwh = 20, label = "hydro", year = 2026 }
"""
    prices = parse(text, "config.toml").prices.prices()
    assert prices is not None
    assert prices.facility_at("a") == Facility(1.3, carbon=Carbon(20, "hydro", 2026))
    assert prices.facility_at("b") == Facility(1.3)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[[prices.sites]]\nname = "A"\nhosts = []', "prices.sites[0].hosts"),
        ('[[prices.sites]]\nname = " "\nhosts = ["a"]', "prices.sites[0].name"),
        ('[[prices.sites]]\nname = "A"\nhosts = ["a"]\npower_cap_kw = -1', "prices.sites[0].power_cap_kw"),
        ('[[prices.sites]]\nname = "A"\nhosts = ["a"]\nfacility = { pue = 0.5 }', "prices.sites[0].facility.pue"),
        (
            '[[prices.sites]]\nname = "A"\nhosts = ["a"]\nelectricity = { usd_per_kwh = 50 }',
            "prices.sites[0].electricity.usd_per_kwh",
        ),
        ('[[prices.sites]]\nname = "A"\nhosts = ["a"]\n[[prices.sites]]\nname = "A"\nhosts = ["b"]', "prices.sites[1]"),
    ],
)
def test_a_site_that_cannot_be_is_refused_with_its_place(text: str, where: str) -> None:
    assert where in refused(text)
