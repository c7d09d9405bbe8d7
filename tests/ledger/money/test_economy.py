"""What tokens cost and earn at one moment: parts that add up, prices by class, and unknowns that say why."""

from __future__ import annotations

import pytest

from tests.ledger.box import Box, value
from tests.ledger.earning import CACHED_S, LIST, MODEL, OUT_S, OWN, PROMPT_S, RENTED, shown
from tokwatch.ledger.money.shapes import Economy
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.facility import Carbon, Facility
from tokwatch.ledger.prices.gpu_terms import TermsFor
from tokwatch.ledger.prices.token_prices import TaskValue, TokenPrice, Tokens
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.snapshot import Figure


def economy(prices: Prices | None, **rates: int | None) -> Economy:
    """Of the deployment."""
    return shown(prices, rates=rates).deployments[0].economy


def test_the_parts_of_an_owned_gpus_hour_add_up_with_its_electricity_at_the_meter() -> None:
    facility = Facility(pue=1.3, host="per gpu", host_w_per_gpu=100.0)
    cost = economy(Prices(terms=(TermsFor(OWN),), electricity=Flat(0.10), facility=facility)).cost
    assert value(cost.capex) == pytest.approx(1.14155, abs=5e-6)
    assert value(cost.opex) == pytest.approx(0.22831, abs=5e-6)
    assert value(cost.energy) == pytest.approx((300 + 100) * 1.3 / 1000 * 0.10)
    assert value(cost.rent) == 0
    parts = (cost.rent, cost.capex, cost.opex, cost.space, cost.energy)
    assert value(cost.total) == pytest.approx(sum(map(value, parts)))


def test_electricity_that_is_paid_for_by_itself_and_has_no_price_is_marked_as_left_out() -> None:
    cost = economy(Prices(terms=(TermsFor(OWN),))).cost
    assert value(cost.energy) == 0
    assert "part" in cost.total.marks


def test_without_a_price_nothing_costs_anything_and_says_so() -> None:
    money = economy(None)
    assert (money.cost.total, money.tokens.output_only) == (Figure(None, "no price set"), Figure(None, "no price set"))


def test_power_is_called_board_power_until_pue_and_the_hosts_share_are_told() -> None:
    assert economy(RENTED).energy_basis == "board"
    assert value(economy(RENTED).facility_w) == pytest.approx(300)
    whole = economy(Prices(usd_per_gpu_hour=2.0, facility=Facility(pue=1.25, host="ratio", host_ratio=0.4)))
    assert whole.energy_basis == "facility"
    assert value(whole.facility_w) == pytest.approx(300 * 1.4 * 1.25)
    assert value(whole.board_w) == pytest.approx(300)


def test_a_host_share_that_is_to_be_measured_and_is_not_is_marked() -> None:
    money = economy(Prices(usd_per_gpu_hour=2.0, facility=Facility(pue=1.25, host="measured")))
    assert money.facility_w.marks == ("part",)


def test_blended_and_output_only_name_two_denominators() -> None:
    tokens = economy(RENTED).tokens
    assert value(tokens.output_only) == pytest.approx(2.0 / (OUT_S * 0.0036))
    assert value(tokens.blended) == pytest.approx(2.0 / ((OUT_S + PROMPT_S) * 0.0036))


def test_the_price_weighted_split_adds_up_to_the_cost() -> None:
    tokens = economy(Prices(usd_per_gpu_hour=2.0, tokens=LIST)).tokens
    paid = value(tokens.input) * (PROMPT_S - CACHED_S) + value(tokens.cached) * CACHED_S + value(tokens.output) * OUT_S
    assert paid * 0.0036 == pytest.approx(2.0)
    assert value(tokens.input) / value(tokens.output) == pytest.approx(0.25)
    assert tokens.split_by == "token prices"


def test_the_prefix_cache_saves_what_cached_tokens_would_have_cost_uncached() -> None:
    tokens = economy(Prices(usd_per_gpu_hour=2.0, tokens=LIST)).tokens
    assert value(tokens.saved_by_cache_usd_per_hour) == pytest.approx(
        CACHED_S * (value(tokens.input) - value(tokens.cached)) * 0.0036
    )
    assert economy(RENTED).tokens.saved_by_cache_usd_per_hour.why == "no token prices set"


def test_the_next_token_costs_only_electricity() -> None:
    money = economy(Prices(usd_per_gpu_hour=2.0, electricity=Flat(0.10)))
    assert value(money.tokens.marginal) == pytest.approx(0.3 * 0.10 / (OUT_S * 0.0036))
    assert value(money.cost.total) == pytest.approx(2.0), "the rent holds the electricity"
    assert economy(RENTED).tokens.marginal.why == "no electricity price set"


