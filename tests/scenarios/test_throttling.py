"""A GPU that its hardware, or heat, slows down while it serves."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox

SOFTWARE_POWER_CAP, HARDWARE_SLOWDOWN, SOFTWARE_HEAT, HARDWARE_HEAT, POWER_BRAKE = 0x04, 0x08, 0x20, 0x40, 0x80


@pytest.mark.reaches("throttled")
async def test_a_gpu_slowed_down_while_it_serves_is_a_warning_after_a_minute(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 900, tok_s=900)
    gpu.throttles(100, 300, HARDWARE_HEAT)

    now = await box.at(155)
    assert now.state(gpu) == "throttled (pending)"
    now = await box.at(160)
    assert now.state(gpu) == "throttled"
    now = await box.at(565)
    assert now.states(gpu) == [(0, "serving"), (100, "throttled"), (440, "serving")]
    assert now.transitions("throttled") == [
        (105, "pending", "warning"),
        (160, "firing", "warning"),
        (445, "resolving", "warning"),
        (565, "resolved", "warning"),
    ]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (HARDWARE_SLOWDOWN, "by the hardware"),
        (SOFTWARE_HEAT, "too hot"),
        (HARDWARE_HEAT, "too hot"),
        (POWER_BRAKE, "power brake"),
    ],
)
async def test_the_alert_says_once_what_slows_it(box: ScriptedBox, reason: int, words: str) -> None:
    box.interval_s = 5
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 100, tok_s=900)
    gpu.throttles(10, 100, reason)
    now = await box.at(80)
    assert now.alerts["throttled"].text == now.row(gpu).note == f"slowed down: {words}"


async def test_a_software_power_cap_is_normal_at_full_load(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 600, tok_s=900)
    gpu.throttles(0, 600, SOFTWARE_POWER_CAP)
    now = await box.at(300)
    assert now.states(gpu) == [(0, "serving")]


async def test_a_hot_gpu_without_requests_is_parked(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpu = box.gpu()
    box.server("org/big", gpu)
    gpu.throttles(0, 600, HARDWARE_HEAT)
    now = await box.at(400)
    assert now.state(gpu) == "parked"
    assert now.transitions("throttled") == []
