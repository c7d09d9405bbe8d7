"""What tokwatch reads from Triton's pages: with the TensorRT-LLM backend, with the vLLM backend, and with neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.readings import Moves
from collectors.vocabularies.triton import TRITON, TRITON_TENSORRT_LLM
from tests.collectors.vocabularies.two_readings import increments, lost, observed, only_flow, read

SUMMARY = Path(__file__).parents[2] / "pages" / "triton-nv-summary-docsample.prom"
BACKEND = ("triton-tensorrt-llm-1", "triton-tensorrt-llm-2")
VLLM = ("triton-vllm-1", "triton-vllm-2")


def test_the_tensorrt_llm_backend_counts_tokens_by_the_sums_of_its_lengths() -> None:
    assert increments(*BACKEND) == {
        "prompt_tokens": 5310,
        "output_tokens": 3560,
        "finished": 18,
        "failed": 3,
        "progress": 5050,
    }
    got = read(BACKEND[1])
    assert (got.server.engine, got.moves, only_flow(BACKEND[1]).model) == ("triton", Moves.AT_END, "tensorrt_llm")
    assert (got.running, got.waiting, got.kv_usage) == (7, 3, 0.75)


def test_trap_13_its_first_response_is_in_milliseconds() -> None:
    assert observed(*BACKEND)["ttft"] == (18, 1.44)
    assert dict(only_flow(BACKEND[0]).histograms)["ttft"].edges == pytest.approx((0.1, 0.5, 2.0, 5.0))


def test_prompt_lengths_are_a_histogram_with_the_backends_coarse_edges() -> None:
    assert observed(*BACKEND)["prompt_length"] == (18, 5310)
    assert dict(only_flow(BACKEND[0]).histograms)["prompt_length"].edges == (10, 50, 100, 500, 1000)


def test_trap_10_a_request_to_an_ensemble_is_counted_at_the_backend_alone() -> None:
    # ensemble, preprocessing, tensorrt_llm and postprocessing have 30 successes each.
    assert only_flow(BACKEND[1]).finished == 30
    assert only_flow(BACKEND[1]).failed == 3


def test_trap_10_without_the_backend_requests_are_not_counted_because_ensembles_count_them_twice() -> None:
    first, second = read("triton-core-1"), read("triton-core-2")
    assert {flow.model: flow.finished for flow in second.flows} == dict.fromkeys(
        ("rag_ensemble", "resnet50", "tokenizer")
    )
    progress = [
        (old.model, (new.progress or 0) - (old.progress or 0))
        for old, new in zip(first.flows, second.flows, strict=True)
    ]
    assert progress == [("rag_ensemble", 51), ("resnet50", 22), ("tokenizer", 102)]
    assert (first.waiting, second.waiting) == (2, 4)


def test_without_the_backend_it_says_that_it_has_no_tokens() -> None:
    got = read("triton-core-1")
    assert (got.ok, got.server.engine, got.moves) == (True, "triton", Moves.NONE)
    assert lost("triton-core-1") >= {"output_tokens", "finished"}
    assert TRITON.no_tokens
    assert not TRITON_TENSORRT_LLM.no_tokens


def test_the_vllm_backends_names_are_read_by_vllms_table_with_the_model_label_of_triton() -> None:
    assert increments(*VLLM) == {"prompt_tokens": 450, "output_tokens": 211, "progress": 211}
    got = read(VLLM[1])
    assert (got.moves, got.flows[0].model) == (Moves.LIVE, "vllm_model")
    assert observed(*VLLM) == {"ttft": (3, 0.28), "itl": (208, 4.36), "e2e": (2, 2.3), "prompt_length": (2, 300)}
    assert lost(VLLM[1]) >= {"running", "waiting", "finished"}  # it publishes no gauges and no outcomes


def test_a_summary_is_not_taken_for_a_histogram_and_the_page_is_no_engines() -> None:
    assert not read(SUMMARY.read_bytes()).ok
