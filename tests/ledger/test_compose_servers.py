"""Whose tokens count in the figures, and over which window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.readings import Layer, Moves
from tests.ledger.box import PRICE, Box, one_gpu, placed, value, work
from tests.ledger.readings import flow, gpu, page, server_facts
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.snapshot import Figure

# --- whose tokens count -----------------------------------------------------------------------------------------------


def test_another_users_server_is_shown_and_stays_out_of_the_money() -> None:
    shown = one_gpu(30, [placed(0, verified=False)])
    (server,), (row,), totals = shown.servers, shown.gpus, shown.totals
    assert (server.verified, value(server.tok_s), row.state) == (False, 1200.0, "serving")
    for figure in (server.usd_per_m_output, row.usd_per_m_output):
        assert figure == Figure(None, "server of another user: accept it in the config")
    assert (totals.tok_s, totals.deployments) == (Figure(None, "no server"), 0)
    assert totals.usd_per_m_output.value is None


def test_a_server_on_no_gpu_is_in_the_tokens_and_not_in_the_ratios() -> None:
    box = Box()
    for second in range(30):
        elsewhere = replace(placed(address="b:1", pid=7, pids=(7,)), gpus=None)
        box.turn(second, [gpu(second)], [work(second, placed(0)), work(second, elsewhere)])
    shown = box.snapshot(PRICE)
    assert value(shown.totals.tok_s) == 2400
    assert value(shown.totals.tok_per_j) == 4.0
    assert shown.servers[1].usd_per_m_output == Figure(None, "placed on no GPU")


def test_servers_that_share_a_gpu_are_summed_on_it_and_have_its_price_divided() -> None:
    shown = one_gpu(30, [placed(0), placed(0, address="b:1")])
    (row,) = shown.gpus
    assert (row.serves, value(row.tok_s)) == ("Qwen3-32B + Qwen3-32B", 2400.0)
    assert value(row.usd_per_m_output) == pytest.approx(2.35 / (2400 * 0.0036))
    for server in shown.servers:
        assert value(server.usd_per_m_output) == pytest.approx(value(row.usd_per_m_output))  # as many tokens each
        assert server.usd_per_m_output.marks == row.usd_per_m_output.marks == ("allocated",)
        assert server.tok_per_j.why == "shares its GPUs: tokens per watt are told per GPU only"


def test_an_engine_that_counts_at_the_end_is_read_over_the_long_window_and_marked() -> None:
    box = Box()
    for second in range(200):
        answered = flow(output_tokens=second // 100 * 6000, prompt_tokens=0, progress=second)
        box.turn(second, [gpu(second)], [page(second, answered, facts=placed(0), moves=Moves.AT_END)])
    (server,) = box.snapshot(PRICE).servers
    totals = box.snapshot(PRICE).totals
    assert value(server.tok_s) == pytest.approx(6000 / 199)
    assert value(totals.tok_per_j) == pytest.approx(6000 / 199 / 300)
    assert server.tok_s.marks == totals.tok_per_j.marks == ("long",)  # not "few": all its tokens count


# --- what a server is -------------------------------------------------------------------------------------------------


def test_a_row_says_what_its_server_is_and_what_is_counted_there() -> None:
    box = Box(settings=SettingsBody(slo_ttft_s=2.0, slo_target=0.95))
    router = server_facts("r:1", pid=7, pids=(7,), deployment="chat")
    for second in range(30):
        routed = flow(output_tokens=second * 1200, prompt_tokens=0)
        box.turn(
            second,
            [gpu(second)],
            [work(second, placed(0, role="decode")), page(second, routed, facts=router, layer=Layer.ROUTER)],
        )
    engine, front = box.snapshot(PRICE).servers
    assert (engine.layer, engine.role, engine.deployment, engine.counts) == (
        "engine",
        "decode",
        "",
        "tokens counted here",
    )
    assert (front.layer, front.deployment, front.counts) == ("router", "chat", "shown, counted at its engines")
    assert (value(engine.tok_per_j), front.tok_per_j.why) == (4.0, "placed on no GPU")
    assert (engine.slo, engine.slo_target) == ("TTFT ≤ 2 s", 0.95)
