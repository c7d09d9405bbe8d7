"""The Snapshot of a small box, by hand: two H100 serve one model at 1200 output tokens/s; figures that close or say why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from collectors.readings import GpuReading, Moves, Reason, ServerFacts, ServerReading
from tests.ledger.box import Box, placed, priced
from tests.ledger.readings import NOON_MS, flow, gpu, gpu_facts, lost_gpu, no_page, page, ttft
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.prices import PriceBook
from tokwatch.ledger.snapshot import Figure, GpuRow, Interval, ServerRow, Snapshot

PRICE = 2.35
OUT_S, PROMPT_S = 1200, 3000
TWO_GPUS = placed(0, 1, tensor_parallel=2)


def free_gpu(second: float, index: int = 2) -> GpuReading:
    """A GPU without processes that draws 60 W."""
    energy_mj = 5_000_000 + round(second * 60_000)
    return gpu(second, index, power_w=60.0, energy_mj=energy_mj, utilization=0.0, memory_used_bytes=0, processes=())


def work(second: int, facts: ServerFacts = TWO_GPUS, out_s: int = OUT_S, **changes: object) -> ServerReading:
    """A page of a server that makes tokens at a steady pace."""
    reading = flow(output_tokens=second * out_s, prompt_tokens=second * PROMPT_S, cached_tokens=second * 1000)
    return page(second, reading, facts=facts, **changes)  # type: ignore[arg-type]


def serve(box: Box, seconds: range, *, free: int = 0) -> Box:
    """GPUs 0 and 1 serve; `free` more do nothing."""
    for second in seconds:
        gpus = [gpu(second), gpu(second, 1), *(free_gpu(second, 2 + n) for n in range(free))]
        box.turn(second, gpus, [work(second)])
    return box


def value(figure: Figure) -> float:
    assert figure.value is not None, figure.why
    return figure.value


def one_gpu(seconds: int, servers: Sequence[ServerFacts], out_s: int = OUT_S) -> Snapshot:
    box = Box()
    for second in range(seconds):
        box.turn(second, [gpu(second)], [work(second, facts, out_s) for facts in servers])
    return box.snapshot(PRICE)


@pytest.fixture(scope="module")
def serving() -> Snapshot:
    return serve(Box(), range(90)).snapshot(PRICE)


@pytest.fixture(scope="module")
def half_idle() -> Snapshot:
    """Two GPUs serve, two were free for 1000 seconds."""
    return serve(Box(), range(1001), free=2).snapshot(PRICE)


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_tokens_a_second_and_per_watt(serving: Snapshot) -> None:
    totals = serving.totals
    assert (totals.tok_s, totals.tok_s_all) == (Figure(1200.0), Figure(4200.0))
    assert (totals.power_w, totals.tok_per_j) == (Figure(600.0), Figure(2.0))
    (server,) = serving.servers
    assert (server.tok_s, server.prompt_tok_s, server.cached_tok_s) == (Figure(1200.0), Figure(3000.0), Figure(1000.0))


def test_dollars_per_million(serving: Snapshot) -> None:
    totals = serving.totals
    assert value(totals.usd_per_hour) == pytest.approx(4.70)
    assert value(totals.usd_per_m_output) == pytest.approx(4.70 / (1200 * 0.0036))
    assert value(totals.usd_per_m_all) == pytest.approx(4.70 / (4200 * 0.0036))
    assert value(totals.usd_per_m_output_busy) == value(totals.usd_per_m_output)
    assert value(serving.servers[0].usd_per_m_output) == pytest.approx(1.08796, abs=1e-5)


def test_each_gpu_of_a_server_has_an_equal_part_of_it(serving: Snapshot) -> None:
    for row in serving.gpus:
        assert (row.serves, row.state, row.tok_s, row.tok_per_j) == ("Qwen3-32B tp2", "serving", Figure(600.0), Figure(2.0))
        assert value(row.usd_per_m_output) == pytest.approx(1.08796, abs=1e-5)
        assert [rate for rate in row.spark if rate is not None] == pytest.approx([600.0] * 9)


def test_idle_gpus_are_in_the_all_in_price_and_not_in_the_busy_one(half_idle: Snapshot) -> None:
    totals = half_idle.totals
    assert (totals.gpus, totals.gpus_idle, totals.idle_since_ms) == (4, 2, NOON_MS)
    assert value(totals.usd_per_m_output) == pytest.approx(2 * 1.08796, abs=1e-5)
    assert value(totals.usd_per_m_output_busy) == pytest.approx(1.08796, abs=1e-5)
    assert (totals.idle_usd_per_hour, totals.idle_share_of_cost) == (Figure(4.70), Figure(0.5))
    assert value(totals.tok_per_j) == pytest.approx(1200 / 720)


def test_idle_dollars_close(half_idle: Snapshot) -> None:
    rows = [value(row.idle_usd_today) for row in half_idle.gpus]
    assert rows == pytest.approx([0, 0, 2.35 * 1000 / 3600, 2.35 * 1000 / 3600])
    assert sum(rows) == pytest.approx(value(half_idle.totals.idle_usd_today))
    assert [value(strip.idle_usd) for strip in half_idle.strip] == pytest.approx(rows)


def test_what_an_alert_has_cost_and_will(half_idle: Snapshot) -> None:
    (alert,) = half_idle.alerts
    assert (alert.state, alert.status, alert.severity, alert.gpus) == ("unallocated", "firing", "info", (2, 3))
    assert value(alert.usd_so_far) == pytest.approx(2 * 2.35 * 1000 / 3600)
    assert value(alert.usd_per_day) == pytest.approx(2 * 2.35 * 24)


def test_a_gpu_that_is_not_idle_for_long_yet_costs_but_is_not_counted_as_idle() -> None:
    totals = serve(Box(), range(100), free=1).snapshot(PRICE).totals
    assert (totals.gpus_idle, totals.idle_usd_per_hour) == (0, Figure(0.0))
    assert value(totals.idle_usd_today) == pytest.approx(2.35 * 99 / 3600)


def test_the_strip_shows_each_state_once(half_idle: Snapshot) -> None:
    spans = [[(span.from_ms, span.to_ms, span.state) for span in strip.spans] for strip in half_idle.strip]
    end_ms = NOON_MS + 1_000_000
    assert spans[0] == [(NOON_MS, end_ms, "serving")]
    assert spans[2] == [(NOON_MS, end_ms, "unallocated")]


def test_a_price_that_changes_is_applied_to_its_own_time() -> None:
    box = serve(Box(), range(201), free=1)
    book = PriceBook((priced(1.0), priced(3.0, NOON_MS + 100_000, 2)))
    shown = snapshot(box.view(book), mode="live")
    assert value(shown.totals.idle_usd_today) == pytest.approx(1.0 * 100 / 3600 + 3.0 * 100 / 3600)
    assert shown.price == "3 USD/GPU-h, config, since 12:01"


def test_time_before_the_first_price_is_told_as_a_part() -> None:
    box = serve(Box(), range(201), free=1)
    shown = snapshot(box.view(PriceBook((priced(3.0, NOON_MS + 150_000),))), mode="live")
    idle = shown.gpus[2].idle_usd_today
    assert (value(idle), idle.coverage, idle.marks) == (pytest.approx(3.0 * 50 / 3600), 0.25, ("part",))


def test_head_line(serving: Snapshot) -> None:
    assert (serving.hardware, serving.engines, serving.host) == ("2× H100 80GB HBM3", (("vllm", 1),), "box")
    assert (serving.recorded_s, serving.warm, serving.price) == (89.0, True, "2.35 USD/GPU-h, config, since 01 Jan 1970")
    assert serving.self_cost.cpu_share == Figure(pytest.approx(0.02))
    assert serving.self_cost.scraped_bytes_s == Figure(28_000.0)


# --- what is unknown --------------------------------------------------------------------------------------------------


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


def test_no_unknown_figure_is_without_a_reason(half_idle: Snapshot) -> None:
    boxes = [Box(), serve(Box(), range(1), free=1), serve(Box(), range(30))]
    boxes[0].turn(0, [lost_gpu(0), free_gpu(0)], [no_page(0, facts=placed(0))])
    for shown in (half_idle, *(box.snapshot(price) for box in boxes for price in (None, PRICE))):
        for row in (shown.totals, shown.self_cost, *shown.gpus, *shown.servers, *shown.strip, *shown.alerts):
            for name in row.__struct_fields__:
                figure = getattr(row, name)
                if isinstance(figure, Figure) and figure.value is None:
                    assert figure.why, (type(row).__name__, name)
                if isinstance(figure, Interval) and figure.low is None:
                    assert figure.why, (type(row).__name__, name)


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


def test_servers_that_share_a_gpu_are_summed_on_it_and_not_priced_alone() -> None:
    shown = one_gpu(30, [placed(0), placed(0, address="b:1")])
    (row,) = shown.gpus
    assert (row.serves, value(row.tok_s)) == ("Qwen3-32B + Qwen3-32B", 2400.0)
    assert value(row.usd_per_m_output) == pytest.approx(2.35 / (2400 * 0.0036))
    assert {server.usd_per_m_output.value for server in shown.servers} == {None}


def test_an_engine_that_counts_at_the_end_is_read_over_the_long_window_and_marked() -> None:
    box = Box()
    for second in range(200):
        answered = flow(output_tokens=second // 100 * 6000, prompt_tokens=0, progress=second)
        box.turn(second, [gpu(second)], [page(second, answered, facts=placed(0), moves=Moves.AT_END)])
    (server,) = box.snapshot(PRICE).servers
    totals = box.snapshot(PRICE).totals
    assert (value(server.tok_s), server.tok_s.marks) == (pytest.approx(6000 / 199), ("long",))
    assert value(totals.tok_per_j) == pytest.approx(6000 / 199 / 300)
    assert totals.tok_per_j.marks == ("long",)  # and not "few": the tokens of the long window count


# --- service levels ---------------------------------------------------------------------------------------------------


def latencies(settings: SettingsBody, seconds: int = 60) -> Snapshot:
    """Each second ten requests: eight up to 0.1 s, one up to 0.5 s and one beyond a second to their first token."""
    box = Box(settings=settings)
    for second in range(seconds):
        observed = ttft(8 * second, second, 0, second)
        reading = flow(output_tokens=100 * second, finished=10 * second, aborted=0, histograms=(("ttft", observed),))
        box.turn(second, [gpu(second)], [page(second, reading, facts=placed(0))])
    return box.snapshot(PRICE)


def test_a_limit_on_an_edge_is_met_exactly_and_within_a_bucket_between_bounds() -> None:
    assert latencies(SettingsBody(slo_ttft_s=0.5)).totals.slo_met == Interval(0.9, 0.9)
    within = latencies(SettingsBody(slo_ttft_s=0.3)).totals
    assert (within.slo_met, within.goodput_req_s) == (Interval(0.8, 0.9), Interval(8.0, 9.0))


def test_the_95th_percentile_is_the_bucket_it_falls_in() -> None:
    shown = latencies(SettingsBody())
    assert shown.totals.ttft_p95_s == shown.servers[0].ttft_p95_s == Interval(1.0, None)
    assert shown.servers[0].tpot_p95_s == Interval(None, None, "no request finished")
    assert shown.totals.slo_met == Interval(None, None, "no SLO set")


def test_a_share_of_few_requests_says_so() -> None:
    assert latencies(SettingsBody(slo_ttft_s=0.5), seconds=3).totals.slo_met.why == "few requests"


# --- everything is typed and complete ---------------------------------------------------------------------------------


def test_every_gpu_and_server_has_one_row(half_idle: Snapshot) -> None:
    assert [row.index for row in half_idle.gpus] == [strip.index for strip in half_idle.strip] == [0, 1, 2, 3]
    assert all(isinstance(row, GpuRow) for row in half_idle.gpus)
    assert [row.address for row in half_idle.servers] == ["127.0.0.1:8000"]
    assert all(isinstance(row, ServerRow) for row in half_idle.servers)
    assert half_idle.servers[0].gpus == (0, 1)
