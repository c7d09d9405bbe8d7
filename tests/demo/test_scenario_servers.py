"""Servers in a scenario: replicas on their GPUs, which do what they are asked while they are up, and lines that err."""

from __future__ import annotations

import pytest

from tokwatch.demo.scenario import Scenario, parse

GPUS = """
gpu H100
  uuid GPU-00000000-0000-0000-0000-0000000000fe
  power_w 68
  memory_used_mib 4
  alike 3
  power_w 1
"""
SERVER = """
server vllm Llama-3.3-70B
  gpus 0 2-3
  tensor_parallel 1
  memory_gib 70
  busy_w 500
  activity 0.25
  activity square 0 0.5 100 0.5
  requests_per_s 8
  prompt_tokens 1200
  output_tokens 300 0
  ttft_s 0.3
  tpot_s 0.02
  kv_tokens 500000
  tokens_per_step 70
"""


def _parse(*more: str) -> Scenario:
    return parse("\n".join([GPUS, SERVER, *more]))


def test_gpus_that_are_alike_have_identities_of_their_own() -> None:
    gpus = parse(GPUS).gpus
    assert [gpu.uuid[-3:] for gpu in gpus] == ["0fe", "0ff", "100", "101"]
    assert [(gpu.index, gpu.pci) for gpu in gpus][3] == (3, "00000000:04:00.0")
    assert len({gpu.serial for gpu in gpus}) == 4


def test_what_follows_alike_is_about_the_last_of_them() -> None:
    assert [gpu.power_w.at(0) for gpu in parse(GPUS).gpus] == [68, 68, 68, 69]


def test_more_gpus_than_a_replica_has_are_more_replicas() -> None:
    servers = _parse("port 9000").servers
    assert [server.gpus for server in servers] == [(0,), (2,), (3,)]
    assert [server.port for server in servers] == [9000, 9001, 9002]
    pids = [pid for server in servers for pid in server.lives[0].pids]
    assert len(set(pids)) == 3 * 2
    assert _parse("tensor_parallel 3").servers[0].gpus == (0, 2, 3)


def test_a_server_works_while_it_is_up_and_only_holds_its_gpus_before() -> None:
    scenario = _parse("up 10 120 400", "up 410 500")
    free, gpu, server = scenario.gpus[1], scenario.gpus[0], scenario.servers[0]
    at_s = (5, 60, 140, 160, 405, 450, 510)
    assert [gpu.power_w.at(t_s) for t_s in at_s] == [68, 128, 68 + 60 + 375, 68 + 60 + 125, 68, 128, 503]
    assert [bool(gpu.running_at(t_s, None)) for t_s in at_s] == [False, True, True, True, False, True, True]
    assert {free.power_w.at(t_s) for t_s in at_s} == {68}
    assert server.load.requests_per_s.integral(400) == 8 * (0.25 * 280 + 0.5 * 130)
    assert server.load.at(500, 410).finished == 0


def test_a_busier_server_lets_each_request_wait_longer_for_its_tokens() -> None:
    scenario = _parse("tpot_s 0.01 0.04", "queue_s 0.01 0.5")
    tpots_s, queues_s, running = [], [], []
    for from_s in (25, 75):  # activity 0.75, then 0.25: asked three times as much
        first, last = (scenario.servers[0].load.at(from_s + 500 + after_s, 0.0) for after_s in (0, 20))
        tpots_s.append((last.tpot.sum - first.tpot.sum) / (last.finished - first.finished))
        queues_s.append((last.queue.sum - first.queue.sum) / (last.finished - first.finished))
        running.append(last.running)
    assert tpots_s == [pytest.approx(1 / 43.75, rel=0.05), pytest.approx(1 / 81.25, rel=0.05)]
    assert queues_s[0] > 3 * queues_s[1]
    assert running[0] > 4 * running[1]


def test_long_prompts_slow_a_server_that_is_asked_no_more() -> None:
    as_told, slowed = (_parse("tpot_s 0.01 0.04", *more).servers[0] for more in ((), ("slowed 0.3",)))
    assert as_told.load.at(500, 0).finished == pytest.approx(slowed.load.at(500, 0).finished, rel=0.01)
    assert slowed.load.at(500, 0).tpot.sum > 1.3 * as_told.load.at(500, 0).tpot.sum


def test_a_server_is_told_apart_by_name_deployment_and_role() -> None:
    server = _parse("name llama-fast", "deployment chat", "role decode", "precision fp8").servers[0]
    assert (server.model, server.deployment, server.role, server.precision) == (
        "llama-fast",
        "chat",
        "decode",
        "fp8",
    )


def test_the_box_says_where_it_stands_and_when_nobody_watches() -> None:
    scenario = parse(
        "host pod-7\nbegins 2025-10-06T00:00:00-07:00\ntimezone America/Los_Angeles\nunwatched 60 120\n" + GPUS
    )
    assert scenario.begins is not None
    assert (scenario.host, scenario.timezone) == ("pod-7", "America/Los_Angeles")
    assert scenario.begins.timestamp() == 1_759_734_000
    assert [100 in span for span in scenario.unwatched] == [True]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("frobnicate 3", "line 25.*frobnicate.*no such statement about a server"),
        ("role leader", "line 25.*prefill or decode"),
        ("activity much", "line 25.*much"),
        ("tpot_s 0.03 0.02", "line 10.*must be longer than with nothing to do"),
        ("queue_s 0.01 0.02", "line 10.*needs a tpot_s for it"),
        ("up 10", "line 25.*FROM READY"),
        ("gpu H100", "line 25.*GPUs come before"),
        ("server ollama llama", "line 25.*vllm, llama.cpp"),
        ("gpus 4", "line 10.*no GPU 4, or another server has it"),
        ("gpus 1\n  tensor_parallel 3", "line 10.*4 GPUs are no replicas of 3"),
        ("busy_w 1 2", "line 10.*busy_w"),
        (SERVER, "line 26.*another server has it"),
        ("server vllm Qwen3", "line 25.*does not say its memory_gib, .*tokens_per_step, gpus, busy_w, activity"),
    ],
)
def test_a_line_about_a_server_that_makes_no_sense_is_named(line: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        _parse(line)
