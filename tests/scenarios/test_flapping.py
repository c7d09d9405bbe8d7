"""What comes and goes: short idleness never alerts, and a fault that returns is one alert."""

from __future__ import annotations

from tests.scenarios.box import ScriptedBox


async def test_a_request_every_five_minutes_keeps_the_alert_away(box: ScriptedBox) -> None:
    box.interval_s = 10
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    for at_s in range(0, 1200, 300):
        server.serves(at_s, at_s + 20, tok_s=900)

    now = await box.at(1200)
    assert {state for _, state in now.states(gpu)} == {"serving", "parked"}
    assert {status for _, status in now.statuses("parked")} == {"pending", "resolved"}


async def test_a_server_that_hangs_again_and_again_is_one_alert(box: ScriptedBox) -> None:
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    for at_s in (0, 100, 200):
        server.serves(at_s, at_s + 20, tok_s=900)
        server.hangs(at_s + 20, at_s + 100, hot=True)

    now = await box.at(299)
    told = [status for _, status in now.statuses("stalled")]
    assert told == ["pending", "firing", "resolving", "firing", "resolving", "firing"]
    assert now.alerts["stalled"].fired_ms == box.wall_ms(79)


async def test_a_process_that_computes_a_little_now_and_then_holds_its_gpu_all_the_same(box: ScriptedBox) -> None:
    box.interval_s = 20
    gpu = box.gpu()
    gpu.holds(30_000, pid=4711)
    gpu.works(600, 1200, busy=0.03)
    now = await box.at(1820)
    assert now.states(gpu) == [(0, "unknown"), (20, "held")]
    assert now.statuses("held") == [(40, "pending"), (1820, "firing")]
