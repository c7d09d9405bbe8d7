"""Running cost: dollars by part, at the prices that held when the time passed."""

from __future__ import annotations

import pytest

from tests.ledger.box import Box, priced, serve
from tests.ledger.readings import NOON_MS, free_gpu, gpu
from tokwatch.ledger.fleet.running_cost import RunningCost
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.facility import Facility
from tokwatch.ledger.prices.gpu_terms import Own, TermsFor
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.view import View

OWN = Own(server_usd=8 * 8760.0, gpus_per_server=8, years=1.0, opex_rate=0.5)  # $1 an hour of capex, $0.50 of opex


def cost_of(box: Box, book: PriceBook) -> RunningCost:
    view, cost = View(box.run, book), RunningCost()
    for record in box.records:
        view.apply(record)
        cost.add(record, view)
    return cost


def test_rent_is_owed_for_watched_time() -> None:
    box = serve(Box(), range(61), free=1)
    [(currency, parts)] = cost_of(box, PriceBook((priced(3.0),))).parts
    assert currency == "USD"
    assert parts._asdict() == pytest.approx({"rent": 3 * 3.0 / 60, "capex": 0, "opex": 0, "space": 0, "energy": 0})


def test_without_a_price_there_is_no_cost() -> None:
    box = serve(Box(), range(5))
    assert cost_of(box, PriceBook()).parts == ()
    assert cost_of(box, PriceBook((PriceVersion(1, 0, 0, "config", Prices()),))).parts == ()


def test_a_gpu_of_ones_own_costs_by_part_and_its_energy_by_the_tariff() -> None:
    prices = Prices(terms=(TermsFor(OWN),), electricity=Flat(0.36), facility=Facility(pue=1.5))
    box = Box()
    for second in range(3601):
        box.turn(second, [gpu(second)])  # 300 W
    [(_, parts)] = cost_of(box, PriceBook((PriceVersion(1, 0, 0, "config", prices),))).parts
    assert parts._asdict() == pytest.approx(
        {"rent": 0, "capex": 1.0, "opex": 0.5, "space": 0, "energy": 0.3 * 1.5 * 0.36}
    )


def test_each_second_is_priced_by_the_version_that_held_then() -> None:
    box = serve(Box(), range(61))
    book = PriceBook((priced(2.0), priced(4.0, from_ms=NOON_MS + 30_000, number=2)))
    [(_, parts)] = cost_of(box, book).parts
    assert parts.rent == pytest.approx(2 * (2.0 + 4.0) / 120)


def test_time_that_nobody_watched_is_not_owed() -> None:
    box = Box()
    for second in range(11):
        box.turn(second, [free_gpu(second)])
    box.restart(3600)
    for second in range(3600, 3611):
        box.turn(second, [free_gpu(second)])
    [(_, parts)] = cost_of(box, PriceBook((priced(3.6),))).parts
    assert parts.rent == pytest.approx(3.6 * 20 / 3600)
