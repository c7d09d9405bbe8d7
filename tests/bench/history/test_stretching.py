"""A stretched store: every round is the recorded one, later; what is too old for a level is not there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bench.history.fleet import fleet
from bench.history.recording import demo_pages, record
from bench.history.sealed_copy import sealed_copy
from bench.history.sizes import level_bytes
from bench.history.stretching import Cycle, stretch
from tokwatch.ledger.entries import TickRecord
from tokwatch.store.reader import Reader
from tokwatch.store.retention import DAY_MS, Retention

SECONDS = 120
ROUND_MS = 900_000  # roll-ups of rounds must not meet in one quarter hour
RETENTION = Retention(raw_ms=ROUND_MS, history_ms=2 * ROUND_MS, minutes_ms=3 * ROUND_MS)


@pytest.fixture(scope="module")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> Cycle:
    folder = tmp_path_factory.mktemp("cycle")
    scenario = fleet(SECONDS)
    asyncio.run(record(scenario, demo_pages(scenario), folder / "raw.db", SECONDS))
    sealed_copy(folder / "raw.db", folder / "sealed.db")
    assert scenario.begins is not None
    return Cycle(folder / "raw.db", folder / "sealed.db", round(scenario.begins.timestamp() * 1000), ROUND_MS)


def _shape(records: list[TickRecord], round_: int) -> list[object]:
    """The records with their times taken back to the first round."""
    back_ms = round_ * ROUND_MS
    return [
        (
            record.tick.tick_ms - back_ms,
            record.tick.boottime_ns - back_ms * 1_000_000,
            [(gpu.t0_ms - back_ms, gpu.energy_mj, gpu.power_mw) for gpu in record.gpus],
            [(flow.t1_ms - back_ms, flow.output_tokens, flow.histograms) for flow in record.flows],
            len(record.events),
        )
        for record in records
    ]


def test_rounds_are_copies_raw_and_sealed_alike(cycle: Cycle, tmp_path: Path) -> None:
    end_ms = stretch(cycle, tmp_path / "store.db", 4 * ROUND_MS / DAY_MS, RETENTION)
    with Reader(cycle.raw) as reader:
        recorded = _shape(list(reader.records(None, 0, end_ms)), 0)
    with Reader(tmp_path / "store.db") as reader:
        found = [
            _shape(list(reader.records(None, begins_ms, begins_ms + ROUND_MS)), round_)
            for round_, begins_ms in enumerate(range(cycle.begins_ms, end_ms, ROUND_MS))
        ]
    assert len(recorded) > SECONDS / 2
    assert found == [[], [], recorded, recorded]


def test_each_level_holds_what_its_retention_leaves(cycle: Cycle, tmp_path: Path) -> None:
    end_ms = stretch(cycle, tmp_path / "store.db", 4 * ROUND_MS / DAY_MS, RETENTION)
    with Reader(tmp_path / "store.db") as reader:
        quarters = reader.quarters(cycle.begins_ms, end_ms).gpus
    assert {row.quarter_ms for row in quarters} == set(range(cycle.begins_ms, end_ms, ROUND_MS))
    assert all(level_bytes(tmp_path / "store.db")[level] for level in ("raw", "sealed", "minutes", "events"))
