"""The cost curve: added first, divided last, and read at a price between its bins."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.economics.amounts import ANY_USD, COUNTS, SECONDS
from tokwatch.ledger.economics.load_curve import LoadBin, LoadPoint, even_edges, load_curve, load_that_beats

HOURLY_USD = 2.35
EDGES = (100.0, 200.0, 300.0, 400.0)
POINTS = st.lists(st.builds(LoadPoint, st.floats(0.0, 1e5), ANY_USD, COUNTS, st.none() | COUNTS, SECONDS), max_size=20)
ASCENDING = st.lists(st.floats(1.0, 1e5), max_size=6, unique=True).map(sorted)


def minute(tok_per_s: float, *, usd: float | None = HOURLY_USD / 60, watts: float | None = 400.0) -> LoadPoint:
    """A minute of one GPU of a fixed price an hour."""
    return LoadPoint(tok_per_s, usd, tok_per_s * 60, None if watts is None else watts * 60, 60.0)


def curve(*points: LoadPoint) -> tuple[LoadBin, ...]:
    return load_curve(points, EDGES)


@given(POINTS, ASCENDING)
def test_the_bins_hold_all_that_was_put_in(points: list[LoadPoint], edges: list[float]) -> None:
    bins = load_curve(points, edges)
    assert sum(one.windows for one in bins) == len(points)
    assert sum(one.seconds for one in bins) == pytest.approx(sum(point.seconds for point in points))
    assert sum(one.tokens for one in bins) == pytest.approx(sum(point.tokens for point in points))
    assert sum(one.cost.amount for one in bins) == pytest.approx(sum(point.usd or 0 for point in points))
    assert sum(one.energy.amount for one in bins) == pytest.approx(sum(point.energy_j or 0 for point in points))
    for one in bins:
        assert one.tok_per_s_gpu is not None
        assert one.low <= one.tok_per_s_gpu * (1 + 1e-9)
        assert one.tok_per_s_gpu * (1 - 1e-9) <= one.high
        assert not one.cost.base or one.usd_per_m is not None
        assert one.cost.base or one.usd_per_m in (None, math.inf)


def test_a_full_minute_weighs_more_than_a_quiet_one() -> None:
    (one,) = curve(minute(110), minute(190))
    assert one.tok_per_s_gpu == pytest.approx(150)
    assert one.usd_per_m == pytest.approx(2 * HOURLY_USD / 60 / (300 * 60) * 1e6)
    assert one.tok_per_j == pytest.approx(300 / 800)


def test_a_load_on_an_edge_belongs_to_the_bin_above() -> None:
    (one,) = curve(minute(200))
    assert (one.low, one.high) == (200, 300)


def test_a_window_of_unknown_cost_counts_for_energy_alone() -> None:
    (one,) = curve(minute(110), minute(190, usd=None))
    assert one.usd_per_m == curve(minute(110))[0].usd_per_m
    assert one.tok_per_j == pytest.approx(300 / 800)
    (unpriced,) = curve(minute(110, usd=None, watts=None))
    assert (unpriced.usd_per_m, unpriced.tok_per_j) == (None, None)


def test_an_idle_minute_is_infinitely_dear() -> None:
    assert curve(minute(0))[0].usd_per_m == math.inf


@pytest.mark.parametrize("lowest", [0.0, 50.0, 250.0])
def test_gpus_of_a_fixed_price_beat_the_api_at_the_load_that_division_gives(lowest: float) -> None:
    found = load_that_beats(curve(minute(lowest), minute(350)), 2.19)
    assert found == pytest.approx(298.07, abs=5e-3)


def test_a_curve_that_stays_above_the_price_never_beats_it() -> None:
    assert load_that_beats(curve(minute(50), minute(250)), 2.19) is None
    assert load_that_beats((), 2.19) is None


def test_a_curve_that_is_cheaper_wherever_it_was_seen_says_its_lowest_load() -> None:
    assert load_that_beats(curve(minute(350), minute(450)), 2.19) == 350


def test_bins_without_a_cost_are_passed_over() -> None:
    found = load_that_beats(curve(minute(50, usd=None), minute(150), minute(250, usd=None), minute(350)), 2.19)
    assert found == pytest.approx(298.07, abs=5e-3)


def test_free_electricity_and_a_free_api_do_not_crash() -> None:
    assert load_that_beats(curve(minute(150), minute(350, usd=0.0)), 2.19) == 150
    assert load_that_beats(curve(minute(150), minute(350, usd=-1.0)), 2.19) == 150
    assert load_that_beats(curve(minute(350)), 0.0) is None
    assert load_that_beats(curve(minute(350)), None) is None


@given(POINTS, ASCENDING, st.floats(0.001, 1e6))
def test_the_load_that_beats_a_price_lies_within_what_was_seen(
    points: list[LoadPoint], edges: list[float], price: float
) -> None:
    bins = load_curve(points, edges)
    found = load_that_beats(bins, price)
    loads = [one.tok_per_s_gpu or 0 for one in bins]
    assert found is None or min(loads) * (1 - 1e-9) <= found <= max(loads) * (1 + 1e-9)


def test_edges_cut_the_seen_range_evenly() -> None:
    assert even_edges(100.0, 4) == (25.0, 50.0, 75.0)
    assert even_edges(0.0, 4) == ()
