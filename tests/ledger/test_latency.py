"""Latency from buckets: bounds that hold, exact on an edge."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.latency import attainment, interpolated_attainment, joint, quantile_bucket

# Of 1000 requests, cumulative: TTFT .25→620 .5→850 .75→930 1→960 2.5→990, TPOT .025→300 .05→900 .075→980 .1→995.
TTFT = (0.25, 0.5, 0.75, 1.0, 2.5), (620, 230, 80, 30, 30, 10)
TPOT = (0.025, 0.05, 0.075, 0.1), (300, 600, 80, 15, 5)
NOTHING = (0.25, 0.5), (0, 0, 0)


def test_a_limit_inside_a_bucket_gives_bounds() -> None:
    assert attainment(*TTFT, 0.450) == (0.620, 0.850)
    assert attainment(*TPOT, 0.040) == (0.300, 0.900)
    assert interpolated_attainment(*TTFT, 0.450) == pytest.approx(0.804)
    assert interpolated_attainment(*TPOT, 0.040) == pytest.approx(0.660)


def test_both_limits_at_once_are_known_between_the_frechet_bounds() -> None:
    assert joint([(0.620, 0.850), (0.300, 0.900)]) == (0.0, 0.850)
    assert joint([(0.804, 0.804), (0.660, 0.660)]) == pytest.approx((0.464, 0.660))


def test_a_limit_on_an_edge_is_exact() -> None:
    ttft, tpot = attainment(*TTFT, 0.5), attainment(*TPOT, 0.05)
    assert (ttft, tpot) == ((0.850, 0.850), (0.900, 0.900))
    assert ttft is not None
    assert tpot is not None
    assert joint([ttft, tpot]) == pytest.approx((0.750, 0.850))


def test_a_limit_beyond_the_last_edge_may_be_met_by_all() -> None:
    assert attainment(*TTFT, 60.0) == (0.990, 1.0)
    assert interpolated_attainment(*TTFT, 60.0) is None


def test_no_data_is_no_answer() -> None:
    assert attainment(*NOTHING, 0.3) is None
    assert interpolated_attainment(*NOTHING, 0.3) is None
    assert quantile_bucket(*NOTHING, 0.95) is None


def test_a_quantile_is_the_bucket_it_falls_in() -> None:
    assert quantile_bucket(*TTFT, 0.5) == (0.0, 0.25)
    assert quantile_bucket(*TTFT, 0.85) == (0.25, 0.5)
    assert quantile_bucket(*TTFT, 0.95) == (0.75, 1.0)
    assert quantile_bucket(*TTFT, 0.999) == (2.5, None)


observations = st.lists(st.floats(0.001, 10, allow_nan=False), min_size=1, max_size=40)
edges = st.lists(st.sampled_from([0.01, 0.1, 0.5, 1.0, 2.0, 5.0]), min_size=1, max_size=6, unique=True).map(sorted)


def counted(edges: list[float], values: list[float]) -> list[int]:
    bounds = [float("-inf"), *edges, float("inf")]
    return [sum(low < value <= high for value in values) for low, high in pairwise(bounds)]


@given(observations, edges, st.floats(0.001, 12) | st.sampled_from([0.01, 0.1, 0.5, 1.0, 2.0, 5.0]))
def test_the_true_share_lies_within_the_bounds(values: list[float], edges: list[float], limit: float) -> None:
    counts = counted(edges, values)
    met = attainment(edges, counts, limit)
    assert met is not None
    assert met[0] <= sum(value <= limit for value in values) / len(values) <= met[1]
    interpolated = interpolated_attainment(edges, counts, limit)
    if interpolated is not None:
        assert met[0] <= interpolated <= met[1] + 1e-12
    if limit in edges:
        assert met[0] == met[1] == interpolated


@given(observations, edges, st.floats(0, 1))
def test_the_true_quantile_lies_in_its_bucket(values: list[float], edges: list[float], q: float) -> None:
    found = quantile_bucket(edges, counted(edges, values), q)
    assert found is not None
    low, high = found
    rank = next(n for n in range(1, len(values) + 1) if n >= q * len(values))
    value = sorted(values)[rank - 1]
    assert low < value
    assert high is None or value <= high


requests = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1)


@given(requests)
def test_the_true_share_of_requests_that_meet_all_lies_within_the_joint_bounds(
    requests: list[tuple[bool, bool, bool]],
) -> None:
    share = [sum(met[i] for met in requests) / len(requests) for i in range(3)]
    low, high = joint([(each, each) for each in share])
    both = sum(all(met) for met in requests) / len(requests)
    assert low - 1e-12 <= both <= high
