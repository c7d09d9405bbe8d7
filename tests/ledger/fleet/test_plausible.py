"""What cannot be: a box that lies, or a source that is broken, spoils no sum and ends no screen."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.ledger.fleet.made import book, fleet, flow, host
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.groups import GROUPINGS, grouped
from tokwatch.ledger.fleet.plausible import plausible
from tokwatch.ledger.fleet.tally import TrendPoint
from tokwatch.ledger.prices.book import PriceBook

ABSURD = (math.nan, math.inf, -math.inf, -1, 2**63, 10**400)
OF_HOST = (
    *("t1_ms", "length_ms", "gpus", "power_w", "energy_mj", "measured_ms"),
    *("memory_used_mib", "memory_total_mib", "utilization", "clock_skew_ms"),
)
OF_FLOW = ("prompt_tokens", "cached_tokens", "output_tokens", "finished", "failed", "running", "waiting", "kv_usage")


@pytest.mark.parametrize("value", ABSURD)
@pytest.mark.parametrize("field", OF_HOST)
def test_a_figure_of_a_host_that_cannot_be_is_unknown(field: str, value: float) -> None:
    if field == "clock_skew_ms" and value == -1:
        return  # a clock may be slow
    snapshot = fleet_snapshot(fleet(host("h1", flow(), **{field: value}), host("h2", flow())), book())
    assert all(is_sound(figure) for figure in figures(snapshot.hosts[0]) + figures(snapshot.total))


@pytest.mark.parametrize("value", ABSURD)
@pytest.mark.parametrize("field", OF_FLOW)
def test_a_figure_of_a_model_that_cannot_be_is_unknown(field: str, value: float) -> None:
    absurd: dict[str, Any] = {field: value}
    absurd_flow = replace(flow("a"), **absurd)
    snapshot = fleet_snapshot(fleet(host("h1", absurd_flow, flow("b")), host("h2", flow("a"))), book())
    every = (snapshot.total, *snapshot.hosts, *snapshot.models)
    assert all(is_sound(figure) for row in every for figure in figures(row))


def test_numbers_of_gpus_below_zero_are_none() -> None:
    assert plausible(host(states=((4, -3), (5, 2)))).states == ((5, 2),)


def test_points_of_the_trend_that_cannot_be_are_gaps() -> None:
    (point,) = fleet_snapshot(fleet(trend=(TrendPoint(1, math.nan, math.inf, -1),)), book()).trend
    assert point == TrendPoint(1, None, None, None)


def test_what_can_be_is_left_as_it_is() -> None:
    made = host("h1", flow())
    assert plausible(made) is made


amounts = st.one_of(st.none(), st.integers(0, 10**9))
flows = st.lists(
    st.builds(
        lambda model, output, prompt: flow(model, output, prompt_tokens=prompt),
        st.sampled_from("abc"),
        amounts,
        amounts,
    ),
    max_size=3,
    unique_by=lambda made: made.model,
)
hosts = st.builds(
    lambda made, gpus, up, energy, idle, region: host(
        "", *made, gpus=gpus, up=up, energy_mj=energy, power_w=None, region=region,
        states=((4, max(0, (gpus or 0) - idle)), (6, min(gpus or 0, idle))),
    ),
    flows, st.one_of(st.none(), st.integers(0, 16)), st.booleans(), amounts, st.integers(0, 16),
    st.sampled_from(("", "n", "s")),
)  # fmt: skip


@given(st.lists(hosts, max_size=12), st.booleans())
def test_hosts_add_up_to_the_total_and_so_do_groups_of_any_kind(made: list[Any], is_priced: bool) -> None:
    snapshot = fleet_snapshot(fleet(*made), book() if is_priced else PriceBook())
    for by in GROUPINGS:
        rows = grouped(snapshot, by)
        for count in ("hosts", "hosts_down", "gpus", "gpus_idle"):
            assert sum(getattr(row, count) for row in rows) == getattr(snapshot.total, count)
        for figure in ("tok_s", "power_w", "facility_w", "usd_per_hour", "idle_usd_per_hour"):
            total = getattr(snapshot.total, figure).value or 0
            assert known_sum(rows, figure) == pytest.approx(total)
            assert known_sum(snapshot.hosts, figure) == pytest.approx(total)


@given(st.lists(hosts, max_size=12))
def test_models_share_what_their_hosts_have_and_no_more(made: list[Any]) -> None:
    snapshot = fleet_snapshot(fleet(*made), book())
    serving = [row for row in snapshot.hosts if row.models]
    assert known_sum(snapshot.models, "gpus") == pytest.approx(sum(row.gpus or 0 for row in serving))
    for figure in ("tok_s", "power_w", "usd_per_hour"):
        assert known_sum(snapshot.models, figure) == pytest.approx(known_sum(serving, figure))


def known_sum(rows: Any, figure: str) -> float:
    return sum(getattr(row, figure).value or 0.0 for row in rows)


def figures(row: Any) -> list[Figure]:
    values = [getattr(row, name) for name in row.__struct_fields__]
    return [value for value in values if isinstance(value, Figure)]


def is_sound(figure: Figure) -> bool:
    """A number that can be drawn; else it says why there is none."""
    return bool(figure.why) or figure.infinite if figure.value is None else 0 <= figure.value < 10**18
