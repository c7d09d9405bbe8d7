"""What tokwatch reads from real pages of sglang-router 0.3.2, and from pages of its gRPC mode and of 2025."""

from __future__ import annotations

from collectors.readings import Layer
from tests.collectors.vocabularies.two_readings import engine_page, gained, read


def test_20_answered_requests_are_counted() -> None:
    got = gained(read("sglang-router-0.3.2-served-1"), read("sglang-router-0.3.2-served-2"))
    assert got == {("tiny-llama", "(untagged)"): {"finished": 20, "progress": 20}}


def test_over_http_it_counts_no_tokens_and_says_who_does() -> None:
    got = read("sglang-router-0.3.2-served-2")
    assert {flow.output_tokens for flow in got.flows} == {None}
    assert "its workers count them" in dict(got.missing)["output_tokens"]


def test_over_grpc_it_counts_tokens() -> None:
    got = gained(read("sglang-router-grpc-written-1"), read("sglang-router-grpc-written-2"))
    assert got == {
        ("llama-8b", "(untagged)"): {
            "prompt_tokens": 6255,
            "output_tokens": 1549,
            "finished": 16,
            "progress": 16,
            "e2e": 16,
        }
    }


def test_with_its_worker_down_three_requests_failed_and_none_finished() -> None:
    """Each was tried five times: tries are not failures."""
    before, after = read("sglang-router-0.3.2-served-2"), read("sglang-router-0.3.2-worker-down")
    assert all(not any(counts.values()) for counts in gained(before, after).values())
    assert [(flow.model, flow.failed) for flow in after.flows if flow.failed] == [("(unnamed)", 3)]


def test_a_gauge_that_looks_like_a_histogram_is_not_read_as_one() -> None:
    page = engine_page("sglang-router-0.3.2-load")
    assert b'smg_http_inflight_request_age_count{gt="0",le="30"}' in page
    assert not any("age" in name for name in read(page).used)


def test_requests_are_not_timed_by_the_first_byte_of_their_answer() -> None:
    got = read("sglang-router-0.3.2-served-2")
    assert {flow.histograms for flow in got.flows} == {()}


def test_trap_25_absent_failures_are_unknown_before_the_first_one() -> None:
    assert {flow.failed for flow in read("sglang-router-0.3.2-idle").flows} == {None}


def test_the_names_of_2025_are_read() -> None:
    first, second = read("sglang-router-2025-written-1"), read("sglang-router-2025-written-2")
    assert gained(first, second) == {("(unnamed)", "(untagged)"): {"finished": 14, "progress": 14}}
    assert (second.running, second.flows[0].failed) == (4, 2)


def test_it_stands_between_clients_and_engines_of_any_kind() -> None:
    got = read("sglang-router-0.3.2-load")
    assert (got.server.engine, got.layer, got.fronts) == ("sglang-router", Layer.ROUTER, ())
