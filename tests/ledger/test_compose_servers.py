"""Whose tokens count in the figures, and over which window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.readings import Layer, Moves, ServerFacts
from tests.ledger.box import PRICE, Box, one_gpu, placed, value, work
from tests.ledger.readings import flow, gpu, no_page, page, server_facts
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.snapshot import Figure, Snapshot

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


def test_the_rows_and_what_is_on_no_gpu_add_up_to_the_total() -> None:
    box = Box()
    on_cpu = replace(placed(address="b:1", model="org/Small-1B", pid=7, pids=(7,)), gpus=None)
    for second in range(30):
        small = page(second, flow(model="org/Small-1B", output_tokens=second * 186), facts=on_cpu)
        box.turn(second, [gpu(second), gpu(second, 1)], [work(second), small])
    shown = box.snapshot(PRICE)
    totals = shown.totals
    assert (totals.unplaced, value(totals.unplaced_tok_s)) == (("Small-1B",), 186)
    assert sum(value(row.tok_s) for row in shown.gpus) + value(totals.unplaced_tok_s) == value(totals.tok_s)


def test_where_every_counted_server_is_on_a_gpu_nothing_is_left_over() -> None:
    totals = one_gpu(30, [placed(0)]).totals
    assert (totals.unplaced, totals.unplaced_tok_s) == ((), Figure(None, "every server is on a GPU"))


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


# --- servers that tell no tokens --------------------------------------------------------------------------------------


UNTOLD = flow(output_tokens=None, prompt_tokens=None)


def dynamo(*others: ServerFacts, frontend: bool = True) -> Snapshot:
    """Workers without token counters on GPU 0 and on none, behind the frontend that counts; `others` do not answer."""
    box = Box()
    workers = [placed(0, address="w:1"), replace(placed(address="w:2", pid=8, pids=(8,)), gpus=None)]
    front = server_facts("f:1", engine="dynamo", pid=7, pids=(7,))
    for second in range(30):
        pages = [page(second, UNTOLD, facts=facts, moves=Moves.NONE) for facts in workers]
        if frontend:
            pages.append(work(second, front, layer=Layer.ROUTER))
        box.turn(second, [gpu(second)], [*pages, *(no_page(second, facts=facts) for facts in others)])
    return box.snapshot(PRICE)


def test_workers_whose_frontend_counts_leave_nothing_out_of_the_total() -> None:
    shown = dynamo()
    (row,), totals = shown.gpus, shown.totals
    assert [server.counts for server in shown.servers if server.layer == "engine"] == ["counts no output tokens"] * 2
    assert (totals.tok_s, row.tok_s) == (Figure(1200.0, coverage=29 / 60),) * 2
    assert totals.tok_s_all.marks == totals.requests_s.marks == ()
    assert totals.unplaced == ()  # what the worker on no GPU makes is the frontend's, and that is on its workers' GPU


def test_a_server_that_cannot_be_read_is_left_out_of_the_total_and_that_is_marked() -> None:
    shown = dynamo(replace(placed(address="x:1", model="llama", pid=9, pids=(9,)), gpus=None))
    assert shown.totals.tok_s == Figure(1200.0, coverage=29 / 60, marks=("part",))


def test_workers_without_their_frontend_say_why_there_are_no_tokens() -> None:
    shown = dynamo(frontend=False)
    assert shown.totals.tok_s == shown.gpus[0].tok_s == Figure(None, "counts no tokens")


def test_a_router_that_counts_nothing_leaves_nothing_out_either() -> None:
    box = Box()
    for second in range(30):
        silent = page(second, UNTOLD, facts=server_facts("r:1", pid=7, pids=(7,)), layer=Layer.ROUTER)
        box.turn(second, [gpu(second)], [work(second, placed(0)), silent])
    assert box.snapshot(PRICE).totals.tok_s.marks == ()


# --- servers that ended -----------------------------------------------------------------------------------------------


def ended(seconds: int, *, known: bool) -> Snapshot:
    """A server that stopped answering so long ago, beside one that goes on."""
    box, gone = Box(), placed(1, address="b:1")
    for second in range(30 + seconds):
        pages = [work(second, placed(0))]
        if second < 29:
            pages.append(work(second, gone))
        elif known or second == 29:
            pages.append(no_page(second, facts=gone))
        box.turn(second, [gpu(second), gpu(second, 1)], pages)
    return box.snapshot(PRICE)


def test_a_server_that_ended_leaves_the_rows_the_engines_and_the_marks_after_half_a_minute() -> None:
    assert [row.up for row in ended(29, known=False).servers] == [True, False]
    shown = ended(31, known=False)
    assert [row.address for row in shown.servers] == ["127.0.0.1:8000"]
    assert shown.engines == (("vllm", 1),)
    assert shown.totals.tok_s == Figure(1200.0)


def test_a_server_that_is_known_and_fails_stays() -> None:
    shown = ended(200, known=True)
    assert shown.engines == (("vllm", 2),)
    assert shown.totals.tok_s.marks == ("part",)


def test_servers_that_are_read_once_a_minute_have_not_ended_in_between() -> None:
    box = Box(settings=SettingsBody(interval_s=60.0))
    for second in range(0, 361, 40):
        box.turn(second, [gpu(second)], [work(second, placed(0))] if second % 120 == 0 else [], known=[placed(0)])
        assert len(box.snapshot(PRICE).servers) == 1


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
