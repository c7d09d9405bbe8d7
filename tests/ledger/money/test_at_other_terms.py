"""The present hour at other terms: unchanged it is the Snapshot's own, and each change does what it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.dashboard.scenes.money import PRICES
from tests.dashboard.scenes.money_box import MONEY_BOX, price_list_only
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.money.at_other_terms import AS_IT_IS, Present, Terms, present
from tokwatch.ledger.money.shapes import CostPerHour
from tokwatch.ledger.snapshot import Snapshot


def of(snapshot: Snapshot) -> Present:
    found = present(snapshot, PRICES)
    assert found is not None
    return found


NOW = of(MONEY_BOX)


def test_as_it_is_it_says_what_the_snapshot_says() -> None:
    found, whole = NOW.at(AS_IT_IS), MONEY_BOX.economy
    assert found.usd_per_m_output == pytest.approx(whole.tokens.output_only.value, rel=0.01)
    assert found.idle_usd_per_hour == pytest.approx(whole.cost.idle.value)
    assert found.profit_usd_per_hour == pytest.approx(whole.earns.profit_usd_per_hour.value)


def test_its_terms_are_those_in_force() -> None:
    terms = NOW.terms
    assert terms.usd_per_gpu_hour == pytest.approx(2.25)
    assert (terms.usd_per_kwh, terms.pue) == (0.12, 1.25)
    assert terms.load == pytest.approx(0.41, abs=0.005)
    assert terms.usd_per_m_sold == pytest.approx(0.624, abs=0.002)
    assert NOW.load_of_capacity
    assert NOW.api_usd_per_m == pytest.approx(0.60, abs=0.01)


def test_a_gpu_price_changes_the_rent_alone() -> None:
    assert NOW.at(Terms(usd_per_gpu_hour=1.125)).profit_usd_per_hour == pytest.approx(9.13 + 9.0, abs=0.01)


def test_a_tariff_and_a_pue_change_the_electricity_alone() -> None:
    assert NOW.at(Terms(usd_per_kwh=0.24)).profit_usd_per_hour == pytest.approx(9.13 - 0.80, abs=0.01)
    assert NOW.at(Terms(pue=1.0)).profit_usd_per_hour == pytest.approx(9.13 + 0.16, abs=0.01)


def test_a_token_price_changes_the_revenue_alone() -> None:
    sold = NOW.terms.usd_per_m_sold
    assert sold is not None
    assert NOW.at(Terms(usd_per_m_sold=2 * sold)).profit_usd_per_hour == pytest.approx(9.13 + 27.93, abs=0.01)


def test_more_load_fills_idle_gpus_and_makes_tokens_cheaper() -> None:
    busier = NOW.at(Terms(load=0.5))
    idle, each = NOW.at(AS_IT_IS).idle_usd_per_hour, NOW.at(AS_IT_IS).usd_per_m_output
    assert idle is not None
    assert each is not None
    assert 0 < (busier.idle_usd_per_hour or 0) < idle
    assert 0 < (busier.usd_per_m_output or 0) < each
    assert NOW.at(Terms(load=1.0)).idle_usd_per_hour == 0


def test_where_the_capacity_is_not_known_load_is_a_share_of_the_present_one() -> None:
    listed = of(price_list_only())
    assert not listed.load_of_capacity
    assert listed.terms.load == 1.0
    assert listed.curve(AS_IT_IS, 9)[-1][0] == pytest.approx(2.0)


def test_electricity_in_the_rent_costs_nothing_more() -> None:
    listed = of(price_list_only())
    assert not listed.metered
    assert listed.at(Terms(usd_per_kwh=9.0, pue=2.0)) == listed.at(AS_IT_IS)


def test_what_gpus_draw_idle_is_unknown_where_none_is() -> None:
    busy = of(replace(MONEY_BOX, gpus=MONEY_BOX.gpus[:6]))
    assert busy.at(Terms(load=0.8)).usd_per_m_output is None
    assert busy.curve(AS_IT_IS, 9) == ()


@pytest.mark.parametrize(
    "snapshot",
    [
        replace(MONEY_BOX, traffic=()),
        replace(MONEY_BOX, economy=replace(MONEY_BOX.economy, cost=CostPerHour(total=Figure(None, "no price set")))),
    ],
    ids=["no tokens", "no price"],
)
def test_without_tokens_or_a_price_there_is_nothing_to_suppose(snapshot: Snapshot) -> None:
    assert present(snapshot, PRICES) is None


@given(st.floats(0.05, 1.0), st.floats(0, 10), st.floats(1, 2))
def test_the_curve_says_what_the_terms_say(load: float, price: float, pue: float) -> None:
    terms = Terms(usd_per_gpu_hour=price, pue=pue)
    curve = NOW.curve(terms, 20)
    assert [x for x, _ in curve] == sorted(x for x, _ in curve)
    for at, usd in curve:
        assert usd == pytest.approx(NOW.at(terms._replace(load=at)).usd_per_m_output)
