"""A box that others use too: their jobs are nobody's idleness, and a server that is not there holds nothing."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox


async def test_a_training_job_beside_a_resting_server_is_neither_idle_nor_productive(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour = 10, 2.0
    shared, resting, training = box.gpu(), box.gpu(), box.gpu()
    box.server("org/big", shared)
    box.server("org/small", resting)
    shared.holds(8_000, pid=4711, from_s=100)
    shared.works(100, 500, busy=0.95)
    shared.works(500, 700, busy=0.2)  # it reads its data
    training.holds(70_000, pid=4712)
    training.works(0, 900, busy=1.0)

    now = await box.at(690)
    assert now.state(shared) == "other work"
    assert now.row(shared).note == "another process is at work here, org/big has no request"
    assert now.alerts["parked"].gpus == (resting.index,)
    now = await box.at(750)
    assert now.states(shared) == [(0, "unknown"), (20, "parked"), (100, "other work"), (710, "parked")]
    assert now.states(resting) == [(0, "unknown"), (20, "parked")]
    assert now.states(training) == [(0, "other work")]
    idle_s = now.seconds_in(shared, "parked") + now.seconds_in(resting, "parked")
    assert now.snapshot.totals.idle_usd_today.value == pytest.approx(2.0 * idle_s / 3600)


async def test_a_server_that_the_config_declares_and_that_was_stopped_leaves_a_free_gpu(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour = 10, 2.0
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.process(-3600, until_s=300)
    server.serves(0, 290, tok_s=900)

    now = await box.at(1300)
    assert now.states(gpu) == [(0, "serving"), (310, "unallocated")]
    assert now.row(gpu).note == "vllm is not here"
    assert now.transitions("blind") == []
    assert now.statuses("unallocated") == [(320, "pending"), (1210, "firing")]
    assert now.alerts["unallocated"].usd_so_far.value == pytest.approx(2.0 * (1300 - 310) / 3600)


async def test_a_server_that_the_config_declares_and_that_was_never_started_leaves_a_free_gpu(box: ScriptedBox) -> None:
    box.interval_s = 20
    gpu = box.gpu()
    box.server("org/big", gpu).process(2000)
    now = await box.at(1000)
    assert now.states(gpu) == [(0, "unallocated")]
    assert now.statuses("unallocated") == [(0, "pending"), (900, "firing")]
