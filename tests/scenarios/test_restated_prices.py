"""Prices that are told from another process while a recorder runs."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox


async def test_a_price_that_is_restated_beside_the_recorder_holds_for_the_past_within_seconds(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour = 5, 2.0
    gpu = box.gpu()
    box.server("org/big", gpu)
    now = await box.at(600)
    assert now.alerts["parked"].usd_so_far.value == pytest.approx(2.0 * (600 - 25) / 3600)

    await box.command(
        "prices",
        "restate",
        "--from",
        "2025-06-21T12:00:00",
        "--to",
        "2025-06-21T12:05:00",
        "--price",
        "4",
        "--reason",
        "the discount began at five past",
    )
    now = await box.at(620)
    idle_usd = (4.0 * (300 - 25) + 2.0 * (620 - 300)) / 3600
    assert now.alerts["parked"].usd_so_far.value == pytest.approx(idle_usd)
    assert now.snapshot.totals.idle_usd_today.value == pytest.approx(idle_usd)
    assert now.snapshot.totals.usd_per_hour.value == 2.0
