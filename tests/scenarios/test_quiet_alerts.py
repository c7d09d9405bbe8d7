"""Alerts that are not told: stale ones, those that a fault says already, muted ones."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox
from tokwatch.ledger.alerts.mutes import Mute


async def test_an_alert_is_stale_and_not_over_while_nobody_can_tell(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.is_unreadable(500, 800)

    now = await box.at(780)
    assert now.state(gpu) == "blind"
    alert = now.alerts["parked"]
    assert (alert.status, alert.stale_since_ms) == ("firing", box.wall_ms(515))
    now = await box.at(830)
    assert now.states(gpu) == [(0, "unknown"), (25, "parked"), (510, "blind"), (800, "parked")]
    assert now.alerts["parked"].stale_since_ms is None
    assert now.statuses("parked") == [(30, "pending"), (325, "firing")]


async def test_the_alert_of_a_lost_gpu_says_all_there_is(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpu, other = box.gpu(), box.gpu()
    box.server("org/big", gpu)
    box.server("org/other", other).serves(0, 900, tok_s=500)
    gpu.is_lost(400)
    now = await box.at(450)
    assert (now.alerts["parked"].status, now.alerts["parked"].inhibited_by) == ("resolving", "lost")
    assert (now.alerts["lost"].status, now.alerts["lost"].inhibited_by) == ("firing", "")


async def test_a_muted_alert_goes_on_and_so_do_its_dollars(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour = 5, 2.0
    gpu = box.gpu()
    box.server("org/big", gpu)
    await box.at(350)
    box.mute(Mute(made_ms=box.wall_ms(350), until_ms=box.wall_ms(600), reason="benchmark tonight", state="parked"))

    now = await box.at(500)
    alert = now.alerts["parked"]
    assert (alert.status, alert.muted, alert.mute_reason) == ("firing", True, "benchmark tonight")
    assert alert.usd_so_far.value == pytest.approx(2.0 * (500 - now.since(gpu)) / 3600)
    now = await box.at(605)
    assert not now.alerts["parked"].muted
