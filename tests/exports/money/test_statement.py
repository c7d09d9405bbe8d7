"""The figures of an account: the published examples to the digit, and a reason wherever there is none."""

from __future__ import annotations

import pytest

from tests.exports.money.accounts import DEEPSEEK, OWN, account, made, rate, terms
from tokwatch.exports.money.account import Account, Made
from tokwatch.exports.money.report import Statement
from tokwatch.exports.money.statement import statement
from tokwatch.ledger.charges import Amount
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices.facility import Carbon, Facility
from tokwatch.ledger.prices.gpu_terms import Rent
from tokwatch.ledger.prices.token_prices import Tokens as TokenList
from tokwatch.ledger.slo import Between, Good

RENT = rate(Rent(2.0))


def told(account: Account, hours: float = 24.0, token_list: TokenList = DEEPSEEK, kw: float | None = None) -> Statement:
    return statement("total", account, terms(hours, token_list, kw))


def deepseek() -> Account:
    """DeepSeek's day of 2025-02-27: 226.75 nodes of 8 GPUs at 2 $ an hour; 608 G tokens in, 342 G cached, 168 G out."""
    tokens = made(266e9, 342e9, 168e9)
    tokens.revenue_usd = 562_100.0
    return account(RENT, busy_hours=226.75 * 8 * 24, made=tokens)


def test_vector_d_deepseeks_day() -> None:
    found = told(deepseek())
    assert found.bill.total_usd.value == pytest.approx(87_072)
    assert found.costs.usd_per_m_blended.value == pytest.approx(0.1122, abs=5e-5)
    assert found.costs.usd_per_m_output_only.value == pytest.approx(0.5183, abs=5e-5)
    split = (found.costs.usd_per_m_output, found.costs.usd_per_m_input, found.costs.usd_per_m_cached)
    assert [each.value for each in split] == pytest.approx([0.33924, 0.08520, 0.02169], abs=5e-6)
    assert found.costs.split_by == "token prices"
    assert found.earned.profit_usd_per_hour.value == pytest.approx((562_100 - 87_072) / 24)
    assert found.earned.margin.value == pytest.approx(1 - 87_072 / 562_100)


def test_a_split_by_class_adds_up_to_the_cost() -> None:
    found = told(deepseek()).costs
    classes = (found.usd_per_m_input, found.usd_per_m_cached, found.usd_per_m_output)
    dollars = [(each.value or 0) * tokens / 1e6 for each, tokens in zip(classes, (266e9, 342e9, 168e9), strict=True)]
    assert sum(dollars) == pytest.approx(87_072)


def test_vector_g_parked_gpus() -> None:
    found = told(account(rate(Rent(2.35)), idle_hours=24), hours=3)
    assert found.bill.idle_usd.value == pytest.approx(56.40)
    [state] = found.bill.idle_by_state
    assert (state.state, state.gpu_hours) == ("parked", 24)
    assert state.usd.value == pytest.approx(56.40)
    assert found.bill.busy_usd.value == 0
    assert found.bill.idle_tax.infinite


def test_vector_e_an_owned_server_by_part() -> None:
    found = told(account(rate(OWN), busy_hours=1)).bill
    parts = (found.capex_usd, found.opex_usd, found.space_usd, found.total_usd)
    assert [part.value for part in parts] == pytest.approx([1.37296, 0.22831, 0.32147, 1.92274], abs=5e-6)
    assert found.rent_usd.value == found.energy_usd.value == 0


def test_vector_f_energy_of_a_token() -> None:
    site = Facility(pue=1.0, host="ratio", host_ratio=0.0, carbon=Carbon(125, "market", 2025))
    spent = account(rate(Rent(0.0, power_included=False), 0.085, site), busy_hours=1, watts=0.12e6)
    spent.made = made(0, 0, 3600e6, finished=3600e6 * 0.12 / 864)
    found = told(spent, hours=1)
    assert found.energy.j_per_output_token_board.value == pytest.approx(0.12)
    assert found.energy.tok_s_per_mw_output.value == pytest.approx(8.333e6, rel=1e-4)
    assert found.costs.usd_per_m_marginal_output.value == pytest.approx(0.00283, abs=5e-6)
    assert (found.request.wh.value, found.request.co2e_g.value) == pytest.approx((0.24, 0.03))
    assert found.energy.facility_basis == "facility"
    assert found.energy.carbon == "market 2025"


def test_cost_without_tokens_is_infinite_and_no_gpus_are_no_cost() -> None:
    parked = told(account(RENT, idle_hours=1, made=made()))
    assert parked.costs.usd_per_m_output_only.infinite
    assert parked.costs.usd_per_m_output_only.value is None
    nothing = told(Account(made=made(1, 0, 1)))
    assert nothing.bill.total_usd.why == nothing.costs.usd_per_m_blended.why == "no observed GPU time"


def test_what_has_no_price_says_so_and_is_not_zero() -> None:
    found = told(account(rate(None), busy_hours=2, watts=500, made=made(1e6, 0, 1e6)), token_list=TokenList())
    assert (found.bill.total_usd.value, found.bill.total_usd.why) == (None, "no price set")
    assert (found.bill.unpriced_gpu_hours, found.bill.invoice_usd.value) == (2, None)
    assert found.costs.usd_per_m_blended.why == "no price set"
    assert (found.earned.revenue_usd.why, found.earned.profit_usd.why) == ("no token prices set",) * 2
    assert found.costs.saved_by_cache_usd.why == "no token prices set"
    assert found.energy.board_kwh.value == pytest.approx(1)
    assert found.energy.co2e_kg.why == "no carbon factor set"


