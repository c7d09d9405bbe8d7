"""One version of the price book: the terms of a GPU, and what its electricity costs."""

from __future__ import annotations

import msgspec
import pytest

from tokwatch.ledger.prices.electricity import Flat, Period, Series, TimeOfUse
from tokwatch.ledger.prices.facility import Carbon, Facility
from tokwatch.ledger.prices.gpu_terms import Own, PricedGpu, Rent, TermsFor
from tokwatch.ledger.prices.token_prices import TaskValue, TierOf, TokenPrice, Tokens
from tokwatch.ledger.prices.version import Prices

H100 = "NVIDIA H100 80GB HBM3"
OWN = Own(server_usd=320_000, gpus_per_server=8, years=4)


def rent_of(prices: Prices, uuid: str | None, model: str | None, host: str = "") -> float | None:
    fixed = prices.fixed(PricedGpu(uuid, model, host))
    return fixed.rent if fixed else None


@pytest.mark.parametrize(
    ("uuid", "name", "price"),
    [("GPU-a", H100, 1.0), ("GPU-b", H100, 2.0), ("GPU-b", "NVIDIA L4", 3.0), (None, None, 3.0)],
)
def test_a_gpus_own_price_beats_its_models_and_that_the_general_one(
    uuid: str | None, name: str | None, price: float
) -> None:
    assert rent_of(Prices(usd_per_gpu_hour=3.0, gpu={"GPU-a": 1.0, H100: 2.0}), uuid, name) == price


def test_a_price_of_nothing_is_a_price_and_none_is_unknown() -> None:
    assert rent_of(Prices(usd_per_gpu_hour=3.0, gpu={"GPU-a": 0.0}), "GPU-a", None) == 0.0
    assert rent_of(Prices(gpu={"GPU-a": 1.0}), "GPU-b", H100) is None


def test_of_several_terms_the_most_particular_hold() -> None:
    terms = (
        TermsFor(Rent(1.0)),
        TermsFor(Rent(2.0), model=H100),
        TermsFor(Rent(3.0), host="a"),
        TermsFor(Rent(4.0), model=H100, host="a"),
        TermsFor(Rent(5.0), gpu="GPU-x"),
    )
    prices = Prices(usd_per_gpu_hour=9.0, terms=terms)
    asked = [(None, None, "b"), (None, H100, "b"), (None, None, "a"), (None, H100, "a"), ("GPU-x", H100, "a")]
    assert [rent_of(prices, *each) for each in asked] == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_gpus_own_rent_beats_the_terms_of_its_model() -> None:
    prices = Prices(gpu={"GPU-a": 1.0}, terms=(TermsFor(OWN, model=H100),))
    assert prices.terms_of(PricedGpu("GPU-a", H100)) == Rent(1.0)
    assert prices.terms_of(PricedGpu("GPU-b", H100)) == OWN


def test_terms_for_a_model_do_not_fit_a_gpu_whose_model_is_unknown() -> None:
    assert not TermsFor(Rent(1.0), model=H100).fits(PricedGpu("GPU-a", None))


def test_one_rent_for_all_leaves_the_rest_as_it_is() -> None:
    prices = Prices("EUR", 1.0, {H100: 2.0}, (TermsFor(OWN, host="a"),), Flat(0.2), Facility(1.3))
    assert prices.rented_at(3.0) == Prices("EUR", 3.0, electricity=Flat(0.2), facility=Facility(1.3))


def test_own_power_of_a_gpu_costs_what_vector_e_says() -> None:
    """1.275 kW for an hour at PUE 1.3 and 0.085 $/kWh, beside capital and running costs."""
    terms = Own(
        server_usd=320_000,
        gpus_per_server=8,
        years=4,
        cost_of_capital=0.10,
        depreciation="capital-recovery",
        opex_rate=0.05,
    )
    prices = Prices(terms=(TermsFor(terms),), electricity=Flat(0.085), facility=Facility(1.3))
    gpu = PricedGpu("GPU-a", H100)
    dollars, whole = prices.energy_usd(
        1275 * 3.6e6, 3.6e6, None, prices.electricity.at(0) if prices.electricity else None
    )
    fixed = prices.fixed(gpu)
    assert dollars is not None
    assert fixed is not None
    assert round(dollars, 5) == 0.14089
    assert round(fixed.total + dollars, 5) == 1.74215
    assert whole
    assert prices.metered(gpu)


def test_electricity_without_a_price_is_unknown_and_not_free() -> None:
    assert Prices(facility=Facility(1.3)).energy_usd(3.6e9, 3.6e6, None, None) == (None, False)


def test_rent_holds_the_electricity_unless_told_otherwise() -> None:
    gpu = PricedGpu(None, None)
    assert not Prices(usd_per_gpu_hour=2.0).metered(gpu)
    assert Prices(terms=(TermsFor(Rent(2.0, power_included=False)),)).metered(gpu)
    assert not Prices().metered(gpu)


def test_a_version_is_the_same_after_it_was_stored() -> None:
    prices = Prices(
        "EUR",
        2.35,
        {H100: 2.99},
        (TermsFor(OWN, host="a"), TermsFor(Rent(1.1, elastic=True), gpu="GPU-a")),
        TimeOfUse("Europe/Berlin", (Period(0.3, (0, 1), 960, 1260),), 0.2),
        Facility(1.3, "ratio", host_ratio=0.4, carbon=Carbon(348, "US average", 2023)),
        Tokens((TokenPrice(2.0, 1.0, "m"),), {"batch": 0.5}, (TierOf("batch", tenant="t"),), (TaskValue(0.1),)),
    )
    assert msgspec.json.decode(msgspec.json.encode(prices), type=Prices) == prices
    market = msgspec.structs.replace(prices, electricity=Series("a.csv", (0, 900_000), (0.1, -0.1), 1_800_000))
    assert msgspec.json.decode(msgspec.json.encode(market), type=Prices) == market


def test_a_version_of_the_first_kind_is_still_read() -> None:
    stored = b'{"currency":"EUR","usd_per_gpu_hour":2.35,"gpu":{"GPU-a":1.5}}'
    assert msgspec.json.decode(stored, type=Prices) == Prices("EUR", 2.35, {"GPU-a": 1.5})
