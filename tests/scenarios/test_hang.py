"""An engine that hangs: requests run, and no token is made."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox


@pytest.mark.parametrize(
    ("engine", "hot", "words"),
    [("vllm", True, "the GPU is busy"), ("llama.cpp", False, "the GPU is at rest")],
    ids=["hot", "cold"],
)
@pytest.mark.reaches("stalled")
async def test_a_hang_is_critical_a_minute_after_the_last_token(
    box: ScriptedBox, engine: str, hot: bool, words: str
) -> None:
    gpu = box.gpu()
    server = box.server("org/big", gpu, engine=engine)
    server.serves(0, 100, tok_s=500)
    server.hangs(100, 200, hot=hot)
    server.serves(200, 300, tok_s=500)

    now = await box.at(199)
    assert now.state(gpu) == "stalled"
    assert now.alerts["stalled"].text == f"requests run, no token, {words}"
    assert now.alerts["stalled"].usd_so_far.value is None  # a fault, not idleness
    now = await box.at(205)
    assert now.states(gpu)[-3:] == [(0, "serving"), (129, "stalled"), (200, "serving")]
    assert now.transitions("stalled") == [
        (130, "pending", "critical"),
        (159, "firing", "critical"),
        (201, "resolving", "critical"),
    ]


async def test_a_prefill_of_minutes_is_no_hang_while_it_fills_the_cache(box: ScriptedBox) -> None:
    box.interval_s = 2
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 60, tok_s=500)
    for step in range(12):
        server.serves(60 + 10 * step, 70 + 10 * step, tok_s=0, running=1, kv=0.05 * step)
    now = await box.at(179)
    assert now.states(gpu) == [(0, "serving")]


async def test_where_first_tokens_take_half_a_minute_a_hang_is_told_after_three_times_that(box: ScriptedBox) -> None:
    box.interval_s = 5
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 100, tok_s=500, ttft_s=35)  # in the bucket up to 40 s
    server.hangs(100, 400, hot=True)
    now = await box.at(400)
    assert now.states(gpu) == [(0, "serving"), (185, "stalled"), (395, "parked")]
    assert now.statuses("stalled") == [(190, "pending"), (215, "firing"), (400, "resolving")]
