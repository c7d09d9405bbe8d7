"""A server whose page does not come: still loading, never coming up, or blind."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox


@pytest.mark.reaches("blind")
async def test_a_server_whose_page_is_lost_makes_its_gpu_blind_and_never_idle(box: ScriptedBox) -> None:
    box.usd_per_gpu_hour = 2.0
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 40, tok_s=500)
    server.is_unreadable(50, 200)

    now = await box.at(190)
    assert now.state(gpu) == "blind"
    assert now.states(gpu) == [(0, "serving"), (52, "blind")]
    assert "closed the connection" in now.alerts["blind"].text
    assert now.snapshot.totals.idle_usd_today.value == 0
    now = await box.at(220)
    assert now.states(gpu)[2:] == [(204, "parked")]  # a page is tried every 10 s by now
    assert now.transitions("blind") == [
        (53, "pending", "warning"),
        (172, "firing", "warning"),
        (205, "resolving", "warning"),
    ]


async def test_two_pages_lost_in_a_row_are_nothing(box: ScriptedBox) -> None:
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 200, tok_s=500)
    server.is_unreadable(60, 62)
    now = await box.at(90)
    assert now.states(gpu) == [(0, "serving")]


@pytest.mark.reaches("loading")
async def test_a_server_that_loads_for_ten_minutes_is_loading(box: ScriptedBox) -> None:
    box.interval_s = 10
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.process(50, up_s=650)
    server.serves(700, 900, tok_s=500)
    now = await box.at(900)
    assert now.states(gpu)[2:] == [(50, "loading"), (640, "parked"), (690, "serving")]
    assert now.transitions("loading") == [(60, "pending", "warning"), (650, "resolved", "warning")]
    assert now.alerts == {}


async def test_a_server_that_nobody_told_of_is_never_idle_while_it_starts(box: ScriptedBox) -> None:
    box.interval_s = 2
    gpu = box.gpu()
    server = box.server("org/big", gpu, declared=False)
    server.process(52, up_s=100)
    server.serves(110, 200, tok_s=500)
    now = await box.at(106)
    assert now.states(gpu) == [(0, "unallocated"), (50, "unknown"), (60, "loading"), (104, "parked")]
    assert now.transitions("held") == []


async def test_a_server_that_is_not_up_after_a_quarter_of_an_hour_is_told_and_then_holds_its_gpu(
    box: ScriptedBox,
) -> None:
    box.interval_s = 20
    gpu = box.gpu()
    box.server("org/big", gpu).process(0, up_s=7200)
    now = await box.at(2760)
    assert now.states(gpu) == [(0, "loading"), (940, "held")]
    assert now.statuses("loading") == [(0, "pending"), (900, "firing"), (960, "resolving"), (1080, "resolved")]
    assert now.statuses("held") == [(960, "pending"), (2740, "firing")]
    assert "does not come up" in now.alerts["held"].text


async def test_a_server_of_unknown_age_that_never_answers_is_a_warning_after_a_quarter_of_an_hour(
    box: ScriptedBox,
) -> None:
    box.interval_s = 20
    box.settings = "discover = false"
    gpu = box.gpu()
    box.server("org/big", gpu, options='engine = "vllm"').is_unreadable(0)
    now = await box.at(1000)
    assert now.states(gpu) == [(0, "loading")]
    assert now.transitions("loading") == [(0, "pending", "warning"), (900, "firing", "warning")]
