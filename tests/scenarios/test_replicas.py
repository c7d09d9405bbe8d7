"""Servers that work together or for the same model: a GPU is judged with its deployment."""

from __future__ import annotations

import pytest

from tests.scenarios.box import ScriptedBox


async def test_a_prefill_gpu_between_prompts_is_not_idle_while_its_decode_partner_runs(box: ScriptedBox) -> None:
    box.interval_s = 5
    prefill, decode = box.gpu(), box.gpu()
    box.server("org/big", prefill, options='role = "prefill"').serves(0, 60, tok_s=0, prompt_tok_s=900)
    box.server("org/big", decode, options='role = "decode"').serves(0, 600, tok_s=900, prompt_tok_s=0)

    now = await box.at(700)
    assert now.states(prefill) == now.states(decode) == [(0, "serving"), (625, "parked")]


@pytest.mark.reaches("misrouted")
async def test_a_gpu_that_rests_while_a_replica_has_a_queue_is_misrouted_and_idle(box: ScriptedBox) -> None:
    box.interval_s, box.usd_per_gpu_hour = 5, 2.0
    resting, busy = box.gpu(), box.gpu()
    box.server("org/big", resting).serves(0, 40, tok_s=900)
    server = box.server("org/big", busy)
    server.serves(0, 600, tok_s=900)
    server.serves(100, 300, tok_s=2000, running=64, waiting=9)

    now = await box.at(250)
    assert (now.state(resting), now.state(busy)) == ("misrouted", "backlog")
    alert = now.alerts["misrouted"]
    assert (alert.gpus, alert.text) == ((0,), f"no request here, while some wait at the replica {server.address}")
    assert alert.usd_so_far.value == pytest.approx(2.0 * (250 - now.since(resting)) / 3600)
    now = await box.at(340)
    assert now.states(resting) == [(0, "serving"), (65, "parked"), (125, "misrouted"), (325, "parked")]
    assert now.statuses("misrouted") == [(130, "pending"), (155, "firing"), (330, "resolving")]


async def test_a_resting_server_of_another_model_is_parked_whatever_queue_there_is(box: ScriptedBox) -> None:
    box.interval_s = 5
    resting, busy = box.gpu(), box.gpu()
    box.server("org/small", resting)
    box.server("org/big", busy).serves(0, 600, tok_s=2000, running=64, waiting=9)
    now = await box.at(400)
    assert (now.state(resting), now.state(busy)) == ("parked", "backlog")
    assert now.transitions("misrouted") == []
