"""A cut shows the same figures as the store it was cut from, tick by tick, whatever they rest on."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.feeds.test_any_evening import any_evening
from tests.handover.fleet import BEGINS_MS, GPU, TICKS, Names, make_store
from tests.handover.looking import sessions_of, snapshots
from tests.nvml_stub.stub import pynvml_as_found
from tests.store.records import gpu, tick
from tokwatch.handover.share import Wish, share, whole_from
from tokwatch.ledger.entries import Run, State, TickRecord
from tokwatch.ledger.view import LOOKBACK_MS
from tokwatch.store.errors import StoreError
from tokwatch.store.foreign import check_foreign
from tokwatch.store.reader import Reader
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.sessions import Session
from tokwatch.store.writer import Writer

__all__ = ["pynvml_as_found"]

LENGTH_MS = 10_000
LAST_MS = 1 << 42


def cut(source: Path, out: Path, wish: Wish) -> Session:
    share(source, out, wish, replaces=True, on_tick=lambda tick_ms: None)
    check_foreign(out)
    (session,) = sessions_of(out)
    return session


def figures(shown: Any) -> Any:
    """Without its texts: what is left must not change with names."""
    if isinstance(shown, dict):
        return {key: figures(value) for key, value in shown.items() if key != "facts"}
    if isinstance(shown, list):
        return [figures(value) for value in shown]
    return "" if isinstance(shown, str) else shown


@pytest.mark.usefixtures("pynvml_as_found")
def test_any_range_of_any_evening_is_shown_as_at_home(tmp_path: Path) -> None:
    seed = 14  # sleeps, restarts, price changes, alerts on figures
    store, dice = tmp_path / "store.db", random.Random(seed)
    asyncio.run(any_evening(store, tmp_path / "live.jsonl", seed, money=True))
    with Reader(store) as reader:
        ticks = [record.tick for record in reader.records(None, 0, LAST_MS)]
    compared = 0
    for number, first in enumerate(dice.sample(ticks, 6)):
        from_ms, to_ms = first.tick_ms - 1, first.tick_ms + LENGTH_MS
        keep_names = number % 2 == 0
        session = cut(store, tmp_path / "cut.db", Wish(first.run, from_ms, to_ms, keep_names=keep_names))
        there = list(snapshots(tmp_path / "cut.db", session))
        here = list(snapshots(store, replace(session, from_ms=from_ms, to_ms=to_ms), named=session.id))
        compared += len(here)
        if keep_names:
            assert there == here
        else:
            assert [figures(each) for each in there] == [figures(each) for each in here]
    assert compared > 12


def test_ticks_are_whole_from_a_quarter_hour_before_the_first_window() -> None:
    for from_ms in (0, QUARTER_MS, QUARTER_MS + 1, QUARTER_MS + LOOKBACK_MS - 1, QUARTER_MS + LOOKBACK_MS):
        begins_ms = whole_from(from_ms)
        assert begins_ms % QUARTER_MS == 0
        assert 0 <= from_ms - LOOKBACK_MS - begins_ms < QUARTER_MS


def test_sums_of_the_last_quarter_hour_end_with_the_range(tmp_path: Path) -> None:
    run = make_store(tmp_path / "store.db", Names())
    cut(tmp_path / "store.db", tmp_path / "cut.db", Wish(run, BEGINS_MS, BEGINS_MS + 10_000))
    with Reader(tmp_path / "cut.db") as reader:
        (flow,) = reader.quarters(0, BEGINS_MS + QUARTER_MS).flows
    assert flow.output_tokens == 10 * 1551


def test_a_gpu_that_came_back_in_a_later_run_has_no_part_in_a_cut_before_it(tmp_path: Path) -> None:
    store = tmp_path / "store.db"
    run = make_store(store, Names())
    later_ms = BEGINS_MS + 3 * QUARTER_MS
    writer = Writer(store)
    writer.open()
    later = writer.begin_run(Run(0, "recorded", Names().host, "another boot", "0.1.0", "UTC", later_ms))
    lost = msgspec.structs.replace(gpu(later_ms + 1000, entity=GPU), t0_ms=BEGINS_MS + 30_000, state=State.LOST)
    writer.submit(TickRecord(tick(later_ms + 1000, later.id), gpus=(lost,)))
    assert writer.close(10)
    cut(store, tmp_path / "cut.db", Wish(run, BEGINS_MS, BEGINS_MS + QUARTER_MS))
    with Reader(tmp_path / "cut.db") as reader:
        assert [each.id for each in reader.runs()] == [run]
        assert {row.run for row in reader.quarters(0, later_ms).gpus} == {run}


def test_a_range_without_a_tick_is_refused(tmp_path: Path) -> None:
    run = make_store(tmp_path / "store.db", Names())
    after_ms = BEGINS_MS + TICKS * 1000
    with pytest.raises(StoreError, match="no tick is stored in that range"):
        cut(tmp_path / "store.db", tmp_path / "cut.db", Wish(run, after_ms, after_ms + 1000))
    assert not (tmp_path / "cut.db").exists()


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    run = make_store(tmp_path / "store.db", Names())
    (tmp_path / "cut.db").write_text("mine")
    with pytest.raises(StoreError, match="is there already"):
        share(
            tmp_path / "store.db",
            tmp_path / "cut.db",
            Wish(run, BEGINS_MS, BEGINS_MS + 10_000),
            on_tick=lambda tick_ms: None,
        )
    assert (tmp_path / "cut.db").read_text() == "mine"


def test_a_cut_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    run = make_store(tmp_path / "store.db", Names())

    def fail(tick_ms: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        share(tmp_path / "store.db", tmp_path / "cut.db", Wish(run, BEGINS_MS, BEGINS_MS + 10_000), on_tick=fail)
    assert [each.name for each in tmp_path.iterdir() if not each.name.startswith("store.db")] == []
