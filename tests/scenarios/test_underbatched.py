"""A GPU that works far below what its deployment can do, by a capacity that is declared or learnt."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox

DECLARED = '[[capacity]]\nmodel = "org/big"\ntok_s_per_gpu = 10_000\nsource = "own benchmark of 2 November"\n'
SLO = "[slo]\nttft_s = 0.5\n"


@pytest.mark.reaches("underbatched")
async def test_a_tenth_of_the_declared_capacity_for_ten_minutes_is_underbatched(box: ScriptedBox) -> None:
    box.interval_s = 10
    box.sections = DECLARED
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 900, tok_s=200, prompt_tok_s=800, running=2)
    server.serves(900, 1500, tok_s=900, prompt_tok_s=3600, running=12)

    now = await box.at(890)
    assert (now.state(gpu), now.alerts["underbatched"].text) == (
        "underbatched",
        "far below its capacity: fewer GPUs would do",
    )
    now = await box.at(1220)
    assert now.states(gpu) == [(0, "serving"), (70, "underbatched"), (1090, "serving")]
    assert now.transitions("underbatched") == [
        (80, "pending", "info"),
        (670, "firing", "info"),
        (1100, "resolving", "info"),
        (1220, "resolved", "info"),
    ]


async def test_a_tenth_of_the_learnt_capacity_for_ten_minutes_is_underbatched(box: ScriptedBox) -> None:
    box.interval_s = 5
    box.sections = SLO
    gpu = box.gpu()
    server = box.server("org/big", gpu)
    server.serves(0, 400, tok_s=2000, prompt_tok_s=8000, running=64)
    server.serves(400, 1500, tok_s=200, prompt_tok_s=800, running=4)

    now = await box.at(1090)
    assert now.states(gpu) == [(0, "serving"), (485, "underbatched")]
    assert now.statuses("underbatched") == [(490, "pending"), (1085, "firing")]


async def test_without_a_capacity_no_load_is_called_low(box: ScriptedBox) -> None:
    box.interval_s = 10
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 900, tok_s=5, running=1)
    now = await box.at(800)
    assert now.states(gpu) == [(0, "serving")]


async def test_a_small_load_with_a_queue_is_a_backlog(box: ScriptedBox) -> None:
    box.interval_s = 5
    box.sections = DECLARED
    gpu = box.gpu()
    box.server("org/big", gpu).serves(0, 900, tok_s=200, prompt_tok_s=800, running=2, waiting=3)
    now = await box.at(300)
    assert now.states(gpu) == [(0, "serving"), (25, "backlog")]
