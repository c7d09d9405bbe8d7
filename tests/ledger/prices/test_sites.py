"""Sites: what is paid differently where a host stands."""

from __future__ import annotations

from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.facility import Facility
from tokwatch.ledger.prices.gpu_terms import PricedGpu, Rent, TermsFor
from tokwatch.ledger.prices.sites import Site
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.rating import segments

OSLO = Site(
    "Oslo", ("osl-*", "h17"), usd_per_gpu_hour=1.9, electricity=Flat(0.05), facility=Facility(pue=1.08), power_cap_w=2e6
)
PRICES = Prices(usd_per_gpu_hour=2.5, electricity=Flat(0.2), facility=Facility(pue=1.4), sites=(OSLO,))


def _gpu(host: str, model: str = "H100") -> PricedGpu:
    return PricedGpu("GPU-1", model, host)


def test_a_host_is_at_the_first_site_that_names_it() -> None:
    assert PRICES.site_of("osl-0007") is OSLO
    assert PRICES.site_of("h17") is OSLO
    assert PRICES.site_of("h170") is None


def test_a_site_has_its_own_rent_tariff_and_pue_and_all_others_have_the_general_ones() -> None:
    assert PRICES.fixed(_gpu("osl-1")) == Rent(1.9).hourly
    assert PRICES.fixed(_gpu("h1")) == Rent(2.5).hourly
    assert PRICES.electricity_at("osl-1") == Flat(0.05)
    assert PRICES.electricity_at("h1") == Flat(0.2)
    assert PRICES.facility_at("osl-1").pue == 1.08
    assert PRICES.facility_at("h1").pue == 1.4


def test_what_a_site_leaves_out_holds_as_everywhere() -> None:
    prices = Prices(usd_per_gpu_hour=2.5, electricity=Flat(0.2), sites=(Site("Dublin", ("dub-*",)),))
    assert prices.fixed(_gpu("dub-1")) == Rent(2.5).hourly
    assert prices.electricity_at("dub-1") == Flat(0.2)


def test_terms_that_name_a_gpu_model_go_before_a_sites_rent() -> None:
    prices = Prices(sites=(OSLO,), terms=(TermsFor(Rent(4.0), model="H200"),))
    assert prices.fixed(_gpu("osl-1", "H200")) == Rent(4.0).hourly
    assert prices.fixed(_gpu("osl-1")) == Rent(1.9).hourly


def test_a_supposed_rent_holds_at_every_site() -> None:
    assert PRICES.rented_at(3.0).fixed(_gpu("osl-1")) == Rent(3.0).hourly


def test_time_is_cut_by_the_tariff_of_the_hosts_own_site() -> None:
    book = PriceBook((PriceVersion(1, 0, 0, "config", PRICES),))
    assert [price for *_, price in segments(book, "osl-3", 0, 900_000)] == [0.05]
    assert [price for *_, price in segments(book, "elsewhere", 0, 900_000)] == [0.2]
