"""What the simulated fleet is paid for by: three sites that differ in tariff, PUE, carbon, rent and cap."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.electricity import Flat, Period, TimeOfUse
from tokwatch.ledger.prices.facility import Carbon, Facility
from tokwatch.ledger.prices.gpu_terms import Own, TermsFor
from tokwatch.ledger.prices.sites import Site
from tokwatch.ledger.prices.version import Prices

_WEEKDAYS: Final = (0, 1, 2, 3, 4)
_OWN: Final = Own(
    server_usd=268_000.0,
    gpus_per_server=8,
    years=4.0,
    residual=0.1,
    cost_of_capital=0.08,
    depreciation="capital-recovery",
    opex_rate=0.04,
)
_CAP_W_PER_HOST: Final = 4_700.0  # so that oslo is near its cap, however many hosts there are


def demo_book(hosts: int) -> PriceBook:
    """For a simulated fleet of so many hosts, a third of them at each site."""
    oslo = Site(
        "oslo",
        ("osl-*",),
        region="eu-north",
        electricity=Flat(0.058),
        facility=Facility(
            pue=1.09, host="per gpu", host_w_per_gpu=110.0, carbon=Carbon(26.0, "Norway, location-based", 2024)
        ),
        power_cap_w=_CAP_W_PER_HOST * hosts / 3,
    )
    dublin = Site(
        "dublin",
        ("dub-*",),
        region="eu-west",
        electricity=TimeOfUse("Europe/Dublin", (Period(0.31, _WEEKDAYS, 17 * 60, 19 * 60),), otherwise=0.19),
        facility=Facility(
            pue=1.18, host="per gpu", host_w_per_gpu=110.0, carbon=Carbon(280.0, "Ireland, location-based", 2024)
        ),
        power_cap_w=7_200.0 * hosts / 3,
    )
    ashburn = Site("ashburn", ("ash-*",), region="us-east", usd_per_gpu_hour=3.35)
    terms = tuple(TermsFor(_OWN, model=model) for model in ("NVIDIA H200", "NVIDIA H100 80GB HBM3"))
    prices = Prices(
        usd_per_gpu_hour=2.25,
        terms=terms,
        sites=(oslo, dublin, ashburn),
    )
    return PriceBook((PriceVersion(1, 0, 0, "demo", prices),))
