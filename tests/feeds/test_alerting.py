"""What a live recorder has for its alerts: a fault in it is told, and the ticks go on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.feeds.quiet_box import AdvancedClock, OneGpu, begun_at
from tokwatch.config import parse
from tokwatch.feeds import alerting
from tokwatch.feeds.alerting import Alerting
from tokwatch.feeds.live import RecorderView
from tokwatch.feeds.recorder import Recorder
from tokwatch.ledger.snapshot import Snapshot

RULE = "[[alerts]]\nwhen = 'gpus > 0'\n"


async def test_a_snapshot_that_fails_costs_no_tick_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> Snapshot:
        raise ZeroDivisionError("float division by zero")

    monkeypatch.setattr(alerting, "snapshot", failing)
    store, clock = tmp_path / "store.db", AdvancedClock()
    begun = await asyncio.to_thread(lambda: begun_at(store, clock, price=1.0))
    recorder = Recorder(OneGpu(clock), begun.bookkeeper, begun.writer, clock, interval_s=1.0)
    view = RecorderView(begun.view)
    recorder.listen(view.take)
    told = Alerting(parse(RULE, "config.toml"), store, recorder, begun.bookkeeper, view)
    problems: list[str] = []
    for _ in range(3):
        clock.advance(1.0)
        record = await recorder.turn()
        problems += [event.body.decode() for event in record.events if event.key == "alerts on figures"]
    await told.close()
    assert await asyncio.to_thread(begun.writer.close, 10.0)
    assert "ZeroDivisionError" in problems[0]
    assert len(problems) == 1