def test_electricity_at_no_price_leaves_a_part_out_and_says_so() -> None:
    found = told(account(rate(Rent(2.0, power_included=False)), busy_hours=1, watts=500, made=made(0, 0, 1e6)))
    assert found.bill.energy_usd.why == "no electricity price set"
    assert (found.bill.total_usd.value, found.bill.total_usd.marks) == (2.0, ("part",))
    assert found.bill.unpriced_kwh == pytest.approx(0.5)
    assert found.costs.usd_per_m_marginal_output.why == "no electricity price set"


def test_unobserved_time_is_a_line_of_its_own_and_reconciles_with_the_invoice() -> None:
    whole = account(RENT, busy_hours=23 + 40 / 60)
    whole.unobserved.book(RENT, Amount(held_ms=20 * 60_000), idle=False)
    bill = told(whole).bill
    assert bill.total_usd.value == pytest.approx(2 * (23 + 40 / 60))
    assert bill.unobserved_usd.value == pytest.approx(2 / 3)
    assert bill.invoice_usd.value == pytest.approx(48)


def test_idle_tax_is_all_in_over_busy_only() -> None:
    bill = told(account(RENT, busy_hours=3, idle_hours=1, state=State.HELD)).bill
    assert bill.idle_tax.value == pytest.approx(1 / 3)
    assert bill.idle_by_state[0].state == "held"


def test_useful_tokens_cost_an_interval() -> None:
    spent = account(RENT, busy_hours=1, made=made(0, 0, 1e6))
    spent.made.good = Good(Between(50, 80, None), 100, 100)
    useful = told(spent).costs.usd_per_m_useful_output
    assert (useful.low, useful.high) == pytest.approx((2.5, 4.0))
    spent.made.good = Good(Between(0, 80, None), 100, 100)
    assert told(spent).costs.usd_per_m_useful_output.high is None
    assert told(deepseek()).costs.usd_per_m_useful_output.why == "no request finished"


def test_hours_without_a_request_do_not_make_a_share_partial() -> None:
    spent = account(RENT, busy_hours=1, made=made(0, 0, 1e6))
    spent.made.good = Good(Between(100, 100, 100), 100, 100)
    spent.made.not_judged = {"no request finished"}
    assert told(spent).served.within_slo.marks == ()
    spent.made.not_judged = {"no TPOT was observed"}
    assert told(spent).served.within_slo.marks == ("part",)


def test_what_speculation_saved_is_told_where_drafts_were_made() -> None:
    spent = account(RENT, busy_hours=1, made=made(0, 0, 1e6))
    assert told(spent).costs.saved_by_speculation_usd.why == "no speculation"
    spent.made.drafted, spent.made.accepted = 1e6, 0.5e6
    assert told(spent).costs.saved_by_speculation_usd.value == pytest.approx(2.0)


def test_joules_per_token_that_cannot_be_are_flagged() -> None:
    odd = account(RENT, busy_hours=1, watts=700, made=made(0, 0, 100))
    assert "is the server on these GPUs?" in told(odd).energy.implausible
    assert told(Account(odd.charges, made=made(0, 0, 1e7))).energy.implausible == ""


def test_profit_is_told_per_mwh_and_per_provisioned_mw() -> None:
    spent = account(RENT, busy_hours=1, watts=500, made=made(0, 0, 1e6))
    spent.made.revenue_usd = 3.0
    found = told(spent, hours=1, kw=0.7).earned
    assert found.profit_usd_per_mwh.value == pytest.approx(1 / 0.0005)
    assert found.profit_usd_per_hour_per_provisioned_mw.value == pytest.approx(1 / 0.0007)
    assert told(spent, hours=1).earned.profit_usd_per_hour_per_provisioned_mw.why == "power limits not known"


def test_the_value_of_tasks_leaves_a_profit() -> None:
    spent = account(RENT, busy_hours=1, made=made(0, 0, 1e6, finished=100))
    spent.made.task_value_usd = 10.0
    found = told(spent)
    assert (found.earned.task_profit_usd.value, found.request.value_usd.value) == pytest.approx((8.0, 0.1))
    assert told(account(RENT, busy_hours=1)).earned.task_value_usd.why == "no value of a task set"


def test_a_divided_account_bears_its_mark_on_every_figure_that_rests_on_it() -> None:
    spent = account(RENT, busy_hours=1, made=made(0, 0, 1e6))
    spent.allocated = True
    found = told(spent)
    assert found.bill.total_usd.marks == found.costs.usd_per_m_output_only.marks == ("allocated",)
    gpu = Account(spent.charges, made=spent.made.scaled(0.5))
    assert told(gpu).bill.total_usd.marks == ()
    assert told(gpu).costs.usd_per_m_output_only.marks == told(gpu).served.output_tokens.marks == ("allocated",)


def test_tokens_that_nobody_counts_are_unknown() -> None:
    found = told(account(RENT, busy_hours=1, made=Made()))
    assert (found.served.output_tokens.value, found.served.output_tokens.why) == (None, "nothing served")
    assert found.request.per_s.why == "nothing served"


def test_cached_tokens_that_are_not_known_everywhere_make_no_share() -> None:
    some = made(100, 0, 100)
    some.cached_known = False
    found = told(account(RENT, busy_hours=1, made=some))
    assert found.request.cached_share.why == "cached tokens are not counted everywhere"
    assert found.served.input_tokens.marks == ("part",)
