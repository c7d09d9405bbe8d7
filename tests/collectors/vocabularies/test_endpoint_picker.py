"""What tokwatch reads from the endpoint picker's page, under its names of four periods."""

from __future__ import annotations

import pytest

from collectors.readings import Layer, Moves
from tests.collectors.vocabularies.two_readings import engine_page, gained, read

GAIE = ("endpoint-picker-gaie-written-1", "endpoint-picker-gaie-written-2")
LLM_D = ("endpoint-picker-llm-d-written-1", "endpoint-picker-llm-d-written-2")


def test_22_requests_are_counted_role_by_role() -> None:
    assert gained(read(GAIE[0]), read(GAIE[1])) == {
        ("chat", "(untagged)"): {
            "prompt_tokens": 9465,
            "cached_tokens": 1024,
            "output_tokens": 2531,
            "finished": 22,
            "ttft": 14,
            "tpot": 14,
            "token_time": 22,
            "e2e": 22,
            "prompt_length": 22,
        }
    }


def test_the_newest_names_tell_tenants_and_tiers() -> None:
    got = gained(read(LLM_D[0]), read(LLM_D[1]))
    assert {tenant: counts["output_tokens"] for (_, tenant), counts in got.items()} == {
        "(untagged)": 1112,  # "default-flow": no fairness id was sent
        "blue": 640,
        "red": 779,
    }
    assert got["chat", "red"] == {
        "prompt_tokens": 2272,
        "cached_tokens": 192,
        "output_tokens": 779,
        "finished": 7,
        "ttft": 7,
        "tpot": 7,
        "token_time": 7,
        "e2e": 7,
        "prompt_length": 7,
    }
    assert {flow.tier for flow in read(LLM_D[1]).flows} == {"0"}


def test_trap_10_deprecated_twins_on_the_newest_page_are_not_added() -> None:
    got = read(LLM_D[1])
    assert b"inference_objective_output_tokens_sum" in engine_page(LLM_D[1])
    assert sum(flow.output_tokens or 0 for flow in got.flows) == 993 + 960 + 1265
    assert not any(name.startswith("inference_objective") for name in got.used)


@pytest.mark.parametrize("prefix", [b"inference_model", b"llm_d_router_epp"])
def test_trap_12_the_names_of_other_periods_are_read_alike(prefix: bytes) -> None:
    renamed = engine_page(GAIE[1]).replace(b"inference_objective", prefix)
    assert read(renamed).flows == read(GAIE[1]).flows


def test_trap_24_the_first_token_of_an_answer_in_one_piece_is_left_out() -> None:
    blue = next(flow for flow in read(LLM_D[1]).flows if flow.tenant == "blue")
    assert b'streaming="false"' in engine_page(LLM_D[1])
    assert (blue.finished, dict(blue.histograms)["ttft"].counts[-1]) == (9, 3)  # 3 of 9 were streamed


def test_forecasts_are_never_read() -> None:
    assert b"predicted_ttft_seconds" in engine_page(GAIE[1])
    assert not any("predicted" in name for name in read(GAIE[1]).used)


def test_waiting_is_a_count_and_never_the_mean_over_pods() -> None:
    got = read(GAIE[1])
    assert (got.running, got.waiting, got.kv_usage) == (3, 5, 0.375)  # queues of 4 and 1; their mean is 2.5


def test_it_stands_before_the_engines_and_counts_at_the_end() -> None:
    got = read(GAIE[1])
    assert (got.layer, got.moves, got.server.engine) == (Layer.GATEWAY, Moves.AT_END, "endpoint-picker")
    assert got.started_at_s == 1795198550.0


def test_errors_by_tenant() -> None:
    assert {flow.tenant: flow.failed for flow in read(LLM_D[1]).flows} == {"(untagged)": None, "blue": 2, "red": 1}
    assert read(GAIE[1]).flows[0].failed == 3
