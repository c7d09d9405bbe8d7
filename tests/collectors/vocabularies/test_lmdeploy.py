"""What tokwatch reads from LMDeploy's pages: rendered by its logger class of 2026 and of 0.9."""

from __future__ import annotations

from collectors.readings import Moves
from tests.collectors.vocabularies.two_readings import increments, lost, observed, only_flow, read

NEW = ("lmdeploy-1263d5cd-1", "lmdeploy-1263d5cd-2")
OLD = ("lmdeploy-0.9-1", "lmdeploy-0.9-2")


def test_every_counter_moves_by_what_was_served() -> None:
    # A request of 900 + 31 tokens ended (15 steps of two tokens), one of 80 has made 5, and two failed.
    assert increments(*NEW) == {
        "prompt_tokens": 980,
        "cached_tokens": 512,
        "output_tokens": 36,
        "finished": 1,
        "failed": 2,
        "progress": 36,
        "drafted_tokens": 45,
        "accepted_tokens": 15,
    }


def test_every_histogram_moves_by_what_was_observed() -> None:
    assert observed(*NEW) == {
        "ttft": (2, 0.24),
        "itl": (19, 0.53),
        "e2e": (1, 0.65),
        "queue": (1, 0.01),
        "prompt_length": (1, 900),
    }


def test_gauges() -> None:
    got = read(NEW[1])
    assert (got.server.engine, got.moves, got.running, got.waiting, got.kv_usage) == (
        "lmdeploy",
        Moves.LIVE,
        4,
        6,
        0.85,
    )
    assert got.started_at_s is not None
    assert only_flow(NEW[1]).model == "internlm3-8b-instruct"


def test_trap_07_its_latency_per_step_is_taken_and_not_its_mean_over_the_steps_tokens() -> None:
    # Two tokens a step: the mean would be half of it.
    assert observed(*NEW)["itl"] == (19, round(15 * 0.03 + 4 * 0.02, 6))


def test_trap_08_of_all_reasons_on_the_page_finish_alone_is_a_success() -> None:
    assert only_flow(NEW[1]).finished == 3


def test_trap_09_a_gauge_that_holds_a_count_is_read_as_one_and_the_iteration_histogram_is_not_tokens() -> None:
    assert only_flow(NEW[1]).failed == 2
    assert not any("iteration_tokens" in name for name in read(NEW[1]).used)


def test_trap_12_renames_the_release_0_9_has_one_latency_name_and_no_cached_tokens() -> None:
    assert increments(*OLD) == {"prompt_tokens": 150, "output_tokens": 13, "finished": 0, "progress": 13}
    assert observed(*OLD)["itl"] == (12, 0.36)
    assert lost(OLD[0]) >= {"cached_tokens", "failed"}
