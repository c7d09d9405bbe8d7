"""Figures by name: those of the Snapshot's own structs, read where a scope says."""

from __future__ import annotations

from typing import get_args

import pytest
from msgspec.structs import replace

from tests.ledger.box import Box, serve
from tokwatch.ledger.alerts.conditions import Bounds, ConditionError, FigureName, Scope, parse_condition
from tokwatch.ledger.alerts.figures import check_condition, figure_names, read_figures
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.snapshot import Snapshot


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return serve(Box(), range(30), free=1).snapshot(2.0)


def read(snapshot: Snapshot, text: str) -> tuple[Bounds | None, ...]:
    """The readings of the figure that a condition names."""
    condition = parse_condition(f"{text} > 0")
    check_condition(condition)
    return read_figures(snapshot, [condition.figure])[condition.figure]


def exact(value: float) -> tuple[Bounds]:
    return (Bounds(value, value),)


def test_the_fleets_figures_are_those_of_its_totals_and_its_economy(snapshot: Snapshot) -> None:
    assert read(snapshot, "usd_per_hour") == exact(6.0)
    assert read(snapshot, "gpus") == exact(3)
    assert read(snapshot, "cost.total") == exact(6.0)
    assert read(snapshot, "usd_per_m_output") == exact(snapshot.totals.usd_per_m_output.value or 0)


def test_a_scope_names_a_gpu_a_server_a_deployment_or_a_model(snapshot: Snapshot) -> None:
    server = snapshot.servers[0]
    assert read(snapshot, "power_w{gpu=0}") == exact(snapshot.gpus[0].power_w.value or 0)
    assert read(snapshot, f'tok_s{{server="{server.address}"}}') == exact(server.tok_s.value or 0)
    assert read(snapshot, f'tok_s{{model="{server.model}"}}') == exact(server.tok_s.value or 0)
    deployment = snapshot.deployments[0]
    assert read(snapshot, f'cost.total{{deployment="{deployment.key}"}}') == exact(4.0)


def test_what_is_not_there_has_no_reading(snapshot: Snapshot) -> None:
    assert read(snapshot, "power_w{gpu=9}") == ()
    assert read(snapshot, 'tok_s{model="other"}') == ()


def test_unknown_infinite_and_bounded_figures(snapshot: Snapshot) -> None:
    totals = replace(
        snapshot.totals,
        tok_s=Figure(None, "warming up"),
        usd_per_m_output=Figure(None, infinite=True),
        slo_met=Interval(0.9, 0.95),
        ttft_p95_s=Interval(2.5, None),
    )
    changed = replace(snapshot, totals=totals)
    assert read(changed, "tok_s") == (None,)
    assert read(changed, "usd_per_m_output") == exact(float("inf"))
    assert read(changed, "slo_met") == (Bounds(0.9, 0.95),)
    assert read(changed, "ttft_p95_s") == (Bounds(2.5, float("inf")),)


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConditionError, match=r"no figure watts of a gpu: .*power_w.*utilization"):
        check_condition(parse_condition("watts{gpu=0} > 1"))


def test_names_are_numbers_with_a_meaning() -> None:
    for scope in get_args(Scope):
        names = figure_names(scope)
        assert names
        assert not {"entity", "index", "since_ms", "name", "state", "alerts"} & set(names)


def test_readings_cannot_be_changed(snapshot: Snapshot) -> None:
    figures = read_figures(snapshot, [FigureName("tok_s")])
    with pytest.raises(TypeError):
        figures[FigureName("tok_s")] = ()  # type: ignore[index]
