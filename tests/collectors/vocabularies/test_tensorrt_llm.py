"""What tokwatch reads from trtllm-serve's pages: of the 1.3 era, and of 1.1, which counted no tokens."""

from __future__ import annotations

from collectors.readings import Moves
from tests.collectors.vocabularies.two_readings import engine_page, increments, lost, observed, only_flow, read


def test_every_counter_moves_by_what_was_served() -> None:
    # A request of 5000 + 900 tokens ended and one was cancelled after 7; two answers were HTTP 500 and three 400.
    assert increments("tensorrt-llm-1.3-2", "tensorrt-llm-1.3-3") == {
        "prompt_tokens": 5050,
        "cached_tokens": 4096,
        "output_tokens": 907,
        "finished": 1,
        "progress": 15,
        "drafted_tokens": 90,
        "accepted_tokens": 40,
    }
    flow = only_flow("tensorrt-llm-1.3-3")
    assert (flow.failed, flow.aborted) == (2, 1)


def test_every_histogram_moves_by_what_was_observed() -> None:
    assert observed("tensorrt-llm-1.3-2", "tensorrt-llm-1.3-3") == {
        "ttft": (2, 0.6),
        "tpot": (2, 0.033),
        "e2e": (2, 13.007),
        "queue": (2, 0.6),
    }


def test_gauges() -> None:
    got = read("tensorrt-llm-1.3-2")
    assert (got.server.engine, got.running, got.waiting, got.kv_usage) == ("tensorrt-llm", 9, 3, 0.71)


def test_trap_01_tokens_stand_still_while_it_generates_and_its_blocks_do_not() -> None:
    got = increments("tensorrt-llm-1.3-1", "tensorrt-llm-1.3-2")
    assert read("tensorrt-llm-1.3-1").moves is Moves.AT_END
    assert (got["output_tokens"], got["progress"]) == (0, 40)


def test_trap_07_its_time_per_output_token_is_the_mean_of_a_request() -> None:
    histograms = dict(only_flow("tensorrt-llm-1.3-3").histograms)
    assert "itl" not in histograms
    assert histograms["tpot"].counts[-1] == histograms["e2e"].counts[-1] == 4


def test_trap_09_gauges_named_like_counters_and_twin_counters_of_cached_and_drafted_tokens_are_not_read() -> None:
    used = set(read("tensorrt-llm-1.3-3").used)
    assert not used & {
        "trtllm_total_context_tokens",
        "trtllm_prompt_cache_hit_tokens_total",
        "trtllm_spec_decode_drafted_tokens_total",
    }


def test_drafts_by_position_are_added_where_the_steps_are_not_sampled() -> None:
    page = b"\n".join(line for line in engine_page("tensorrt-llm-1.3-3").splitlines() if b"_num_" not in line) + b"\n"
    flow = only_flow(page)
    assert (flow.drafted_tokens, flow.accepted_tokens) == (540, 310)
    assert {"running", "waiting"} <= lost(page)


def test_trap_14_the_page_tells_how_many_gpus_and_how_they_are_used() -> None:
    got = read("tensorrt-llm-1.3-fresh")
    assert got.ok
    assert dict(got.facts) == {
        "GPUs": "8",
        "tensor parallel": "8",
        "pipeline parallel": "1",
        "context parallel": "1",
        "expert parallel": "8",
        "precision": "bfloat16",
        "quantisation": "NVFP4",
        "max length": "131072",
        "GPU": "NVIDIA B200",
        "speculation": "MTP",
        "draft tokens": "3",
        "KV cache precision": "fp8",
        "KV block size": "32",
        "prefix caching": "on",
    }


def test_trap_25_before_its_first_request_it_counts_nothing_and_not_zero() -> None:
    flow = only_flow("tensorrt-llm-1.3-fresh")
    assert (flow.output_tokens, flow.finished, flow.cached_tokens) == (None, None, 0)


def test_trap_11_the_release_1_1_is_known_by_a_set_of_names_without_a_prefix() -> None:
    got = read("tensorrt-llm-1.1-1")
    assert (got.ok, got.server.engine, got.moves) == (True, "tensorrt-llm", Moves.NONE)
    assert not read(b'request_success_total{model_name="m"} 1\n').ok


def test_the_release_1_1_has_requests_and_latencies_and_says_that_it_has_no_tokens() -> None:
    assert increments("tensorrt-llm-1.1-1", "tensorrt-llm-1.1-2") == {"finished": 2}
    assert only_flow("tensorrt-llm-1.1-2").aborted == 1
    assert observed("tensorrt-llm-1.1-1", "tensorrt-llm-1.1-2") == {
        "ttft": (2, 0.63),
        "tpot": (2, 0.032),
        "e2e": (3, 3.4),
        "queue": (3, 0.501),
    }
    assert lost("tensorrt-llm-1.1-2") >= {"output_tokens", "running", "progress"}
