"""What the past cost, asked of a store: the sum of all buckets is what the hourly export says of the same hours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.box import Box, serve
from tests.ledger.readings import NOON_MS
from tokwatch.exports.gpu_hour import GpuPeriod, gpu_hours
from tokwatch.exports.money.read import Question as MoneyQuestion
from tokwatch.exports.money.read import money
from tokwatch.feeds.history import History, stored_price
from tokwatch.feeds.questions.cost_past import CostPast, background
from tokwatch.feeds.questions.paid_past import PaidPast
from tokwatch.feeds.questions.prices_at import PricesAt
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.facility import Facility
from tokwatch.ledger.prices.gpu_terms import Rent, TermsFor
from tokwatch.ledger.prices.token_prices import TokenPrice, Tokens
from tokwatch.ledger.prices.version import Prices
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.writer import Writer

HOUR_S, HOUR_MS = 3600, 3_600_000
PRICES = Prices(
    terms=(TermsFor(Rent(2.0, power_included=False)),),
    electricity=Flat(0.20),
    facility=Facility(pue=1.25),
    tokens=Tokens(api=(TokenPrice(output=2.0, input=0.5),)),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two GPUs that serve and a free one, for two hours with a hole of half an hour, a tick every ten seconds."""
    box = Box(settings=SettingsBody(interval_s=10))
    serve(box, range(0, HOUR_S, 10), free=1)
    serve(box, range(HOUR_S + 1800, 2 * HOUR_S + 10, 10), free=1)
    path = tmp_path_factory.mktemp("cost") / "store.db"
    writer = Writer(path)
    writer.open()
    assert writer.begin_run(box.run) == box.run
    writer.add_price(stored_price(PriceVersion(1, 0, 0, "config", PRICES)))
    for record in box.records:
        writer.submit(record)
    assert writer.close(30), writer.problem
    return path


@pytest.fixture
def past(store: Path) -> Iterator[History]:
    history = History(store)
    yield history
    history.close()


END_MS = NOON_MS + 2 * HOUR_MS


def exported(past: History) -> list[GpuPeriod]:
    quarters = past.reader.quarters(NOON_MS, END_MS, past.ids)
    return gpu_hours(quarters, background(past, NOON_MS, END_MS))


@pytest.mark.parametrize("buckets", [1, 2, 8])
def test_the_buckets_add_up_to_what_the_export_says(past: History, buckets: int) -> None:
    found = CostPast(END_MS, 2 * HOUR_MS, buckets).answer(past)
    rows, sums = exported(past), [bucket.usd for bucket in found.buckets if bucket.usd is not None]
    assert sum(usd.total for usd in sums) == pytest.approx(sum(row.cost_total_usd or 0 for row in rows))
    assert sum(usd.idle for usd in sums) == pytest.approx(sum(row.cost_idle_usd or 0 for row in rows))
    assert sum(usd.energy for usd in sums) > 0


def test_time_that_nobody_watched_has_no_cost(past: History) -> None:
    found = CostPast(END_MS, 2 * HOUR_MS, 8).answer(past)
    assert [bucket.usd_per_hour is None for bucket in found.buckets] == [False] * 4 + [True, True] + [False] * 2


def test_an_hour_of_three_gpus_costs_their_rent_and_their_electricity(past: History) -> None:
    rate = CostPast(END_MS, 2 * HOUR_MS, 8).answer(past).buckets[1].usd_per_hour
    assert rate is not None
    assert rate.idle == pytest.approx(2.0 + 0.060 * 1.25 * 0.20, rel=0.01)
    assert rate.at_work == pytest.approx(4.0, rel=0.01)
    assert rate.energy == pytest.approx(2 * 0.300 * 1.25 * 0.20, rel=0.02)


def test_a_stretch_before_all_that_is_stored_is_unknown(past: History) -> None:
    found = CostPast(NOON_MS - HOUR_MS, 2 * HOUR_MS, 8).answer(past)
    assert not found.known
    assert len(found.buckets) == 8


def test_a_supposed_price_is_the_one_that_counts(past: History) -> None:
    past.suppose_price(4.0)
    rate = CostPast(END_MS, 2 * HOUR_MS, 8).answer(past).buckets[1].usd_per_hour
    assert rate is not None
    assert rate.total == pytest.approx(12.0, rel=0.01)


@pytest.mark.parametrize(
    ("buckets", "step_ms", "count"),
    [
        (96, QUARTER_MS, 96),
        (48, 2 * QUARTER_MS, 48),
        (100, QUARTER_MS, 96),
        (40, 3 * QUARTER_MS, 32),
        (1, 96 * QUARTER_MS, 1),
    ],
)
def test_buckets_are_whole_quarter_hours_and_stand_still(buckets: int, step_ms: int, count: int) -> None:
    for later_ms in (1, 1000, QUARTER_MS // 2):
        from_ms, to_ms, found_ms = CostPast(NOON_MS + later_ms, 96 * QUARTER_MS, buckets).span
        assert (found_ms, (to_ms - from_ms) // found_ms) == (step_ms, count)
        assert from_ms % QUARTER_MS == 0
        assert from_ms % step_ms == 0 or buckets == 1
        assert to_ms >= NOON_MS + later_ms


def test_ways_to_pay_rest_on_the_sums_of_the_money_report(store: Path, past: History) -> None:
    paid, report = PaidPast(END_MS, 2 * HOUR_MS).answer(past), money(store, MoneyQuestion(NOON_MS, END_MS))
    assert paid is not None
    assert report is not None
    assert paid.usd == pytest.approx(report.whole.bill.total_usd.value)
    assert paid.output_tokens == pytest.approx(report.whole.served.output_tokens.value)
    assert paid.in_use == pytest.approx(2 / 3, rel=0.01)
    assert paid.api_usd is not None
    assert set(paid.spent) == {"rent"}


def test_nothing_is_paid_where_nothing_is_stored(past: History) -> None:
    assert PaidPast(NOON_MS - HOUR_MS, HOUR_MS).answer(past) is None


def test_the_prices_are_those_of_the_moment(past: History) -> None:
    assert PricesAt(NOON_MS).answer(past) == PRICES
    assert PricesAt(-1).answer(past) is None
