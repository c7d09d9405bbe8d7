"""Time that nobody watched: a box that slept, a recorder that restarts."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox
from tests.scenarios.told import UNWATCHED


async def test_the_time_a_box_slept_is_in_no_state_and_costs_nothing_of_the_alert(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour = 5, 2.0
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 100, tok_s=500)
    await box.at(700)
    box.clock.jump(600)
    now = await box.at(1500)
    assert now.states(gpu) == [(0, "serving"), (125, "parked"), (700, UNWATCHED), (1300, "parked")]
    assert now.statuses("parked") == [(130, "pending"), (425, "firing")]
    assert now.alerts["parked"].usd_so_far.value == pytest.approx(2.0 * now.seconds_in(gpu, "parked") / 3600)


async def test_an_alert_goes_on_over_a_restart_of_the_recorder(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour = 5, 2.0
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 100, tok_s=500)
    await box.at(700)
    await box.stop_recorder()
    box.clock.jump(40)
    now = await box.at(1000)
    assert now.states(gpu) == [(0, "serving"), (125, "parked"), (700, UNWATCHED), (740, "parked")]
    assert now.since(gpu) == 125
    assert now.statuses("parked") == [(130, "pending"), (425, "firing")]
    assert now.alerts["parked"].fired_ms == box.wall_ms(425)
    assert now.alerts["parked"].usd_so_far.value == pytest.approx(2.0 * (1000 - 125 - 40) / 3600)


async def test_after_twenty_minutes_without_a_recorder_the_state_begins_anew_and_the_alert_goes_on(
    box: ScriptedBox,
) -> None:
    box.interval_s, box.usd_per_gpu_hour = 5, 2.0
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 100, tok_s=500)
    await box.at(700)
    await box.stop_recorder()
    box.clock.jump(1200)
    now = await box.at(2200)
    assert now.states(gpu)[2:] == [(700, UNWATCHED), (1900, "parked")]
    assert now.since(gpu) == 1900
    assert now.statuses("parked") == [(130, "pending"), (425, "firing")]
    assert now.alerts["parked"].usd_so_far.value == pytest.approx(2.0 * (575 + 300) / 3600)
    assert now.snapshot.totals.idle_usd_today.value == now.alerts["parked"].usd_so_far.value


async def test_a_recorder_that_restarts_while_a_server_works_sees_no_idleness(box: ScriptedBox) -> None:
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 600, tok_s=500)
    await box.at(60)
    await box.stop_recorder()
    box.clock.jump(20)
    now = await box.at(120)
    assert {state for _, state in now.states(gpu)} == {"serving", UNWATCHED}
    assert now.snapshot.totals.tok_s.value == pytest.approx(500)


async def test_a_hang_that_began_while_nobody_watched_is_told_a_minute_after_it_is_seen(box: ScriptedBox) -> None:
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 100, tok_s=500)
    server.hangs(100, 600, hot=True)
    await box.at(60)
    await box.stop_recorder()
    box.clock.jump(200)
    now = await box.at(400)
    assert now.states(gpu) == [(0, "serving"), (60, UNWATCHED), (260, "serving"), (289, "stalled")]
    assert now.transitions("stalled")[-1] == (319, "firing", "critical")
