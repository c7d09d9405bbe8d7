"""`money` and `export hourly` read the same quarter hours by the same charges: they cannot disagree."""

from __future__ import annotations

from collections import defaultdict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exports.box import FACTS, GPU_0, NOON_MS, gpu_facts, gpu_quarter
from tests.exports.box import background as box
from tests.exports.money.sums import END_MS, gathered
from tests.exports.strategies import price_versions, quarters
from tests.exports.test_identities import HOURS, known, stretches
from tokwatch.exports.gpu_hour import gpu_hours
from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.exports.model_hours import model_hours
from tokwatch.exports.money.account import Account, together
from tokwatch.exports.money.gather import Gathering
from tokwatch.exports.money.rows import EVERY_BY, OF_GPUS, Books, By
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.prices.version import Prices
from tokwatch.store.quarters import Quarters
from tokwatch.store.seen import Seen

SUMMED = ("energy_board_j", "energy_facility_kwh", "cost_total_usd", "cost_idle_usd", "unpriced_s", "unpriced_kwh")
any_book = price_versions()


def sums_of(charges: Charges) -> dict[str, float]:
    """Under the names of the hourly tables."""
    return {
        "energy_board_j": (charges.energy_mj or 0) / 1000,
        "energy_facility_kwh": charges.facility_kwh or 0.0,
        "cost_total_usd": charges.total_usd or 0.0,
        "cost_idle_usd": charges.idle_usd or 0.0,
        "unpriced_s": charges.unpriced_ms / 1000,
        "unpriced_kwh": charges.unpriced_kwh,
    }


