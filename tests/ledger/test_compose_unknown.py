"""What a Snapshot does not know, it says so and why: never a zero, never a ratio that flatters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.readings import GpuReading, Reason
from tests.ledger.box import OUT_S, PRICE, TWO_GPUS, Box, one_gpu, placed, serve, value, work
from tests.ledger.readings import flow, free_gpu, gpu, gpu_facts, lost_gpu, no_page, page
from tokwatch.ledger.snapshot import Figure, Interval


def test_without_a_price_money_is_unknown_and_says_so() -> None:
    shown = serve(Box(), range(30), free=1).snapshot()
    totals, row = shown.totals, shown.gpus[2]
    for figure in (
        *(totals.usd_per_hour, totals.usd_per_m_output, totals.usd_per_m_all, totals.usd_per_m_output_busy),
        *(totals.idle_usd_per_hour, totals.idle_usd_today, totals.idle_share_of_cost),
        *(row.usd_per_hour, row.idle_usd_today, shown.strip[2].idle_usd, shown.servers[0].usd_per_m_output),
    ):
        assert (figure.value, figure.why) == (None, "no price set")
    assert shown.price == ""


def test_below_ten_seconds_ratios_are_warming_up_and_rates_are_there() -> None:
    shown = serve(Box(), range(10)).snapshot(PRICE)
    assert not shown.warm
    assert value(shown.totals.tok_s) == 1200
    assert shown.totals.tok_s.coverage == pytest.approx(9 / 60)
    assert shown.totals.tok_per_j == Figure(None, "warming up")
    assert shown.totals.usd_per_m_output == Figure(None, "warming up")
    assert value(serve(Box(), range(11)).snapshot(PRICE).totals.tok_per_j) == 2.0


def test_on_the_first_tick_everything_is_warming_up() -> None:
    shown = serve(Box(), range(1)).snapshot(PRICE)
    assert shown.totals.tok_s == Figure(None, "warming up")
    assert shown.self_cost.cpu_share == Figure(None, "warming up")
    assert shown.totals.power_w == Figure(600.0)


def test_no_tokens_at_cost_is_infinite() -> None:
    shown = one_gpu(30, [placed(0)], out_s=0)
    assert shown.totals.usd_per_m_output == Figure(None, "no tokens", infinite=True)
    assert shown.gpus[0].usd_per_m_output == Figure(None, "no tokens", infinite=True)
    assert shown.gpus[0].tok_per_j == Figure(None, "no tokens")


@pytest.mark.parametrize(("out_s", "marks"), [(1, ("few",)), (2, ())])
def test_below_a_hundred_tokens_a_ratio_is_marked(out_s: int, marks: tuple[str, ...]) -> None:
    shown = one_gpu(90, [placed(0)], out_s)
    for figure in (shown.totals.tok_per_j, shown.totals.usd_per_m_output, shown.gpus[0].tok_per_j):
        assert figure.marks == marks


def test_one_gpu_of_unknown_power_makes_the_fleets_efficiency_unknown_and_not_too_high() -> None:
    box = serve(Box(), range(30))
    for second in range(30, 120):
        box.turn(second, [gpu(second), lost_gpu(second, 1)], [work(second)])
    shown = box.snapshot(PRICE)
    assert shown.totals.tok_per_j == Figure(None, "lost")
    assert shown.totals.power_w == Figure(300.0, marks=("part",))
    assert (shown.gpus[1].state, shown.gpus[1].power_w) == ("lost", Figure(None, "lost"))
    assert value(shown.gpus[0].tok_per_j) == 2.0  # the others are not hidden
    assert shown.totals.tok_per_j_spark[-1] is None


def test_a_gpu_that_refuses_its_handle_has_a_row_and_is_no_free_power() -> None:
    box = Box()
    refused = GpuReading(gpu_facts(1, uuid=None, name=None), 0, problem=Reason.NO_PERMISSION)
    for second in range(30):
        at_ns = gpu(second).at_ns
        box.turn(second, [gpu(second), replace(refused, at_ns=at_ns)], [work(second, placed(0))])
    shown = box.snapshot(PRICE)
    assert [(row.index, row.uuid, row.state) for row in shown.gpus] == [
        (0, "GPU-00000000-aaaa", "serving"),
        (1, None, "unknown"),
    ]
    assert shown.totals.tok_per_j == Figure(None, "no permission")


def test_counters_that_are_not_on_the_page_are_unknown_and_not_zero() -> None:
    box = Box()
    for second in range(30):
        reading = flow(output_tokens=second * OUT_S, prompt_tokens=None)
        box.turn(second, [gpu(second)], [page(second, reading, facts=placed(0))])
    shown = box.snapshot(PRICE)
    (server,) = shown.servers
    for figure in (server.prompt_tok_s, server.cached_tok_s, server.requests_s):
        assert figure == Figure(None, "not on page")
    assert shown.totals.tok_s_all == Figure(1200.0, coverage=29 / 60, marks=("part",))


def test_a_server_that_cannot_be_read_says_why() -> None:
    box = serve(Box(), range(30))
    for second in range(30, 120):
        box.turn(second, [gpu(second), gpu(second, 1)], [no_page(second, facts=TWO_GPUS)])
    shown = box.snapshot(PRICE)
    (server,) = shown.servers
    assert (server.up, server.problem) == (False, "connection refused")
    assert server.tok_s == shown.totals.tok_s == Figure(None, "connection refused")
    assert {row.state for row in shown.gpus} == {"blind"}
    assert (shown.totals.gpus_idle, value(shown.totals.idle_usd_today)) == (0, 0.0)


def test_a_box_without_gpus_and_servers_has_reasons_for_everything() -> None:
    box = Box()
    box.turn(0)
    totals = box.snapshot(PRICE).totals
    assert (totals.power_w, totals.usd_per_hour) == (Figure(None, "no GPU"), Figure(None, "no GPU"))
    assert (totals.tok_s, totals.requests_s) == (Figure(None, "no server"), Figure(None, "no server"))


def test_no_unknown_figure_is_without_a_reason() -> None:
    boxes = [Box(), serve(Box(), range(1), free=1), serve(Box(), range(30)), serve(Box(), range(400), free=1)]
    boxes[0].turn(0, [lost_gpu(0), free_gpu(0)], [no_page(0, facts=placed(0))])
    for shown in (box.snapshot(price) for box in boxes for price in (None, PRICE)):
        for row in (shown.totals, shown.self_cost, *shown.gpus, *shown.servers, *shown.strip, *shown.alerts):
            for name in row.__struct_fields__:
                figure = getattr(row, name)
                if isinstance(figure, Figure) and figure.value is None:
                    assert figure.why, (type(row).__name__, name)
                if isinstance(figure, Interval) and figure.low is None:
                    assert figure.why, (type(row).__name__, name)
