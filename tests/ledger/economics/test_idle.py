"""What idle GPUs cost: of known prices only."""

from __future__ import annotations

import math

import pytest

from tokwatch.ledger.economics.idle import (
    cost_per_request_against_mean,
    holding_usd,
    idle_energy_usd,
    idle_share,
)


def test_idle_electricity_is_counted_at_the_sites_meter() -> None:
    assert idle_energy_usd(3.6e6, 1.5, 0.10) == pytest.approx(0.15)


def test_what_nobody_priced_costs_nobody_knows_what() -> None:
    assert holding_usd(3600, None) is None
    assert holding_usd(None, 2.35) is None
    assert idle_energy_usd(3.6e6, None, 0.10) is None
    assert idle_energy_usd(3.6e6, 1.5, None) is None
    assert idle_share(5.0, None) is None


def test_no_idle_time_costs_nothing() -> None:
    assert holding_usd(0, 2.35) == 0.0
    assert idle_share(0.0, 10.0) == 0.0


def test_nothing_spent_has_no_idle_share() -> None:
    assert idle_share(0.0, 0.0) is None


def test_gpus_that_served_no_request_are_infinitely_dear_a_request() -> None:
    assert cost_per_request_against_mean(0.1, 0.0) == math.inf
    assert cost_per_request_against_mean(0.5, 0.5) == 1.0
