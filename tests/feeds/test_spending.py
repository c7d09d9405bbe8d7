"""What was spent this month: observed time at its price, and what a reserved GPU cost while nobody watched."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.ledger.box import Box, priced, serve
from tests.ledger.readings import NOON_MS
from tokwatch.feeds.history import stored_price
from tokwatch.feeds.spending import spent_this_month
from tokwatch.ledger.alerts.budget import month_span_ms
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.local_time import zone_of
from tokwatch.store.writer import Writer

USD = 2.0
HOUR_S = 3600


def stored(path: Path, seconds: Iterable[int], usd: float | None = USD) -> Box:
    """Two GPUs that serve, a tick every ten seconds."""
    box = Box(settings=SettingsBody(interval_s=10))
    serve(box, seconds)  # type: ignore[arg-type]
    writer = Writer(path)
    writer.open()
    assert writer.begin_run(box.run) == box.run
    if usd is not None:
        writer.add_price(stored_price(priced(usd)))
    for record in box.records:
        writer.submit(record)
    assert writer.close(30), writer.problem
    return box


def test_it_is_price_times_time_of_every_gpu(tmp_path: Path) -> None:
    box = stored(tmp_path / "store.db", range(0, 2 * HOUR_S + 10, 10))
    spending = spent_this_month(tmp_path / "store.db", box.run, NOON_MS + 3 * HOUR_S * 1000)
    assert spending is not None
    assert spending.usd == pytest.approx(2 * USD * 2, rel=1e-6)
    assert (spending.from_ms, spending.to_ms) == (NOON_MS, NOON_MS + 2 * HOUR_S * 1000)


def test_rent_is_owed_while_nobody_watched(tmp_path: Path) -> None:
    watched = [*range(0, HOUR_S, 10), *range(HOUR_S + 1200, 2 * HOUR_S + 10, 10)]
    box = stored(tmp_path / "store.db", watched)
    spending = spent_this_month(tmp_path / "store.db", box.run, NOON_MS + 3 * HOUR_S * 1000)
    assert spending is not None
    assert spending.usd == pytest.approx(2 * USD * 2, rel=1e-6)


def test_nothing_is_known_of_a_month_without_ticks_or_prices(tmp_path: Path) -> None:
    box = stored(tmp_path / "store.db", range(0, 100, 10))
    _, next_month_ms = month_span_ms(NOON_MS, zone_of("UTC"))
    assert spent_this_month(tmp_path / "store.db", box.run, next_month_ms + 1000) is None
    free = stored(tmp_path / "free.db", range(0, 100, 10), usd=None)
    assert spent_this_month(tmp_path / "free.db", free.run, NOON_MS + 100_000) is None
