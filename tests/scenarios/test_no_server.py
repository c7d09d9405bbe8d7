"""GPUs without an inference server: free, held by a process, at somebody's training, or not to be told."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox


@pytest.mark.reaches("unallocated")
async def test_a_server_that_is_stopped_leaves_a_free_gpu_that_is_paid_for(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour = 10, 2.0
    gpu = box.gpu()
    server = box.server("org/big", gpu, declared=False)
    server.process(-3600, until_s=300)
    server.serves(0, 200, tok_s=900)

    now = await box.at(1500)
    assert now.states(gpu) == [(0, "serving"), (220, "parked"), (290, "unallocated")]
    assert now.statuses("parked") == [(230, "pending"), (300, "resolved")]
    assert now.statuses("unallocated") == [(300, "pending"), (1190, "firing")]
    assert now.alerts["unallocated"].usd_so_far.value == pytest.approx(2.0 * (1500 - 290) / 3600)


async def test_a_gpu_that_nobody_uses_is_a_warning_after_an_hour(box: ScriptedBox) -> None:
    box.interval_s = 30
    gpu = box.gpu()
    now = await box.at(3600)
    assert now.states(gpu) == [(0, "unallocated")]
    assert now.transitions("unallocated") == [
        (0, "pending", "info"),
        (900, "firing", "info"),
        (3600, "firing", "warning"),
    ]


@pytest.mark.reaches("held")
async def test_a_process_at_rest_holds_its_gpu(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour = 10, 2.0
    gpu = box.gpu()
    gpu.holds(30_000, pid=4711)
    gpu.works(0, 100)

    now = await box.at(700)
    assert now.state(gpu) == "held (pending)"
    now = await box.at(1920)
    assert now.state(gpu) == "held"
    assert now.states(gpu) == [(0, "other work"), (110, "held")]
    assert now.statuses("held") == [(120, "pending"), (1910, "firing")]
    assert now.alerts["held"].usd_so_far.value == pytest.approx(2.0 * (1920 - 110) / 3600)


@pytest.mark.reaches("other work")
async def test_a_training_job_is_neither_idle_nor_productive(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour = 10, 2.0
    gpu = box.gpu()
    gpu.holds(70_000, pid=4711)
    gpu.works(0, 1000, power_w=680, busy=1.0)

    now = await box.at(990)
    assert now.states(gpu) == [(0, "other work")]
    assert now.alerts == {}
    assert (now.row(gpu).idle, now.snapshot.totals.idle_usd_today.value) == (False, 0)


@pytest.mark.reaches("unknown")
async def test_memory_held_by_nobody_visible_is_not_called_idle(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour = 10, 2.0
    unlisted, hidden = box.gpu(), box.gpu()
    unlisted.holds(70_000, pid=None)
    hidden.holds(70_000, pid=4711)
    hidden.hides_processes()

    now = await box.at(1000)
    assert now.states(unlisted) == now.states(hidden) == [(0, "unknown")]
    assert now.row(unlisted).note == "memory held, no visible process"
    assert now.row(hidden).note == "processes not visible"
    assert (now.alerts, now.snapshot.totals.idle_usd_today.value) == ({}, 0)


async def test_work_of_processes_that_nobody_sees_is_other_work(box: ScriptedBox) -> None:
    box.interval_s = 10
    gpu = box.gpu()
    gpu.holds(70_000, pid=None)
    gpu.works(300, 900)
    now = await box.at(1200)
    assert now.states(gpu) == [(0, "unknown"), (290, "other work"), (910, "unknown")]
