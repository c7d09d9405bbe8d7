"""model_hour: what a model cost, and nothing of a GPU's hour lost or counted twice."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from tests.exports.box import (
    DECODE,
    DECODE_FLOW,
    FACTS,
    GPU_0,
    GPU_1,
    GROUP,
    LLAMA,
    LLAMA_FLOW,
    NOON_MS,
    PAIR,
    PAIR_AND_QWEN,
    PREFILL,
    PREFILL_FLOW,
    QWEN_FLOW,
    TENANT_FLOW,
    background,
    flow_quarter,
    gpu_quarter,
    price,
    server_facts,
)
from tokwatch.exports.background import Background
from tokwatch.exports.model_hour import ModelPeriod
from tokwatch.exports.model_hours import model_hours
from tokwatch.ledger.entries import HistogramEntry, State
from tokwatch.store.quarter_rows import FlowQuarter, GpuQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

PRICED = background(price(2.35))
MINUTE_MS = 60_000


def hours(
    gpus: Sequence[GpuQuarter], flows: Sequence[FlowQuarter] = (), background: Background = PRICED
) -> dict[str, ModelPeriod]:
    """By model; one hour."""
    rows = model_hours(Quarters(list(gpus), list(flows)), background)
    named = {row.model: row for row in rows}
    assert len(named) == len(rows)
    return named


def test_a_model_alone_on_two_gpus_for_an_hour() -> None:
    gpus = [gpu_quarter(number, gpu) for number in range(4) for gpu in (GPU_0, GPU_1)]
    rows = hours(gpus, [flow_quarter(number) for number in range(4)])
    [(model, row)] = rows.items()
    assert (row.deployment, row.engine, model, row.tenant) == ("127.0.0.1:8000", "vllm", "qwen", "(untagged)")
    assert (row.tier, row.tier_source) == ("standard", "assumed")
    assert (row.gpu_count, row.gpu_hours, row.coverage, row.allocation) == (2, 2, 1, "direct")
    assert (row.tokens_in_uncached, row.tokens_in_cached, row.tokens_out) == (2_400_000, 1_600_000, 2_000_000)
    counts = (row.requests_completed, row.requests_failed, row.requests_aborted, row.preemptions)
    assert counts == (3600, 4, 8, 12)
    assert row.energy_board_j == 4_320_000
    assert row.j_per_tok_out == 2.16
    assert (row.tok_s_gpu_out, row.tok_s_gpu_total) == pytest.approx((2e6 / 7200, 6e6 / 7200))
    assert (row.cost_total_usd, row.cost_busy_usd, row.cost_idle_usd) == pytest.approx((4.70, 4.70, 0))
    assert row.usd_per_m_output == pytest.approx(4.70 / 2)
    assert row.usd_per_m_blended == pytest.approx(4.70 / 6)


def test_parked_time_is_the_models_and_free_held_or_lost_time_is_nobodys() -> None:
    states = {State.PARKED: 9 * MINUTE_MS, State.HELD: 3 * MINUTE_MS, State.LOST: 2 * MINUTE_MS}
    rows = hours([gpu_quarter(states={**states, State.UNALLOCATED: MINUTE_MS})], [flow_quarter(output=0)])
    assert rows["qwen"].cost_idle_usd == rows["qwen"].cost_total_usd == pytest.approx(2.35 * 9 / 60)
    assert rows["(unassigned)"].cost_idle_usd == pytest.approx(2.35 * 4 / 60)
    assert rows["(unassigned)"].cost_total_usd == pytest.approx(2.35 * 6 / 60)
    assert rows["qwen"].energy_board_j == 540_000 * 9 / 15
    assert rows["(unassigned)"].energy_board_j == 540_000 * 6 / 15
    assert list(rows) == ["qwen", "(unassigned)"]


def test_a_gpu_without_an_owner_is_unassigned() -> None:
    rows = hours([gpu_quarter(owner=0, states={State.OTHER_WORK: QUARTER_MS})])
    row = rows["(unassigned)"]
    assert (row.deployment, row.engine, row.tenant, row.allocation, row.coverage) == (None, None, None, None, None)
    assert (row.tokens_out, row.gpu_count, row.cost_busy_usd) == pytest.approx((None, 1, 2.35 / 4))


def test_two_servers_on_one_gpu_share_it_by_their_tokens_of_the_quarter() -> None:
    flows = [
        flow_quarter(0, QWEN_FLOW, prompt=200, output=100),
        flow_quarter(0, LLAMA_FLOW, prompt=600, output=300),
        flow_quarter(1, QWEN_FLOW, prompt=50, output=0),
        flow_quarter(1, LLAMA_FLOW, prompt=0, output=0),
    ]
    rows = hours([gpu_quarter(0, owner=GROUP), gpu_quarter(1, owner=GROUP)], flows)
    assert rows["qwen"].energy_board_j == 135_000 + 540_000
    assert rows["llama"].energy_board_j == 405_000
    assert rows["qwen"].gpu_hours == pytest.approx(0.25 / 4 + 0.25)
    assert rows["llama"].cost_total_usd == pytest.approx(2.35 / 4 * 3 / 4)
    assert rows["qwen"].allocation == rows["llama"].allocation == "tokens"


def test_tenants_of_one_server_share_its_gpus_by_their_tokens() -> None:
    flows = [flow_quarter(flow=QWEN_FLOW, prompt=0, output=100), flow_quarter(flow=TENANT_FLOW, prompt=0, output=300)]
    rows = model_hours(Quarters([gpu_quarter()], flows), PRICED)
    assert [(row.tenant, row.allocation, row.energy_board_j) for row in rows] == [
        ("(untagged)", "tokens", 135_000),
        ("team-a", "tokens", 405_000),
    ]


def pair_quarters(number: int = 0) -> list[FlowQuarter]:
    """Each half as the roll-up leaves it: what is counted at the other is not known here."""
    return [
        flow_quarter(number, PREFILL_FLOW, prompt=900_000, cached=300_000, output=None),
        flow_quarter(number, DECODE_FLOW, prompt=None, cached=None, output=100_000),
    ]


def test_trap_28_prefill_and_decode_are_one_row_over_all_their_gpus() -> None:
    rows = hours([gpu_quarter(0, GPU_0, PAIR), gpu_quarter(0, GPU_1, PAIR)], pair_quarters())
    row = rows["deepseek"]
    assert (row.deployment, row.engine, row.gpu_count) == ("127.0.0.1:8002+127.0.0.1:8003", "vllm", 2)
    assert (row.tokens_in_uncached, row.tokens_in_cached, row.tokens_out) == (600_000, 300_000, 100_000)
    assert (row.energy_board_j, row.j_per_tok_out, row.allocation) == (1_080_000, 10.8, "direct")
    assert row.usd_per_m_output == pytest.approx(2 * 2.35 / 4 / 0.1)


def test_a_deployment_that_shares_a_gpu_gets_its_part_by_the_tokens_of_both_halves() -> None:
    flows = [*pair_quarters(), flow_quarter(prompt=0, cached=0, output=3_000_000)]
    rows = hours([gpu_quarter(0, GPU_0, PAIR), gpu_quarter(0, GPU_1, PAIR_AND_QWEN)], flows)
    assert rows["deepseek"].energy_board_j == 540_000 + 540_000 / 4
    assert rows["qwen"].energy_board_j == 540_000 * 3 / 4
    assert rows["deepseek"].allocation == rows["qwen"].allocation == "tokens"


def test_halves_that_find_each_other_within_the_hour_are_one_row_of_it() -> None:
    gpus = [gpu_quarter(0, GPU_0, PREFILL), gpu_quarter(0, GPU_1, DECODE), gpu_quarter(1, GPU_0, PAIR)]
    [(model, row)] = hours(gpus, [*pair_quarters(0), *pair_quarters(1)]).items()
    assert (model, row.energy_board_j, row.tokens_out) == ("deepseek", 3 * 540_000, 200_000)


def test_a_deployment_bears_the_name_that_its_servers_were_given() -> None:
    named = [
        server_facts(server, f"127.0.0.1:800{n}", "vllm", "deepseek", deployment="prod")
        for server, n in ((PREFILL, 2), (DECODE, 3))
    ]
    known = background(price(2.35), facts=(*FACTS[:4], *named))
    assert hours([gpu_quarter(owner=PAIR)], pair_quarters(), known)["deepseek"].deployment == "prod"


def test_tokens_that_are_counted_elsewhere_make_no_row() -> None:
    nothing = flow_quarter(flow=LLAMA_FLOW, prompt=None, cached=None, output=None)
    counted_elsewhere = msgspec.structs.replace(nothing, finished=None, failed=None, aborted=None, preempted=None)
    assert list(hours([gpu_quarter()], [flow_quarter(), counted_elsewhere])) == ["qwen"]


def test_an_hour_with_a_first_reading_alone_has_no_row() -> None:
    nothing = flow_quarter(prompt=0, cached=0, output=0, finished=0)
    idle = msgspec.structs.replace(nothing, failed=0, aborted=0, preempted=0)
    assert hours([], [idle]).keys() == {"qwen"}
    assert hours([], [msgspec.structs.replace(idle, covered_ms=0)]) == {}


def test_a_shared_gpu_without_tokens_is_nobodys_share() -> None:
    rows = hours(
        [gpu_quarter(owner=GROUP)],
        [flow_quarter(prompt=0, output=0), flow_quarter(flow=LLAMA_FLOW, output=9, number=1)],
    )
    row = rows["(shared, idle)"]
    assert (row.deployment, row.engine) == ("127.0.0.1:8000+127.0.0.1:8001", "sglang+vllm")
    assert (row.allocation, row.cost_total_usd) == pytest.approx((None, 2.35 / 4))
    assert rows["qwen"].cost_total_usd is None


def test_a_model_keeps_its_gpu_without_tokens() -> None:
    rows = hours([gpu_quarter()], [flow_quarter(prompt=0, cached=0, output=0)])
    assert (rows["qwen"].cost_total_usd, rows["qwen"].allocation) == pytest.approx((2.35 / 4, "direct"))
    assert (rows["qwen"].usd_per_m_output, rows["qwen"].j_per_tok_out) == (None, None)


def test_a_server_that_counts_nothing_still_has_its_gpus() -> None:
    rows = hours([gpu_quarter(owner=LLAMA, states={State.LOADING: QUARTER_MS})])
    assert (rows["llama"].deployment, rows["llama"].tokens_out) == ("127.0.0.1:8001", None)
    assert (rows["llama"].cost_total_usd, rows["llama"].allocation) == pytest.approx((2.35 / 4, "direct"))


def test_a_server_on_no_gpu_has_tokens_and_no_cost() -> None:
    row = hours([], [flow_quarter()])["qwen"]
    assert (row.tokens_out, row.cost_total_usd, row.energy_board_j) == (500_000, None, None)
    assert (row.gpu_count, row.gpu_hours, row.allocation, row.currency) == (None, None, None, None)


def test_a_server_of_another_user_is_not_in_the_money() -> None:
    facts = (*FACTS[:3], server_facts(LLAMA, "127.0.0.1:8001", "sglang", "llama", verified=False))
    rows = hours([gpu_quarter(owner=0)], [flow_quarter(flow=LLAMA_FLOW)], background(price(2.35), facts=facts))
    assert (rows["llama"].allocation, rows["llama"].cost_total_usd) == ("unverified", None)
    assert rows["(unassigned)"].cost_total_usd == pytest.approx(2.35 / 4)


def test_unknown_cached_tokens_leave_the_prompt_whole() -> None:
    row = hours([], [flow_quarter(cached=None)])["qwen"]
    assert (row.tokens_in_uncached, row.tokens_in_cached) == (1_000_000, None)


def test_unknown_prompt_tokens_leave_no_blended_price() -> None:
    row = hours([gpu_quarter()], [flow_quarter(prompt=None, cached=None)])["qwen"]
    assert (row.tokens_in_uncached, row.usd_per_m_blended, row.tok_s_gpu_total) == (None, None, None)
    assert row.usd_per_m_output == pytest.approx(2.35 / 4 / 0.5)


def test_an_hour_that_has_a_price_for_a_part_only_has_no_price_per_token() -> None:
    late = background(price(2.40, NOON_MS + QUARTER_MS))
    row = hours([gpu_quarter(0), gpu_quarter(1)], [flow_quarter(0), flow_quarter(1)], late)["qwen"]
    assert (row.cost_total_usd, row.unpriced_s) == pytest.approx((0.60, 900))
    assert (row.usd_per_m_output, row.usd_per_m_blended) == (None, None)


def test_latencies_are_the_upper_edge_of_their_bucket() -> None:
    first = HistogramEntry("ttft", (0.1, 0.5, 1.0), (60, 30, 0, 0), 1)
    second = HistogramEntry("ttft", (0.1, 0.5, 1.0), (0, 8, 0, 2), 1)
    row = hours([], [flow_quarter(0, histograms=(first,)), flow_quarter(1, histograms=(second,))])["qwen"]
    assert (row.ttft_p50_s, row.ttft_p99_s) == (0.1, None)  # p99 lies beyond the last edge
    assert row.tpot_p50_s is None


def test_buckets_that_changed_within_the_hour_are_not_added() -> None:
    one = HistogramEntry("tpot", (0.1,), (5, 0), 1)
    other = HistogramEntry("tpot", (0.2,), (5, 0), 1)
    assert hours([], [flow_quarter(histograms=(one, other))])["qwen"].tpot_p50_s is None
