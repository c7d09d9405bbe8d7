"""model_hour: what a model's tokens cost, what they earn, and whose a shared GPU is by their prices."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from tests.exports.box import (
    FACTS,
    GROUP,
    LLAMA,
    LLAMA_FLOW,
    NOON_MS,
    QWEN,
    QWEN_FLOW,
    TENANT_FLOW,
    background,
    flow_quarter,
    gpu_quarter,
    server_facts,
    version,
)
from tests.exports.test_model_hour import hours
from tokwatch.exports.model_hour import ModelPeriod
from tokwatch.exports.model_hours import model_hours
from tokwatch.ledger.bodies import SettingsBody, event
from tokwatch.ledger.entries import Flag, HistogramEntry, State
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.facility import Carbon, Facility
from tokwatch.ledger.prices.gpu_terms import Rent
from tokwatch.ledger.prices.token_prices import TaskValue, TierOf, TokenPrice, Tokens
from tokwatch.store.quarter_rows import FlowQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

DEEPSEEK = TokenPrice(output=2.19, input=0.55, cached_input=0.14)
LISTED = Tokens((DEEPSEEK,))
RENT = Rent(2.0)
METERED = Rent(2.0, power_included=False)


def qwen(
    tokens: Tokens = LISTED, flows: Sequence[FlowQuarter] | None = None, terms: Rent | None = RENT, **priced: Flat
) -> ModelPeriod:
    """A quarter hour of qwen alone on a GPU: 600 k new, 400 k cached and 500 k output tokens for half a dollar."""
    known = background(version(terms, tokens=tokens, electricity=priced.get("electricity")))
    return hours([gpu_quarter()], flows or [flow_quarter()], known)["qwen"]


# --- cost -------------------------------------------------------------------------------------------------------------


def test_the_cost_is_divided_by_token_prices_and_adds_up_again() -> None:
    row = qwen()
    units = 0.6 * 0.55 / 2.19 + 0.4 * 0.14 / 2.19 + 0.5
    assert row.usd_per_m_out_alloc == pytest.approx(0.5 / units)
    assert row.usd_per_m_in_alloc == pytest.approx(0.5 / units * 0.55 / 2.19)
    parts = (row.usd_per_m_in_alloc, row.usd_per_m_cached_alloc, row.usd_per_m_out_alloc)
    assert sum((usd or 0) * tokens for usd, tokens in zip(parts, (0.6, 0.4, 0.5), strict=True)) == pytest.approx(0.5)


def test_cached_tokens_without_their_prompt_are_not_told_and_bear_no_cost() -> None:
    row = qwen(flows=[flow_quarter(prompt=None, cached=400_000)])
    assert (row.tokens_in_uncached, row.tokens_in_cached) == (None, None)
    assert (row.usd_per_m_out_alloc or 0) * 0.5 == pytest.approx(0.5)


def test_without_a_price_list_tokens_have_no_price_of_their_class() -> None:
    row = qwen(Tokens())
    assert (row.usd_per_m_in_alloc, row.usd_per_m_out_alloc, row.saved_by_cache_usd) == (None, None, None)
    assert (row.revenue_usd, row.profit_usd, row.margin) == (None, None, None)
    assert row.usd_per_m_blended == pytest.approx(0.5 / 1.5)


def test_the_marginal_price_is_of_electricity_alone_and_there_is_none_where_it_is_in_the_rent() -> None:
    row = qwen(terms=METERED, electricity=Flat(0.2))
    assert (row.cost_energy_usd, row.cost_total_usd) == pytest.approx((0.03, 0.53))
    assert row.usd_per_m_marginal == pytest.approx(0.06)
    assert qwen(electricity=Flat(0.2)).usd_per_m_marginal is None


def test_a_cost_that_lacks_its_electricity_has_no_price_per_token() -> None:
    row = qwen(terms=METERED)
    assert (row.cost_total_usd, row.unpriced_kwh) == (0.5, 0.15)
    assert (row.usd_per_m_output, row.usd_per_m_out_alloc, row.profit_usd, row.usd_per_request) == (None,) * 4


def test_what_the_caches_saved_is_what_those_tokens_would_have_cost_as_new_ones() -> None:
    row = qwen()
    assert row.saved_by_cache_usd == pytest.approx(
        0.4 * ((row.usd_per_m_in_alloc or 0) - (row.usd_per_m_cached_alloc or 0))
    )


def test_energy_is_told_at_the_buildings_meter_with_its_carbon() -> None:
    carbon = Carbon(125, "market-based", 2025)
    known = background(version(RENT, facility=Facility(pue=1.2, carbon=carbon)))
    row = hours([gpu_quarter()], [flow_quarter()], known)["qwen"]
    assert row.energy_facility_kwh == pytest.approx(0.18)
    assert (row.energy_basis, row.carbon) == ("board × PUE", "market-based 2025")
    assert row.gco2e == pytest.approx(22.5)
    assert row.tok_s_per_mw_out == pytest.approx(500_000 / 648_000 * 1e6)
    assert row.tok_s_per_mw_total == pytest.approx(1_500_000 / 648_000 * 1e6)


@pytest.mark.parametrize(("output", "implausible"), [(500_000, False), (5_000, True), (60_000_000, True), (0, False)])
def test_joules_per_output_token_that_no_model_draws_are_marked(output: int, implausible: bool) -> None:
    assert qwen(flows=[flow_quarter(output=output)]).implausible is implausible


def test_idle_joules_make_no_model_implausible() -> None:
    row = gpu_quarter(states={State.PARKED: QUARTER_MS}, idle_energy_mj=540_000_000)
    assert hours([row], [flow_quarter(output=10)])["qwen"].implausible is True  # drew nothing and made tokens
    busy = gpu_quarter(states={State.SERVING: 1000, State.PARKED: QUARTER_MS - 1000}, idle_energy_mj=539_999_000)
    assert hours([busy], [flow_quarter(output=10)])["qwen"].implausible is False


# --- what they earn ---------------------------------------------------------------------------------------------------


def test_revenue_is_tokens_at_their_prices_and_profit_what_the_cost_leaves() -> None:
    row = qwen()
    revenue = 0.6 * 0.55 + 0.4 * 0.14 + 0.5 * 2.19
    assert (row.revenue_usd, row.profit_usd) == pytest.approx((revenue, revenue - 0.5))
    assert row.margin == pytest.approx((revenue - 0.5) / revenue)


def test_tokens_are_sold_at_the_prices_of_their_quarter_hour() -> None:
    dearer = version(RENT, NOON_MS + QUARTER_MS + QUARTER_MS // 2, 2, tokens=Tokens((TokenPrice(20, 0),)))
    book = background(version(RENT, tokens=Tokens((TokenPrice(10, 0),))), dearer)
    row = hours([], [flow_quarter(0), flow_quarter(1)], book)["qwen"]
    assert row.revenue_usd == pytest.approx(0.5 * 10 + 0.25 * 10 + 0.25 * 20)
    assert (row.currency, row.cost_total_usd, row.profit_usd) == ("USD", None, None)


def test_where_some_tokens_have_no_price_there_is_no_revenue() -> None:
    late = background(version(RENT), version(RENT, NOON_MS + QUARTER_MS, 2, tokens=LISTED))
    assert hours([], [flow_quarter(0), flow_quarter(1)], late)["qwen"].revenue_usd is None
    assert hours([], [flow_quarter(1)], late)["qwen"].revenue_usd is not None


def test_another_users_tokens_earn_nothing_here() -> None:
    facts = (*FACTS[:3], server_facts(LLAMA, "127.0.0.1:8001", "sglang", "llama", verified=False))
    known = background(version(RENT, tokens=LISTED), facts=facts)
    assert hours([], [flow_quarter(flow=LLAMA_FLOW)], known)["llama"].revenue_usd is None


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (TierOf("batch", tenant="(untagged)"), "tenant"),
        (TierOf("batch", model="qwen"), "model"),
        (TierOf("batch", deployment="127.0.0.1:8000"), "deployment"),
    ],
)
def test_the_tier_says_where_it_comes_from_and_multiplies_the_prices(rule: TierOf, source: str) -> None:
    row = qwen(Tokens((DEEPSEEK,), {"batch": 0.5}, (rule,)))
    assert (row.tier, row.tier_source) == ("batch", source)
    assert row.revenue_usd == pytest.approx((qwen().revenue_usd or 0) / 2)


def test_a_task_is_worth_what_its_user_says() -> None:
    row = qwen(Tokens(tasks=(TaskValue(0.002, "qwen"),)))
    assert (row.task_value_usd, row.task_profit_usd) == pytest.approx((1.8, 1.3))
    assert row.usd_per_request == pytest.approx(0.5 / 900)


# --- shared GPUs ------------------------------------------------------------------------------------------------------


SHARED = [
    flow_quarter(0, QWEN_FLOW, prompt=1000, cached=0, output=0),
    flow_quarter(0, LLAMA_FLOW, prompt=0, cached=0, output=1000),
]


def test_a_shared_gpu_is_divided_by_what_the_tokens_are_worth() -> None:
    listed = Tokens((TokenPrice(output=4, input=1, model="qwen"), TokenPrice(output=3, input=1, model="llama")))
    rows = hours([gpu_quarter(owner=GROUP)], SHARED, background(version(RENT, tokens=listed)))
    assert (rows["qwen"].cost_total_usd, rows["llama"].cost_total_usd) == pytest.approx((0.125, 0.375))
    assert {row.allocation for row in rows.values()} == {"price-weighted tokens"}


def test_where_one_of_the_models_has_no_list_every_token_weighs_the_same() -> None:
    listed = Tokens((TokenPrice(output=4, input=1, model="qwen"),))
    rows = hours([gpu_quarter(owner=GROUP)], SHARED, background(version(RENT, tokens=listed)))
    assert (rows["qwen"].cost_total_usd, rows["llama"].cost_total_usd) == pytest.approx((0.25, 0.25))
    assert {row.allocation for row in rows.values()} == {"tokens"}


def test_tenants_of_one_model_share_it_by_what_their_tokens_are_worth() -> None:
    flows = [
        flow_quarter(flow=QWEN_FLOW, cached=1_000_000, output=0),
        flow_quarter(flow=TENANT_FLOW, cached=0, output=0),
    ]
    rows = model_hours(Quarters([gpu_quarter(owner=QWEN)], flows), background(version(RENT, tokens=LISTED)))
    cached, new = rows
    assert (new.cost_total_usd or 0) / (cached.cost_total_usd or 1) == pytest.approx(
        0.55 / 0.14, rel=1e-4
    )  # in whole milliseconds


# --- service levels ---------------------------------------------------------------------------------------------------


TTFT = HistogramEntry("ttft", (0.5, 1.0), (850, 50, 0), 300_000_000)
TPOT = HistogramEntry("tpot", (0.025, 0.05), (300, 510, 90), 36_000_000)
LIMITS = (event(NOON_MS, 0, "settings", SettingsBody(slo_ttft_s=0.5, slo_tpot_s=0.03)),)


def served(flow: FlowQuarter, settings: bool = True) -> ModelPeriod:
    known = background(version(RENT), settings=LIMITS if settings else ())
    return hours([gpu_quarter()], [flow], known)["qwen"]


def test_requests_are_held_against_the_limits_in_force() -> None:
    row = served(flow_quarter(histograms=(TTFT, TPOT)))
    assert (row.slo_ttft_s, row.slo_tpot_s, row.slo_e2e_s) == (0.5, 0.03, None)
    assert (row.att_ttft_lo, row.att_ttft_hi) == pytest.approx((850 / 900, 850 / 900))
    assert (row.att_tpot_lo, row.att_tpot_hi) == pytest.approx((300 / 900, 810 / 900))
    assert (row.att_joint_lo, row.att_joint_hi) == pytest.approx((250 / 903, 810 / 903))
    assert (row.goodput_req_s_lo, row.goodput_req_s_hi) == pytest.approx((250 / 900, 810 / 900))
    assert row.interactivity_tok_s_user == pytest.approx(900 / 36)


def test_a_useful_token_costs_between_its_best_and_its_worst() -> None:
    row = served(flow_quarter(histograms=(TTFT, TPOT)))
    assert (row.usd_per_m_useful_lo, row.usd_per_m_useful_hi) == pytest.approx((1 * 903 / 810, 1 * 903 / 250))


def test_without_limits_nothing_is_judged() -> None:
    row = served(flow_quarter(histograms=(TTFT, TPOT)), settings=False)
    assert (row.slo_ttft_s, row.att_ttft_lo, row.att_joint_hi, row.usd_per_m_useful_lo) == (None,) * 4


def test_requests_that_count_at_another_server_are_judged_there() -> None:
    elsewhere = flow_quarter(prompt=10, cached=0, output=None, histograms=(TTFT, TPOT))
    prefill = replace(elsewhere, flags=int(Flag.OUTPUT_ELSEWHERE), finished=None, failed=None, aborted=None)
    row = served(prefill)
    assert (row.att_ttft_lo, row.att_joint_lo, row.interactivity_tok_s_user, row.slo_ttft_s) == (None,) * 4
