"""A GPU that falls off the bus, and a driver that does not answer."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox


@pytest.mark.reaches("lost")
async def test_a_lost_gpu_is_critical_after_15_s_and_does_not_hide_the_other(box: ScriptedBox) -> None:
    box.usd_per_gpu_hour = 2.35
    lost, good = box.gpu(), box.gpu()
    for gpu in (lost, good):
        box.server(f"org/model-{gpu.index}", gpu).serves(0, 300, tok_s=500)
    lost.is_lost(100)

    now = await box.at(113)
    assert (now.state(lost), now.alerts) == ("lost (pending)", {})
    now = await box.at(114)
    assert (now.state(lost), now.state(good)) == ("lost", "serving")
    alert = now.alerts["lost"]
    assert (alert.severity, alert.gpus) == ("critical", (0,))
    assert alert.usd_so_far.value == pytest.approx(now.seconds_in(lost, "lost") / 3600 * 2.35)
    assert "fell off the bus" in alert.text
    now = await box.at(200)
    assert now.states(good) == [(0, "serving")]
    assert now.transitions("lost") == [(100, "pending", "critical"), (114, "firing", "critical")]


async def test_a_gpu_that_was_lost_for_a_moment_is_no_alert_and_back_after_two_readings(box: ScriptedBox) -> None:
    gpu = box.gpu()
    gpu.is_lost(100, 105)
    now = await box.at(120)
    assert now.states(gpu) == [(0, "unallocated"), (99, "lost"), (105, "unallocated")]
    assert [status for _, status in now.statuses("lost")] == ["pending", "resolved"]


async def test_a_slow_recorder_calls_no_gpu_lost_before_the_third_reading(box: ScriptedBox) -> None:
    box.interval_s = 20
    gpu = box.gpu()
    gpu.is_lost(100, 130)
    gpu.is_lost(300, 350)
    now = await box.at(380)
    assert now.states(gpu)[1:] == [(80, "lost"), (140, "unallocated"), (280, "lost"), (360, "unallocated")]
    assert now.statuses("lost") == [
        (100, "pending"),
        (160, "resolved"),
        (300, "pending"),
        (340, "firing"),
        (380, "resolving"),
    ]


async def test_a_driver_that_does_not_answer_loses_its_gpus_until_it_does(box: ScriptedBox) -> None:
    box.patience_s = 0.5  # the first silent second is waited out in real time
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 600, tok_s=500)
    gpu.hangs(20, 60)

    now = await box.at(50)
    assert now.state(gpu) == "lost"
    assert "has not answered nvmlDeviceGetFieldValues" in now.row(gpu).note
    now = await box.at(250)  # it answers when its thread gets to it, in real time
    assert now.state(gpu) == "serving"
    told = now.transitions("lost")
    assert told[:2] == [(23, "pending", "critical"), (38, "firing", "critical")]
    assert [status for _, status, _ in told[2:]] == ["resolving", "resolved"]
