"""What tokwatch reads from SGLang's pages: rendered by the collector classes of 0.5.23 and 0.4.6."""

from __future__ import annotations

import pytest

from collectors.readings import Moves
from tests.collectors.vocabularies.two_readings import engine_page, increments, lost, observed, only_flow, read


def without(page: bytes, *names: bytes) -> bytes:
    """The page of a release that does not have these series."""
    return b"\n".join(line for line in page.splitlines() if not any(name in line for name in names)) + b"\n"


def test_every_counter_moves_by_what_was_served() -> None:
    # Between the pages: prompts of 700 + 100 (cached) and 2000 + 64 tokens, 40 steps of 3 requests, one request ended.
    got = increments("sglang-0.5.23-1", "sglang-0.5.23-2")
    assert got == {
        "prompt_tokens": 2864 + 260,  # one of 260 was retracted and prefilled twice
        "cached_tokens": 164,
        "output_tokens": 120,
        "finished": 1,
        "progress": 120,
    }
    flow = only_flow("sglang-0.5.23-2")
    assert (flow.aborted, flow.preempted, flow.failed) == (2, 1, None)


def test_every_histogram_moves_by_what_was_observed() -> None:
    assert observed("sglang-0.5.23-1", "sglang-0.5.23-2") == {
        "ttft": (2, 3.4),
        "itl": (80, 2.1),
        "tpot": (1, 0.025),
        "e2e": (1, 2.4),
        "queue": (2, 2.0),
        "prompt_length": (1, 800),
    }


def test_gauges_and_facts() -> None:
    got = read("sglang-0.5.23-2")
    assert (got.server.engine, got.moves, got.running, got.waiting, got.kv_usage) == ("sglang", Moves.LIVE, 3, 4, 0.42)
    assert dict(got.facts) == {"KV block size": "64", "max length": "131072"}
    assert got.incarnation is None  # several processes write the page: only a falling counter tells a restart


def test_a_release_without_live_tokens_counts_at_end_and_proves_work_by_its_latencies() -> None:
    got = read("sglang-0.4.6-2")
    assert (got.moves, got.running, got.waiting, got.kv_usage) == (Moves.AT_END, 1, 3, 0.02)
    # One request of 55 tokens ended, and meanwhile 70 tokens and one first token came of others.
    assert increments("sglang-0.4.6-1", "sglang-0.4.6-2") == {
        "prompt_tokens": 100,
        "cached_tokens": 0,
        "output_tokens": 55,
        "finished": 1,
        "progress": 71,
    }
    assert observed("sglang-0.4.6-1", "sglang-0.4.6-2") == {"ttft": (1, 0.05), "itl": (70, 3.5), "e2e": (1, 3.0)}
    assert {"preempted", "aborted", "tpot", "prompt_length"} <= lost("sglang-0.4.6-2")


def test_a_retracted_request_is_prefilled_twice_and_the_effective_counter_tells_it_once() -> None:
    """It is read where the live one is absent; the live one's 260 tokens more were computed and are no new prompt."""
    pages = [engine_page(f"sglang-0.5.23-{number}") for number in (1, 2)]
    assert increments(*pages)["prompt_tokens"] == 2864 + 260
    assert increments(*(without(page, b"realtime_tokens") for page in pages))["prompt_tokens"] == 2864


def test_the_output_counter_that_is_read_decides_when_it_moves() -> None:
    old = without(engine_page("sglang-0.5.23-2"), b"realtime_tokens", b"prefill_effective")
    got = read(old)
    assert got.moves is Moves.AT_END
    (flow,) = got.flows
    assert (flow.prompt_tokens, flow.cached_tokens, flow.output_tokens, flow.progress) == (2500, 400, 123, 144)


def test_a_fresh_page_is_recognised_by_its_configuration() -> None:
    got = read(b'sglang:max_total_num_tokens{engine_type="unified",model_name="m",tp_rank="0"} 400000.0\n')
    assert (got.ok, got.server.engine, got.flows) == (True, "sglang", ())


