"""What tokwatch reads from the page of Hugging Face TGI."""

from __future__ import annotations

import pytest

from collectors.readings import Layer, Moves
from tests.collectors.vocabularies.two_readings import engine_page, gained, read

FIRST, SECOND = "tgi-written-1", "tgi-written-2"


def test_24_requests_and_two_that_failed_after_validation_are_counted_role_by_role() -> None:
    assert gained(read(FIRST), read(SECOND)) == {
        ("(unnamed)", "(untagged)"): {
            "prompt_tokens": 10609 + 60 + 70,  # the two that failed had their prompts counted
            "output_tokens": 2681,
            "finished": 24,
            "progress": 678,
            "token_time": 24,
            "e2e": 24,
            "queue": 24,
            "prompt_length": 26,
        }
    }


def test_a_client_that_left_is_aborted_and_every_other_failure_failed() -> None:
    (flow,) = read(SECOND).flows
    assert (flow.failed, flow.aborted) == (4, 3)


def test_trap_25_absent_failures_are_unknown_before_the_first_one() -> None:
    (flow,) = read(FIRST).flows
    assert (flow.failed, flow.aborted) == (None, None)
    assert dict(read(FIRST).missing)["failed"] == "failed requests"


def test_trap_1_tokens_move_at_the_end_and_decode_steps_meanwhile() -> None:
    page = engine_page(FIRST)
    one_step_later = page.replace(b'success{method="decode"} 219', b'success{method="decode"} 220')
    (before,), (after,) = read(page).flows, read(one_step_later).flows
    assert read(page).moves is Moves.AT_END
    assert (before.progress, after.progress) == (219, 220)
    assert before.output_tokens == after.output_tokens == 830


def test_trap_7_its_time_per_token_includes_the_prefill_and_is_kept_apart() -> None:
    kinds = {name for name, _ in read(SECOND).flows[0].histograms}
    assert "token_time" in kinds
    assert not kinds & {"itl", "tpot", "ttft"}


def test_its_gauges_and_its_place() -> None:
    got = read(SECOND)
    assert (got.server.engine, got.layer, got.running, got.waiting, got.kv_usage) == ("tgi", Layer.ENGINE, 1, 4, None)


def test_what_it_cannot_tell_is_listed() -> None:
    assert {role for role, _ in read(SECOND).missing} == {"cached_tokens", "ttft", "kv_usage"}


@pytest.mark.parametrize("first_series", ["tgi_queue_size", "tgi_batch_max_total_tokens", "tgi_batch_current_size"])
def test_a_fresh_page_is_recognised_by_whatever_it_has(first_series: str) -> None:
    got = read(f"# TYPE {first_series} gauge\n{first_series} 0\n".encode())
    assert (got.ok, got.server.engine, got.flows) == (True, "tgi", ())


def test_a_pipeline_that_adds_total_to_its_counters_changes_nothing() -> None:
    page = engine_page(SECOND)
    renamed = page.replace(b"tgi_request_success ", b"tgi_request_success_total ")
    renamed = renamed.replace(b"tgi_request_failure{", b"tgi_request_failure_total{")
    assert renamed != page
    assert read(renamed).flows == read(page).flows
