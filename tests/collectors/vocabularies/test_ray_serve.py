"""What tokwatch reads from a node's page of Ray Serve LLM."""

from __future__ import annotations

from collectors.readings import Layer, Moves
from tests.collectors.vocabularies.two_readings import engine_page, gained, read

FIRST, SECOND = "ray-serve-written-1", "ray-serve-written-2"


def test_two_replicas_are_counted_role_by_role() -> None:
    assert gained(read(FIRST), read(SECOND)) == {
        ("llama-8b", "(untagged)"): {
            "prompt_tokens": 9776,
            "cached_tokens": 1024,
            "output_tokens": 2681,
            "finished": 24,
            "progress": 2681,
            "ttft": 24,
            "itl": 2657,
            "e2e": 24,
        }
    }


def test_trap_10_twin_counters_are_taken_once() -> None:
    both = engine_page(SECOND)
    legacy_alone = b"".join(line for line in both.splitlines(keepends=True) if b"_tokens_total{" not in line)
    assert b"ray_vllm_generation_tokens{" in both
    assert b"ray_vllm_generation_tokens_total{" in both
    assert read(both).flows[0].output_tokens == read(legacy_alone).flows[0].output_tokens == 3368


def test_replicas_restart_each_by_itself() -> None:
    parts = dict(read(SECOND).flows[0].parts)["output_tokens"]
    assert len(parts) == 2
    assert sum(value for _, value in parts) == 3368
    assert all("ReplicaId=" in part for part, _ in parts)


def test_trap_25_absent_counters_before_the_first_request_are_unknown() -> None:
    got = read("ray-serve-written-fresh")
    assert (got.ok, got.server.engine, got.running, got.kv_usage, got.flows) == (True, "ray-serve", 0, 0.0, ())
    assert "output_tokens" in dict(got.missing)


def test_trap_9_the_iteration_histogram_is_no_token_counter() -> None:
    assert b"ray_vllm_iteration_tokens_total_sum" in engine_page(SECOND)
    assert not any("iteration" in name for name in read(SECOND).used)


def test_older_releases_kept_the_colon() -> None:
    assert read(engine_page(SECOND).replace(b"ray_vllm_", b"ray_vllm:")).flows == read(engine_page(SECOND)).flows


def test_its_gauges_are_those_of_all_replicas_and_its_tokens_are_the_engines_own() -> None:
    got = read(SECOND)
    assert (got.layer, got.moves, got.running, got.waiting, got.kv_usage) == (Layer.ENGINE, Moves.LIVE, 4, 1, 0.25)


def test_the_start_of_rays_agent_is_not_taken_for_the_engines() -> None:
    assert read(engine_page(SECOND) + b"process_start_time_seconds 1.7951985118e+09\n").started_at_s is None
