"""Demand: 24 hours whose sums are all that was served, and what one request took."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.economics.amounts import ANY_COUNT, ANY_USD, COUNTS, SECONDS, TOKENS
from tokwatch.ledger.economics.demand import Asked, cached_prompt_share, demand_curve, per_request
from tokwatch.ledger.economics.token_cost import Tokens

STRETCHES = st.lists(st.builds(Asked, st.integers(0, 23), SECONDS, TOKENS, st.none() | COUNTS), max_size=20)


@given(STRETCHES)
def test_the_24_hours_hold_all_that_was_served(stretches: list[Asked]) -> None:
    curve = demand_curve(stretches)
    assert [one.hour for one in curve] == list(range(24))
    assert sum(one.seconds for one in curve) == pytest.approx(sum(each.seconds for each in stretches))
    assert sum(one.tokens.total for one in curve) == pytest.approx(sum(each.tokens.total for each in stretches))
    assert sum(one.requests.amount for one in curve) == pytest.approx(sum(each.requests or 0 for each in stretches))
    for one in curve:
        assert (one.tok_per_s is None) == (one.seconds == 0)


def test_an_hour_seen_on_three_days_is_no_busier_than_one_seen_once() -> None:
    once = Asked(9, 3600.0, Tokens(3600, 0, 3600), 360)
    curve = demand_curve([once, once, once, once._replace(hour=10)])
    assert (curve[9].tok_per_s, curve[9].requests_per_s) == (2.0, 0.1)
    assert (curve[10].tok_per_s, curve[10].requests_per_s) == (2.0, 0.1)


def test_an_hour_never_observed_is_unknown_and_a_quiet_one_is_0() -> None:
    curve = demand_curve([Asked(3, 3600.0, Tokens(0, 0, 0), 0)])
    assert (curve[3].tok_per_s, curve[3].requests_per_s) == (0.0, 0.0)
    assert (curve[4].tok_per_s, curve[4].requests_per_s) == (None, None)


def test_requests_that_nobody_counted_are_left_out_with_their_time() -> None:
    counted, uncounted = Asked(9, 1800.0, Tokens(0, 0, 10), 180), Asked(9, 1800.0, Tokens(0, 0, 10), None)
    assert demand_curve([counted, uncounted])[9].requests_per_s == 0.1
    assert demand_curve([uncounted])[9].requests_per_s is None


def test_one_request_is_the_windows_sums_over_its_requests() -> None:
    one = per_request(100, Tokens(100_000, 50_000, 20_000), 0.50, 36_000.0, 348.0)
    assert one == pytest.approx((1500, 200, 0.005, 0.1, 0.0348))


def test_no_requests_make_what_was_spent_infinite_a_request_and_their_tokens_unknown() -> None:
    assert per_request(0, Tokens(0, 0, 0), 0.50, 36_000.0, 348.0) == (None, None, math.inf, math.inf, math.inf)


def test_what_is_not_known_of_a_request_leaves_the_rest_known() -> None:
    assert per_request(10, Tokens(10, 0, 10), None, 36.0, None) == pytest.approx((1, 1, None, 0.001, None))
    assert per_request(None, Tokens(10, 0, 10), 1.0, 36.0, 348.0) == (None,) * 5


@given(ANY_COUNT, TOKENS, ANY_USD, ANY_COUNT, ANY_COUNT)
def test_no_combination_of_unknowns_and_zeros_raises(
    requests: float | None,
    tokens: Tokens,
    usd: float | None,
    energy_j: float | None,
    g_per_kwh: float | None,
) -> None:
    one = per_request(requests, tokens, usd, energy_j, g_per_kwh)
    if not requests:
        assert set(one) <= {None, math.inf}


@given(TOKENS)
def test_the_cached_share_of_the_prompt_is_a_share(tokens: Tokens) -> None:
    share = cached_prompt_share(tokens)
    assert (share is None) == (not tokens.prompt)
    assert share is None or 0 <= share <= 1


def test_three_of_four_prompt_tokens_were_cached() -> None:
    assert cached_prompt_share(Tokens(250, 750, 5000)) == 0.75
