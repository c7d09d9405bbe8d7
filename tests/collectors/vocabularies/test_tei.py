"""What tokwatch reads from the page of Text Embeddings Inference."""

from __future__ import annotations

from collectors.readings import Layer
from tests.collectors.vocabularies.two_readings import gained, read

FIRST, SECOND = "tei-written-1", "tei-written-2"


def test_28_requests_are_counted_role_by_role() -> None:
    assert gained(read(FIRST), read(SECOND)) == {
        ("(unnamed)", "(untagged)"): {
            "prompt_tokens": 10708,
            "finished": 28,
            "progress": 10708,
            "e2e": 28,
            "queue": 28,
            "prompt_length": 28,
        }
    }


def test_an_embedding_server_makes_no_output_and_says_so() -> None:
    got = read(SECOND)
    assert got.flows[0].output_tokens is None
    assert dict(got.missing) == {"output_tokens": "output tokens: an embedding server makes none"}


def test_trap_8_predictions_are_counted_though_their_success_is_not() -> None:
    """5 of the 40 were /predict with one input, which te_request_success leaves out and te_request_count has twice."""
    assert read(SECOND).flows[0].finished == 40


def test_failures_by_reason() -> None:
    (flow,) = read(SECOND).flows
    assert (flow.failed, flow.aborted) == (3, 1)


def test_trap_25_absent_failures_are_unknown_before_the_first_one() -> None:
    assert read(FIRST).flows[0].failed is None


def test_its_gauges_and_its_place() -> None:
    got = read(SECOND)
    assert (got.server.engine, got.layer, got.running, got.waiting) == ("tei", Layer.ENGINE, None, 3)
