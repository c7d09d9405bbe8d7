"""The recorded hours that stores of many days are made of."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.history.fleet import fleet
from bench.history.recording import demo_pages, record
from bench.history.report import told
from bench.history.sealed_copy import sealed_copy
from bench.history.stretching import Cycle
from tokwatch.ledger.entries import TickRecord


def recorded_cycle(folder: Path, seconds: int) -> Cycle:
    """Record the demo's fleet, or take up what an earlier run of the benchmark left in the folder."""
    raw, sealed = folder / f"raw-{seconds}.db", folder / f"sealed-{seconds}.db"
    scenario = fleet(seconds)
    assert scenario.begins is not None
    if not sealed.exists():
        done = 0

        def each(_: TickRecord) -> None:
            nonlocal done
            done += 1
            if done % 900 == 0:
                told(f"{done} of {seconds} ticks recorded")

        asyncio.run(record(scenario, demo_pages(scenario), raw, seconds, each=each))
        sealed_copy(raw, sealed)
    return Cycle(raw, sealed, round(scenario.begins.timestamp() * 1000), seconds * 1000)
