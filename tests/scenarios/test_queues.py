"""Requests that wait: for the KV cache (saturated), or for another limit (backlog)."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox
from tests.scenarios.told import UNWATCHED


@pytest.mark.reaches("saturated")
async def test_a_queue_before_a_full_kv_cache_is_saturated_until_there_is_room_for_a_minute(box: ScriptedBox) -> None:
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 600, tok_s=2000)
    server.serves(100, 180, tok_s=2500, running=64, waiting=12, kv=0.98)

    now = await box.at(158)
    assert (now.state(gpu), now.alerts) == ("saturated (pending)", {})
    now = await box.at(159)
    assert now.state(gpu) == "saturated"
    assert now.alerts["saturated"].text == "requests wait for room in the KV cache"
    now = await box.at(240)
    assert now.states(gpu) == [(0, "serving"), (129, "saturated"), (239, "serving")]
    assert now.transitions("saturated") == [
        (130, "pending", "warning"),
        (159, "firing", "warning"),
        (240, "resolving", "warning"),
    ]


async def test_a_queue_while_requests_are_pushed_out_is_saturated_too(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 600, tok_s=2500, running=64, waiting=12, kv=0.90, preemptions_s=1)
    now = await box.at(120)
    assert now.state(gpu) == "saturated"
    assert now.alerts["saturated"].severity == "warning"


@pytest.mark.reaches("backlog")
async def test_a_queue_beside_free_kv_cache_is_a_backlog_and_a_warning_after_five_minutes(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 900, tok_s=2000)
    server.serves(100, 500, tok_s=2500, running=64, waiting=12, kv=0.4)

    now = await box.at(495)
    assert now.state(gpu) == "backlog"
    assert now.alerts["backlog"].text == "requests wait"
    now = await box.at(700)
    assert now.states(gpu) == [(0, "serving"), (125, "backlog"), (555, "serving")]
    assert now.transitions("backlog") == [
        (130, "pending", "info"),
        (155, "firing", "info"),
        (395, "firing", "warning"),
        (560, "resolving", "warning"),
        (680, "resolved", "warning"),
    ]


async def test_a_queue_of_twenty_seconds_is_nothing(box: ScriptedBox) -> None:
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 200, tok_s=2000)
    server.serves(50, 70, tok_s=2500, running=64, waiting=12, kv=0.98)
    now = await box.at(120)
    assert now.states(gpu) == [(0, "serving")]
    assert (now.transitions("saturated"), now.transitions("backlog")) == ([], [])


async def test_a_full_kv_cache_without_a_queue_is_a_server_well_used(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 600, tok_s=2000, kv=0.99)
    now = await box.at(300)
    assert now.states(gpu) == [(0, "serving")]


async def test_a_queue_goes_on_over_a_restart_of_the_recorder(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 600, tok_s=2500, running=64, waiting=12, kv=0.98)
    await box.at(200)
    await box.stop_recorder()
    box.clock.jump(20)
    now = await box.at(400)
    assert now.states(gpu) == [(0, "serving"), (25, "saturated"), (200, UNWATCHED), (220, "saturated")]
    assert now.since(gpu) == 25
    assert now.statuses("saturated") == [(30, "pending"), (55, "firing")]