@given(quarters, any_book, stretches, st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_money_of_a_period_is_that_of_its_gpu_hours(
    generated: Quarters, book: tuple[PriceVersion, ...], seen: list[Seen], each_gpu: bool
) -> None:
    background = known(book, seen)
    period = gathered(generated, background, HOURS, each_gpu=each_gpu)
    hours = gpu_hours(generated, background, HOURS)
    exported = {name: sum(getattr(row, name) or 0.0 for row in hours) for name in SUMMED}
    whole = together(period.accounts.values())
    assert sums_of(whole.charges) == pytest.approx(exported, rel=1e-9, abs=1e-9)
    assert whole.charges.held_ms / 1000 == pytest.approx(sum(row.observed_s for row in hours))
    missed = sum(row.cost_unobserved_usd or 0.0 for row in hours)
    assert (period.unobserved.total_usd or 0.0) == pytest.approx(missed)
    by_gpu = together(period.of_gpu.values())
    assert not each_gpu or sums_of(by_gpu.charges) == pytest.approx(exported, rel=1e-9, abs=1e-9)


@given(quarters, any_book, stretches)
@settings(max_examples=30, deadline=None)
def test_each_account_is_that_of_its_model_hours(
    generated: Quarters, book: tuple[PriceVersion, ...], seen: list[Seen]
) -> None:
    background = known(book, seen)
    exported: dict[tuple[str, ...], dict[str, float]] = defaultdict(
        lambda: dict.fromkeys((*SUMMED, "revenue_usd"), 0.0)
    )
    for row in model_hours(generated, background, HOURS):
        if row.model == "(unobserved)":
            continue
        bearer = ("", "", row.model) if row.model.startswith("(") else (row.deployment or "", row.model, "")
        for name in (*SUMMED, "revenue_usd"):
            exported[*bearer, row.tier or "", row.tenant or ""][name] += getattr(row, name) or 0.0
    found: dict[tuple[str, ...], Account] = defaultdict(Account)
    for who, account in gathered(generated, background, HOURS).accounts.items():
        bearer = ("", "", who.left_over) if who.left_over else (who.deployment, who.model, "")
        found[*bearer, who.tier, who.tenant].add(account)
    assert found.keys() >= exported.keys()
    for key, account in found.items():
        told = {**sums_of(account.charges), "revenue_usd": account.made.revenue_usd or 0.0}
        # Shares are rounded to a millijoule and a millisecond, here of a sum and there of each row.
        rounded = 1e-3 * (len(generated.gpus) + len(generated.flows))
        for name, amount in told.items():
            tolerance = rounded if name.endswith(("_s", "_j")) else 1e-5
            assert amount == pytest.approx(exported[key][name], rel=1e-6, abs=tolerance), name


@given(quarters, any_book)
@settings(max_examples=20, deadline=None)
def test_idle_states_add_up_to_the_idle_cost(generated: Quarters, book: tuple[PriceVersion, ...]) -> None:
    for account in gathered(generated, known(book)).accounts.values():
        parts = sum(part.total_usd or 0.0 for part in account.idle.values())
        assert parts == pytest.approx(account.charges.idle_usd or 0.0, abs=1e-9)


@given(quarters, any_book)
@settings(max_examples=20, deadline=None)
def test_a_period_read_hour_by_hour_is_the_period_read_at_once(
    generated: Quarters, book: tuple[PriceVersion, ...]
) -> None:
    background = known(book)
    gathering = Gathering(background, END_MS)
    for hour_ms in HOURS:
        own = Quarters(
            [row for row in generated.gpus if hour_of(row.quarter_ms) == hour_ms],
            [row for row in generated.flows if hour_of(row.quarter_ms) == hour_ms],
            [row for row in generated.hosts if hour_of(row.quarter_ms) == hour_ms],
            [row for row in generated.elsewhere if hour_of(row.quarter_ms) == hour_ms],
        )
        gathering.take(own, [hour_ms])
    at_once, piecewise = gathered(generated, background, HOURS), gathering.period
    assert piecewise.watched_ms == at_once.watched_ms
    for one, other in ((at_once, piecewise), (piecewise, at_once)):
        for who, account in one.accounts.items():
            assert sums_of(other.accounts[who].charges) == pytest.approx(sums_of(account.charges), rel=1e-6, abs=1e-5)


@given(quarters, any_book, st.sampled_from(EVERY_BY))
@settings(max_examples=30, deadline=None)
def test_rows_close_on_the_whole(generated: Quarters, book: tuple[PriceVersion, ...], by: By) -> None:
    background = known(book)
    period = gathered(generated, background, HOURS, each_gpu=by in OF_GPUS)
    books = Books(period, background.names, END_MS)
    whole, rows = books.whole, together(books.by(by).values())
    assert sums_of(rows.charges) == pytest.approx(sums_of(whole.charges), rel=1e-9, abs=1e-9)
    assert rows.unobserved.total_usd == pytest.approx(whole.unobserved.total_usd)
    assert (rows.made.revenue_usd or 0.0) <= (whole.made.revenue_usd or 0.0) * (1 + 1e-9)


def test_an_hour_that_was_watched_for_a_quarter_is_that_long() -> None:
    period = gathered(Quarters([gpu_quarter(0), gpu_quarter(0, gpu=3)], [], []), known(()), [NOON_MS])
    assert period.watched_ms == HOUR_MS // 4


def test_a_gpu_that_its_driver_names_otherwise_from_some_hour_on_is_priced_by_each_name() -> None:
    renamed = msgspec.structs.replace(gpu_facts(GPU_0, 0, "GPU-a", "H100"), tick_ms=NOON_MS + HOUR_MS + 1000)
    prices = Prices(gpu={"NVIDIA H100 80GB HBM3": 1.0, "H100": 3.0})
    background = box(PriceVersion(1, 0, 0, "config", prices), facts=(*FACTS, renamed))
    gpus = [gpu_quarter(number, idle_energy_mj=0) for number in range(8)]
    whole = together(gathered(Quarters(gpus, [], []), background).accounts.values())
    assert whole.charges.total_usd == pytest.approx(1.0 + 3.0)


def test_a_gpu_of_which_nothing_was_read_has_no_row() -> None:
    period = gathered(Quarters([gpu_quarter(0, states={}, energy_mj=None)], [], []), known(()), each_gpu=True)
    assert Books(period, known(()).names, END_MS).by("gpu") == {}
