"""A server without requests: serving → parked, an alert that gets graver, its dollars, and what ends it."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox


async def test_a_server_without_requests_is_parked_and_after_half_an_hour_a_warning(box: ScriptedBox) -> None:
    box.interval_s = 10
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 120, tok_s=900)

    now = await box.at(115)
    assert (now.state(gpu), now.alerts) == ("serving", {})
    now = await box.at(430)
    assert (now.state(gpu), now.since(gpu)) == ("parked (pending)", 140)
    now = await box.at(440)
    assert (now.state(gpu), now.alerts["parked"].severity) == ("parked", "info")
    now = await box.at(1950)
    assert now.states(gpu) == [(0, "serving"), (140, "parked")]
    assert now.transitions("parked") == [
        (150, "pending", "info"),
        (440, "firing", "info"),
        (1940, "firing", "warning"),
    ]


async def test_the_dollars_of_an_idle_alert_are_price_times_time_in_the_state(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour = 20, 3.6
    gpus = box.gpu(), box.gpu()
    box.server("org/big", *gpus).serves(0, 100, tok_s=900)

    for at_s in (900, 2000):
        now = await box.at(at_s)
        alert = now.alerts["parked"]
        assert (alert.gpus, now.since(gpus[0]), now.since(gpus[1])) == ((0, 1), 120, 120)
        assert alert.usd_so_far.value == pytest.approx(2 * 3.6 * (at_s - 120) / 3600)
        assert alert.usd_per_day.value == pytest.approx(2 * 3.6 * 24)
        assert now.snapshot.totals.idle_usd_today.value == alert.usd_so_far.value


@pytest.mark.reaches("serving", "parked", "pending", "firing", "resolving", "resolved")
async def test_the_first_request_ends_it_and_the_alert_resolves_two_minutes_later(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 60, tok_s=900)
    server.serves(500, 700, tok_s=900)

    now = await box.at(700)
    assert now.states(gpu) == [(0, "serving"), (85, "parked"), (495, "serving")]
    assert now.statuses("parked") == [(90, "pending"), (385, "firing"), (500, "resolving"), (620, "resolved")]


async def test_a_long_answer_of_llama_server_is_work_though_it_is_counted_at_its_end(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpu = box.gpu()
    box.server("small", gpu, engine="llama.cpp").serves(60, 460, tok_s=0.8, running=1)  # 4 tokens in 5 s: one step
    now = await box.at(790)
    assert now.states(gpu) == [(0, "unknown"), (25, "parked"), (55, "serving"), (485, "parked")]
    assert now.statuses("parked")[-1] == (785, "firing")


async def test_a_server_without_requests_between_two_that_have_some_is_the_only_parked_one(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpus = [box.gpu() for _ in range(3)]
    servers = [box.server(f"org/model-{gpu.index}", gpu) for gpu in gpus]
    for server in (servers[0], servers[2]):
        server.serves(0, 600, tok_s=900)
    now = await box.at(600)
    assert [now.state(gpu) for gpu in gpus] == ["serving", "parked", "serving"]
    assert now.alerts["parked"].gpus == (1,)
