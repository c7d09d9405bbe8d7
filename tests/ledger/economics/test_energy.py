"""Energy a token: inverse figures agree, and a figure that hints at wrong wiring is told apart from an idle GPU."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.economics.amounts import ANY_COUNT
from tokwatch.ledger.economics.energy import (
    facility_kwh,
    gco2e,
    j_per_token,
    plausible,
    tok_per_j,
    tok_s_per_mw,
    wh_per_request,
)


@given(st.floats(1.0, 1e12), st.floats(1.0, 1e12))
def test_joules_a_token_tokens_a_joule_and_tokens_a_megawatt_are_one_figure(tokens: float, energy_j: float) -> None:
    each = j_per_token(energy_j, tokens)
    assert each is not None
    assert tok_per_j(tokens, energy_j) == pytest.approx(1 / each)
    assert tok_s_per_mw(tokens, energy_j) == pytest.approx(1e6 / each)


def test_energy_without_tokens_is_infinitely_much_a_token() -> None:
    assert (j_per_token(400.0, 0), wh_per_request(400.0, 0)) == (math.inf,) * 2
    assert j_per_token(0.0, 0) is None


def test_tokens_without_energy_are_a_meter_that_is_missing_and_no_figure() -> None:
    assert (tok_per_j(400.0, 0), tok_s_per_mw(400.0, 0), tok_per_j(400.0, None)) == (None, None, None)


@given(ANY_COUNT, ANY_COUNT, st.none() | st.floats(1.0, 3.0))
def test_the_sites_meter_needs_boards_hosts_and_pue(board: float | None, host: float | None, pue: float | None) -> None:
    site = facility_kwh(board, host, pue)
    assert (site is None) == (None in (board, host, pue))
    assert site is None or site >= (board or 0) + (host or 0)


def test_carbon_needs_a_factor() -> None:
    assert gco2e(2.0, 348.0) == 696.0
    assert gco2e(2.0, None) is None
    assert gco2e(None, 348.0) is None


@pytest.mark.parametrize(
    ("j_per_output_token", "fine"),
    [(0.12, True), (0.01, True), (100.0, True), (0.009, False), (101.0, False), (-1.0, False), (0.0, False)],
)
def test_a_board_far_off_a_hundredth_to_a_hundred_joules_is_wired_wrong(j_per_output_token: float, fine: bool) -> None:
    assert plausible(j_per_output_token) is fine


def test_milli_units_taken_for_units_are_caught_either_way() -> None:
    assert not plausible(0.5 * 1000)
    assert not plausible(0.5 / 1000)


def test_no_token_and_no_figure_are_no_sign_of_wrong_wiring() -> None:
    assert plausible(j_per_token(400.0, 0))
    assert plausible(None)
