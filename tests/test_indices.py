"""Indices of devices in words."""

from __future__ import annotations

import pytest

from tokwatch.indices import indices


@pytest.mark.parametrize(("numbers", "written"), [((), ""), ((7,), "7"), ((6, 0, 1, 2, 3), "0–3, 6"), ((5, 6), "5–6")])
def test_runs_are_joined(numbers: tuple[int, ...], written: str) -> None:
    assert indices(numbers) == written
