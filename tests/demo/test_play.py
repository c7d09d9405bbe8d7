"""A scenario played into a store: every tick is there, a pause is a recorder's end, and no millijoule is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tokwatch.config import Config
from tokwatch.demo.play import play
from tokwatch.demo.scenario import parse
from tokwatch.store.reader import Reader

BOX = """
host little
timezone Europe/Berlin
t0_ns 0
begins 2025-10-06T00:00:00+02:00
unwatched 600 1800
gpu NVIDIA L40S
  power_w 100
  power_w sine 40 977
  utilization_percent 50
  memory_used_mib 4000
server vllm Llama-3.1-8B
  gpus 0
  up 0 120
  memory_gib 12
  busy_w 100
  activity 0.5
  requests_per_s 4
  prompt_tokens 600
  output_tokens 200
  ttft_s 0.2
  tpot_s 0.02
  kv_tokens 100000
  tokens_per_step 16
"""
CONFIG = Config(interval_s=60.0)
HOUR_S = 3600.0


def _played(store: Path, from_s: float = 0.0) -> int:
    return asyncio.run(play(parse(BOX), CONFIG, store, from_s=from_s, until_s=HOUR_S))


def test_all_that_was_watched_is_in_the_store_and_marked_as_simulated(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    ticks = _played(store)
    with Reader(store) as reader:
        runs = reader.runs()
        stored = list(reader.records(None, 0, 1 << 62))
    assert ticks == len(stored) == (10 + 1) + (30 + 1)
    assert [(run.kind, run.host, run.timezone) for run in runs] == [("simulated", "little", "Europe/Berlin")] * 2
    times_s = [stored[at].tick.tick_ms / 1000 - 1_759_701_600 for at in (0, 10, 11, -1)]
    assert times_s == [0, 600, 1800, 3600]


def test_energy_and_tokens_are_the_exact_integrals_over_the_pause(tmp_path: Path) -> None:
    store, scenario = tmp_path / "store.db", parse(BOX)
    _played(store, from_s=180.0)
    with Reader(store) as reader:
        stored = list(reader.records(None, 0, 1 << 62))
    gpu, server = scenario.gpus[0], scenario.servers[0]
    drawn = gpu.energy_mj_at(round(HOUR_S * 1e9)) - gpu.energy_mj_at(round(180 * 1e9))
    made = [server.load.at(t_s, 0.0).output_tokens for t_s in (180.0, HOUR_S)]
    assert sum(entry.energy_mj or 0 for record in stored for entry in record.gpus) == drawn
    assert sum(entry.output_tokens or 0 for record in stored for entry in record.flows) == made[1] - made[0]


def test_progress_reaches_its_end(tmp_path: Path) -> None:
    told: list[float] = []
    asyncio.run(play(parse(BOX), CONFIG, tmp_path / "store.db", from_s=3000.0, until_s=HOUR_S, progress=told.append))
    assert (told[0], told[-1], told) == (0.0, 1.0, sorted(told))


def test_a_scenario_that_names_no_beginning_is_not_played(tmp_path: Path) -> None:
    scenario = parse(BOX.replace("begins", "# begins"))
    with pytest.raises(ValueError, match="when it begins"):
        asyncio.run(play(scenario, CONFIG, tmp_path / "store.db", until_s=60.0))
