"""From board energy to the building's meter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.prices.facility import Facility, facility_energy

KWH_MJ = 3.6e9
HOUR_MS = 3.6e6


def test_nothing_told_leaves_board_energy_as_it_is() -> None:
    assert facility_energy(Facility(), KWH_MJ, HOUR_MS, 5.0) == (KWH_MJ, True)


def test_pue_and_a_ratio_multiply() -> None:
    """Google's account of a prompt, 2025-08: 0.43 W of host per board watt."""
    found = facility_energy(Facility(1.3, "ratio", host_ratio=0.43), KWH_MJ, HOUR_MS, None)
    assert found.energy_mj == pytest.approx(KWH_MJ * 1.43 * 1.3)


def test_host_watts_per_gpu_are_paid_for_as_long_as_it_is_held() -> None:
    found = facility_energy(Facility(1.2, "per gpu", host_w_per_gpu=250), 0.0, HOUR_MS / 2, None)
    assert found.energy_mj == pytest.approx(0.125 * KWH_MJ * 1.2)


def test_a_measured_share_is_added_and_one_that_was_not_measured_is_missing() -> None:
    measured = Facility(1.0, "measured")
    assert facility_energy(measured, KWH_MJ, HOUR_MS, KWH_MJ / 4) == (1.25 * KWH_MJ, True)
    assert facility_energy(measured, KWH_MJ, HOUR_MS, None) == (KWH_MJ, False)


@pytest.mark.parametrize(
    ("facility", "basis"),
    [
        (Facility(), "board"),
        (Facility(host="measured"), "board + host"),
        (Facility(1.3), "board × PUE"),
        (Facility(1.3, "ratio", host_ratio=0.4), "facility"),
    ],
)
def test_what_energy_covers_is_said(facility: Facility, basis: str) -> None:
    assert facility.basis == basis


@given(st.lists(st.floats(0, 1e9), max_size=8), st.floats(1, 3), st.floats(0, 2))
def test_energy_of_parts_is_the_energy_of_the_whole(parts_mj: list[float], pue: float, ratio: float) -> None:
    facility = Facility(pue, "ratio", host_ratio=ratio)
    each = sum(facility_energy(facility, part, 1.0, None).energy_mj for part in parts_mj)
    assert each == pytest.approx(facility_energy(facility, sum(parts_mj), float(len(parts_mj)), None).energy_mj)