@pytest.mark.parametrize(("engine_type", "role"), [("unified", ""), ("prefill", "prefill"), ("decode", "decode")])
def test_the_page_tells_its_side_of_a_disaggregated_pair(engine_type: str, role: str) -> None:
    page = engine_page("sglang-0.5.23-1").replace(b'"unified"', f'"{engine_type}"'.encode())
    assert only_flow(page).role == role


def test_requests_in_the_queues_of_a_disaggregated_pair_wait_too() -> None:
    page = engine_page("sglang-0.5.23-1")
    line = next(line for line in page.splitlines() if line.startswith(b"sglang:num_decode_transfer_queue_reqs{"))
    assert read(page.replace(line, line.replace(b" 0.0", b" 5.0"))).waiting == 6


def test_trap_03_the_throughput_gauge_is_not_used() -> None:
    used = read("sglang-0.5.23-2").used
    assert not {"sglang:gen_throughput", "sglang:cache_hit_rate"} & set(used)


def test_trap_07_latency_per_token_and_mean_latency_of_a_request_are_kept_apart() -> None:
    histograms = dict(only_flow("sglang-0.5.23-2").histograms)
    assert histograms["itl"].counts[-1] == 140
    assert histograms["tpot"].counts[-1] == 3


def test_trap_10_copies_of_tensor_parallel_ranks_are_counted_once_whatever_the_groups_first_rank() -> None:
    # Two data-parallel groups with ranks 0, 1 and 2, 3; each rank publishes what its group did.
    flow = only_flow("sglang-0.5.23-dp2-allranks-1")
    parts = {name: [value for _, value in told] for name, told in flow.parts}
    assert (parts["prompt_tokens"], parts["output_tokens"]) == ([1100, 2100], [30, 60])
    got = increments("sglang-0.5.23-dp2-allranks-1", "sglang-0.5.23-dp2-allranks-2")
    assert (got["prompt_tokens"], got["cached_tokens"], got["output_tokens"]) == (6400, 400, 180)
    assert observed("sglang-0.5.23-dp2-allranks-1", "sglang-0.5.23-dp2-allranks-2")["queue"] == (2, 0.02)


def test_trap_10_the_empty_priority_is_the_total_of_a_gauge_and_one_priority_of_a_counter() -> None:
    first, second = read("sglang-0.5.23-dp2-allranks-1"), read("sglang-0.5.23-dp2-allranks-2")
    assert (first.running, first.waiting, second.running, second.waiting) == (5, 1, 6, 5)
    got = increments("sglang-0.5.23-dp2-allranks-1", "sglang-0.5.23-dp2-allranks-2")
    assert got["finished"] == 3  # one each of priority 0, 10 and none


def test_trap_10_cached_tokens_without_a_source_are_added_to_those_with_one() -> None:
    page = without(engine_page("sglang-0.5.23-2"), b"realtime_tokens", b"prefill_effective")
    assert b'cache_source="total"' in page
    assert only_flow(page).cached_tokens == 300 + 100


def test_trap_15_there_is_no_process_start_and_no_created_series() -> None:
    assert b"process_start_time_seconds" not in engine_page("sglang-0.5.23-1")
    assert read("sglang-0.5.23-1").started_at_s is None


def test_trap_19_an_idle_server_still_says_running_while_its_progress_stands_still() -> None:
    idle = increments("sglang-0.5.23-2", "sglang-0.5.23-2")
    assert read("sglang-0.5.23-2").running == 3
    assert (idle["progress"], idle["output_tokens"]) == (0, 0)


def test_trap_25_a_counter_that_has_not_moved_is_absent_and_not_zero() -> None:
    assert only_flow("sglang-0.5.23-1").aborted is None
    assert "aborted" in lost("sglang-0.5.23-1")


def test_trap_28_a_prefill_node_has_no_first_token_latency() -> None:
    page = without(engine_page("sglang-0.5.23-1"), b"time_to_first_token", b"inter_token", b'mode="decode"')
    flow = only_flow(page.replace(b'"unified"', b'"prefill"'))
    assert (flow.role, flow.prompt_tokens, flow.progress) == ("prefill", 1700, None)
    assert "ttft" in lost(page)