def test_revenue_profit_and_margin_follow_the_list() -> None:
    money = economy(Prices(usd_per_gpu_hour=2.0, tokens=LIST))
    revenue = (2000 * 0.5 + 1000 * 0.05 + 1000 * 2.0) * 0.0036
    assert value(money.earns.revenue_usd_per_hour) == pytest.approx(revenue)
    assert value(money.earns.profit_usd_per_hour) == pytest.approx(revenue - 2.0)
    assert value(money.earns.margin) == pytest.approx(1 - 2.0 / revenue)
    assert value(money.earns.profit_usd_per_mwh) == pytest.approx((revenue - 2.0) / 0.3 * 1000)
    assert value(money.earns.profit_usd_per_hour_per_mw) == pytest.approx((revenue - 2.0) / 0.7 * 1000)


def test_a_task_that_is_worth_something_has_a_profit() -> None:
    worth = Tokens(tasks=(TaskValue(0.01, MODEL),))
    money = economy(Prices(usd_per_gpu_hour=2.0, tokens=worth))
    assert value(money.earns.task_value_usd_per_hour) == pytest.approx(36)
    assert value(money.request.profit_usd) == pytest.approx(0.01 - 2.0 / 3600)


def test_a_request_has_its_tokens_dollars_energy_and_carbon() -> None:
    facility = Facility(carbon=Carbon(400, "a grid", 2025))
    request = economy(Prices(usd_per_gpu_hour=2.0, facility=facility)).request
    assert (value(request.prompt_tokens), value(request.output_tokens)) == pytest.approx((3000, 1000))
    assert value(request.cached_share) == pytest.approx(1 / 3)
    assert value(request.usd) == pytest.approx(2.0 / 3600)
    assert value(request.wh) == pytest.approx(300 / 3600)
    assert value(request.gco2e) == pytest.approx(300 / 3600 / 1000 * 400)


def test_without_tokens_a_token_costs_infinitely_much_and_never_nothing() -> None:
    tokens = economy(RENTED, output_tokens=0, prompt_tokens=0, cached_tokens=0, finished=0).tokens
    assert tokens.output_only.infinite
    assert tokens.output_only.value is None
    assert tokens.input.value is None


def test_unknown_prompt_tokens_leave_the_output_price_standing() -> None:
    tokens = economy(RENTED, prompt_tokens=None, cached_tokens=None).tokens
    assert value(tokens.output_only) > 0
    assert tokens.blended.value is None


def test_idle_gpus_are_the_difference_between_all_in_and_busy() -> None:
    money = shown(RENTED, gpus=1, free=1).economy
    assert (value(money.cost.total), value(money.cost.idle)) == pytest.approx((4.0, 2.0))
    assert value(money.cost.idle_tax) == pytest.approx(1.0)
    assert value(money.tokens.output_only) == pytest.approx(2 * value(money.tokens.output_only_busy))


def test_deployments_and_what_is_left_over_add_up_to_all_gpus() -> None:
    whole = shown(RENTED, gpus=1, free=1)
    rows = [value(row.economy.cost.total) for row in whole.deployments]
    assert [row.name for row in whole.deployments] == [MODEL, "(unassigned)"]
    assert sum(rows) == pytest.approx(value(whole.economy.cost.total))


def test_traffic_is_told_by_tier_and_where_that_comes_from() -> None:
    (row,) = shown(Prices(usd_per_gpu_hour=2.0, tokens=LIST)).traffic
    assert (row.model, row.tier, row.tier_source) == (MODEL, "standard", "assumed")
    assert value(row.cost_usd_per_hour) == pytest.approx(2.0)
    assert value(row.profit_usd_per_hour) == pytest.approx(value(row.revenue_usd_per_hour) - 2.0)


def test_a_load_beats_an_api_from_where_its_bill_would_be_the_gpus() -> None:
    offers = Tokens(api=(TokenPrice(output=2.19, input=2.19),))
    money = economy(Prices(usd_per_gpu_hour=2.35, tokens=offers))
    assert value(money.against_api.tok_s) == pytest.approx(298.07, abs=0.01)


def test_joules_per_token_far_out_of_reason_are_called_a_wiring_fault() -> None:
    odd = economy(RENTED, output_tokens=1_000_000)
    assert "is the server on these GPUs?" in odd.implausible
    assert economy(RENTED).implausible == ""


def test_host_watts_that_are_measured_are_shared_by_the_gpus() -> None:
    prices = Prices(usd_per_gpu_hour=2.0, facility=Facility(host="measured"))
    of_the_box = shown(prices, gpus=2, box=Box(host={"power_w": 1000.0, "power_source": "a sensor"}))
    assert value(of_the_box.gpus[0].power_w) == 300
    assert value(of_the_box.economy.facility_w) == pytest.approx(1000)
