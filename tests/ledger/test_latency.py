"""Latency from buckets: bounds that hold whatever the buckets are, exact on an edge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.observed import TPOT, TTFT, counted, edges, observations, seconds
from tokwatch.ledger.latency import Attainment, Observations, joint

NOTHING = (0.25, 0.5), (0, 0, 0)
# SGLang's buckets of TTFT begin at 0.1 s.
SGLANG_TTFT = (0.1, 0.2, 0.4), (70, 20, 5, 5)


def within(layout: tuple[tuple[float, ...], tuple[int, ...]], limit: float) -> Attainment:
    met = Observations([layout]).within(limit)
    assert met is not None
    return met


def bounds(met: Attainment) -> tuple[float, float]:
    return met.low, met.high


# --- one histogram ----------------------------------------------------------------------------------------------------


def test_a_limit_inside_a_bucket_gives_bounds_and_an_interpolated_share() -> None:
    ttft, tpot = within(TTFT, 0.450), within(TPOT, 0.040)
    assert (ttft.n, ttft.low, ttft.high) == (1000, 0.620, 0.850)
    assert (tpot.n, tpot.low, tpot.high) == (1000, 0.300, 0.900)
    assert [ttft.point, tpot.point] == pytest.approx([0.804, 0.660], abs=1e-12)


def test_a_limit_on_an_edge_is_exact() -> None:
    ttft, tpot = within(TTFT, 0.5), within(TPOT, 0.05)
    assert (ttft.low, ttft.high, ttft.point) == (0.850, 0.850, 0.850)
    assert (tpot.low, tpot.high, tpot.point) == (0.900, 0.900, 0.900)


def test_a_limit_beyond_the_last_edge_may_be_met_by_all() -> None:
    met = within(TTFT, 60.0)
    assert (met.low, met.high, met.point) == (0.990, 1.0, None)
    assert within(((0.25,), (7, 0)), 60.0) == Attainment(7, 7, 7, 7.0)  # unless none lies beyond it


def test_trap_16_a_limit_below_the_lowest_edge_may_be_met_by_none() -> None:
    met = within(SGLANG_TTFT, 0.08)
    assert bounds(met) == (0.0, 0.70)  # an SLO of 80 ms is not answered by these buckets


def test_no_data_is_no_answer() -> None:
    nothing = Observations([NOTHING])
    assert nothing.within(0.3) is None
    assert nothing.quantile(0.95) is None
    assert Observations([]).quantile(0.5) is None


def test_a_quantile_is_the_bucket_it_falls_in() -> None:
    assert Observations([TTFT]).quantile(0.5) == (0.0, 0.25)
    assert Observations([TTFT]).quantile(0.85) == (0.25, 0.5)
    assert Observations([TTFT]).quantile(0.95) == (0.75, 1.0)
    assert Observations([TTFT]).quantile(0.999) == (2.5, None)


def test_a_quantile_falls_in_no_empty_bucket() -> None:
    assert Observations([((1, 2, 3), (4, 0, 1, 0))]).quantile(1.0) == (2, 3)
    assert Observations([((1, 2, 3), (0, 4, 0, 0))]).quantile(0.0) == (1, 2)


# --- both limits at once ----------------------------------------------------------------------------------------------


def test_both_limits_at_once_are_known_between_the_frechet_bounds() -> None:
    assert joint([bounds(within(TTFT, 0.450)), bounds(within(TPOT, 0.040))]) == (0.0, 0.850)
    assert joint([(0.804, 0.804), (0.660, 0.660)]) == pytest.approx((0.464, 0.660), abs=1e-12)
    assert joint([bounds(within(TTFT, 0.5)), bounds(within(TPOT, 0.05))]) == (0.750, 0.850)


def test_with_three_limits_the_misses_of_all_may_be_different_requests() -> None:
    assert joint([(0.9, 0.9), (0.9, 1.0), (0.95, 0.95)]) == pytest.approx((0.75, 0.9))
    assert joint([(90, 90), (95, 100)], 100) == (85, 90)


requests = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1)


@given(requests)
def test_the_true_number_of_requests_that_meet_all_lies_within_the_joint_bounds(
    requests: list[tuple[bool, bool, bool]],
) -> None:
    met = [sum(request[i] for request in requests) for i in range(3)]
    low, high = joint([(each, each) for each in met], len(requests))
    assert low <= sum(all(request) for request in requests) <= high


# --- several histograms, of any buckets -------------------------------------------------------------------------------


def test_other_buckets_widen_the_bounds_and_do_not_take_them_away() -> None:
    both = Observations([((0.1, 0.5), (5, 5, 0)), ((0.2, 0.5), (10, 0, 0))])
    assert both.within(0.2) == Attainment(20, 15, 20, None)  # exact in the second one only
    assert both.within(0.5) == Attainment(20, 20, 20, 20.0)  # an edge of both
    assert both.quantile(0.5) == (0.0, 0.2)
    assert both.quantile(0.95) == (0.1, 0.5)


def test_between_edges_that_all_have_the_share_is_interpolated() -> None:
    both = Observations([((1.0, 3.0), (4, 4, 0)), ((1.0, 3.0, 9.0), (0, 2, 0, 0))])
    assert both.within(2.0) == Attainment(10, 4, 10, 7.0)


def test_histograms_of_the_same_buckets_are_as_one() -> None:
    twice, once = Observations([TTFT, TTFT]), Observations([(TTFT[0], [2 * count for count in TTFT[1]])])
    assert twice.within(0.45) == once.within(0.45)
    assert twice.quantile(0.95) == once.quantile(0.95)


servers = st.lists(st.tuples(edges, st.lists(seconds, max_size=30)), min_size=1, max_size=4)


@given(servers, seconds)
def test_the_true_share_lies_within_the_bounds(servers: list[tuple[list[float], list[float]]], limit: float) -> None:
    met = Observations((edges, counted(edges, values)) for edges, values in servers).within(limit)
    values = [value for _, each in servers for value in each]
    if met is None:
        assert not values
        return
    assert met.n == len(values)
    assert met.at_least <= sum(value <= limit for value in values) <= met.at_most
    if met.point is not None:
        assert met.low <= met.point <= met.high + 1e-12
    if all(limit in edges for edges, _ in servers):
        assert met.low == met.point == met.high


@given(servers, st.floats(0, 1))
def test_the_true_quantile_lies_in_its_bucket(servers: list[tuple[list[float], list[float]]], q: float) -> None:
    found = Observations((edges, counted(edges, values)) for edges, values in servers).quantile(q)
    values = sorted(value for _, each in servers for value in each)
    if found is None:
        assert not values
        return
    low, high = found
    rank = next(n for n in range(1, len(values) + 1) if n >= q * len(values))
    assert low < values[rank - 1]
    assert high is None or values[rank - 1] <= high


@given(edges, st.lists(seconds, min_size=1), st.lists(seconds, min_size=1), seconds)
def test_two_attainments_add_up_to_that_of_all(
    edges: list[float], some: list[float], others: list[float], limit: float
) -> None:
    parts = [observations(edges, values).within(limit) for values in (some, others)]
    whole = observations(edges, some + others).within(limit)
    assert parts[0] is not None
    assert parts[1] is not None
    assert whole is not None
    both = parts[0] + parts[1]
    assert (both.n, both.at_least, both.at_most) == (whole.n, whole.at_least, whole.at_most)
    assert both.point == (None if whole.point is None else pytest.approx(whole.point))
