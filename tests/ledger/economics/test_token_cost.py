"""What a token costs: infinite without tokens, unknown without a cost, and divided so that it adds up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.economics.amounts import ANY_COUNT, ANY_USD, COUNTS, SHARES, TOKENS, USD, WEIGHTS
from tokwatch.ledger.economics.token_cost import (
    EQUAL,
    NO_SPLIT,
    Split,
    Tokens,
    Weights,
    added,
    by_role,
    idle_tax,
    saved_by_cache,
    saved_by_speculation,
    split,
    usd_of,
    usd_per_million,
    useful_interval,
    weighted,
)

BY_PRICE = Weights(0.25, 0.05, 1.0)
NOTHING = Tokens(0, 0, 0)


# --- over tokens ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usd", "tokens", "per_m"),
    [
        (2.0, 1e6, 2.0),
        (2.0, 0, math.inf),
        (0.0, 0, None),
        (-0.5, 0, None),  # electricity has had negative prices
        (0.0, 1e6, 0.0),  # free tokens are known to be free
        (None, 1e6, None),
        (2.0, None, None),
        (None, 0, None),
    ],
)
def test_a_cost_without_tokens_is_infinite_and_an_unknown_one_unknown(
    usd: float | None, tokens: float | None, per_m: float | None
) -> None:
    assert usd_per_million(usd, tokens) == per_m


@given(ANY_USD, ANY_COUNT)
def test_no_tokens_never_cost_0(usd: float | None, tokens: float | None) -> None:
    if not tokens:
        assert usd_per_million(usd, tokens) in (None, math.inf)


# --- by class ---------------------------------------------------------------------------------------------------------


@given(USD, TOKENS, WEIGHTS)
def test_the_classes_add_up_to_the_cost(usd: float, tokens: Tokens, weights: Weights) -> None:
    classes = split(usd, tokens, weights)
    if tokens.total:
        assert usd_of(tokens, classes) == pytest.approx(usd, rel=1e-9)
    else:
        assert classes == NO_SPLIT


def test_equal_weights_give_every_class_the_blended_price() -> None:
    assert split(3.0, Tokens(1e6, 1e6, 1e6), EQUAL) == Split(1.0, 1.0, 1.0)


def test_a_class_without_tokens_still_has_its_price() -> None:
    assert split(1.0, Tokens(0, 0, 1e6), BY_PRICE) == pytest.approx((0.25, 0.05, 1.0))


def test_tokens_that_weigh_nothing_bear_no_cost() -> None:
    assert split(1.0, Tokens(0, 1e6, 0), Weights(0.25, 0.0, 1.0)) == NO_SPLIT


def test_a_cost_that_is_unknown_has_no_split() -> None:
    assert split(None, Tokens(1, 1, 1), EQUAL) == NO_SPLIT


def test_tokens_of_a_class_without_a_price_make_the_bill_unknown_and_no_tokens_do_not() -> None:
    prices = Split(1.0, None, 1.0)
    assert usd_of(Tokens(1e6, 0, 1e6), prices) == 2.0
    assert usd_of(Tokens(1e6, 1, 1e6), prices) is None


def test_a_class_at_an_infinite_price_costs_nothing_while_it_has_no_tokens() -> None:
    assert usd_of(Tokens(0, 0, 1e6), Split(math.inf, math.inf, 1.0)) == 1.0


@given(st.lists(TOKENS, max_size=5), WEIGHTS)
def test_tokens_add_up_class_by_class(parts: list[Tokens], weights: Weights) -> None:
    whole = added(parts)
    assert whole.total == pytest.approx(sum(part.total for part in parts))
    assert weighted(whole, weights) == pytest.approx(sum(weighted(part, weights) for part in parts))


# --- by role ----------------------------------------------------------------------------------------------------------


@given(USD, USD, TOKENS)
def test_the_roles_add_up_to_the_cost(prefill: float, decode: float, tokens: Tokens) -> None:
    per_input, per_output = by_role(prefill, decode, tokens)
    if tokens.uncached and tokens.output:
        assert usd_of(tokens._replace(cached=0), Split(per_input, None, per_output)) == pytest.approx(prefill + decode)


def test_a_decode_pool_without_output_is_infinitely_dear_and_the_prefill_pool_is_not() -> None:
    assert by_role(1.0, 1.0, Tokens(1e6, 5, 0)) == (1.0, math.inf)


# --- useful tokens ----------------------------------------------------------------------------------------------------


@given(USD, COUNTS, SHARES, SHARES)
def test_at_best_is_never_above_at_worst(usd: float, output: float, one: float, other: float) -> None:
    best, worst = useful_interval(usd, output, min(one, other), max(one, other))
    if best is not None and worst is not None:
        assert best <= worst
    plain = usd_per_million(usd, output)
    if plain is not None and best is not None:
        assert best >= plain


def test_no_request_surely_good_is_infinitely_dear_at_worst() -> None:
    assert useful_interval(1.0, 1e6, 0.0, 0.8) == (1.25, math.inf)


def test_an_attainment_that_nobody_measured_gives_no_bound() -> None:
    assert useful_interval(1.0, 1e6, 0.5, None) == (None, 2.0)
    assert useful_interval(None, 1e6, 0.5, 0.8) == (None, None)
    assert useful_interval(1.0, None, 0.5, 0.8) == (None, None)


# --- idle tax ---------------------------------------------------------------------------------------------------------


def test_a_fleet_idle_a_fifth_of_its_cost_pays_a_quarter_more_a_token() -> None:
    assert idle_tax(100.0, 80.0) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("all_in", "busy", "tax"),
    [(5.0, 5.0, 0.0), (5.0, 0.0, math.inf), (0.0, 0.0, None), (None, 5.0, None), (5.0, None, None)],
)
def test_the_idle_tax_at_its_edges(all_in: float | None, busy: float | None, tax: float | None) -> None:
    assert idle_tax(all_in, busy) == tax


# --- what was saved ---------------------------------------------------------------------------------------------------


def test_a_cached_token_saves_what_computing_it_costs_more() -> None:
    assert saved_by_cache(Tokens(0, 2e6, 0), Split(0.30, 0.05, 1.0)) == pytest.approx(0.50)


def test_the_cache_saved_nothing_where_no_token_was_cached_and_something_unknown_without_prices() -> None:
    assert saved_by_cache(Tokens(1e6, 0, 1e6), Split(0.30, 0.05, 1.0)) == 0.0
    assert saved_by_cache(Tokens(1e6, 1e6, 1e6), NO_SPLIT) is None


@given(USD, TOKENS, WEIGHTS)
def test_what_the_cache_saved_is_the_bill_without_it_less_the_bill(
    usd: float, tokens: Tokens, weights: Weights
) -> None:
    prices = split(usd, tokens, weights)
    without = usd_of(Tokens(tokens.prompt, 0, tokens.output), prices)
    saved = saved_by_cache(tokens, prices)
    if without is not None and saved is not None:
        assert without - saved == pytest.approx(usd, rel=1e-6, abs=1e-6 * abs(without))


def test_two_of_three_tokens_accepted_would_have_cost_twice_the_bill_again() -> None:
    assert saved_by_speculation(10.0, 3e6, 2e6) == pytest.approx(20.0)  # 10⁶ steps were made, 3 × 10⁶ would have been


@pytest.mark.parametrize(
    ("usd", "output", "accepted", "saved"),
    [
        (10.0, 3e6, 0, 0.0),
        (10.0, 0, 0, None),
        (10.0, 5, 5, None),  # every step yields a token of its own: one counter is wrong
        (None, 3e6, 2e6, None),
        (10.0, None, 2e6, None),
        (10.0, 3e6, None, None),
    ],
)
def test_what_speculation_saved_at_its_edges(
    usd: float | None, output: float | None, accepted: float | None, saved: float | None
) -> None:
    assert saved_by_speculation(usd, output, accepted) == saved


@given(ANY_USD, st.lists(ANY_COUNT, min_size=2, max_size=2), st.none() | SHARES, st.none() | SHARES)
def test_no_combination_of_unknowns_and_zeros_raises(
    usd: float | None, counts: list[float | None], low: float | None, high: float | None
) -> None:
    first, second = counts
    tokens = Tokens(first or 0, second or 0, first or 0)
    prices = split(usd, tokens, EQUAL)
    useful_interval(usd, first, low, high)
    by_role(usd, second, tokens)
    idle_tax(usd, second)
    saved_by_speculation(usd, first, second)
    assert saved_by_cache(NOTHING, prices) in (0.0, None)
