"""Asking the stored past: beside everything else, at supposed prices, and given up when nobody waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.feeds.quiet_box import AdvancedClock, record_ticks
from tokwatch.feeds.asking import Asking
from tokwatch.feeds.history import History
from tokwatch.feeds.question import TakenBack


@dataclass(frozen=True)
class LastTick:
    """Which tick is the newest."""

    def answer(self, past: History) -> int | None:
        return past.last_tick()


@dataclass(frozen=True)
class Price:
    """What a GPU hour costs."""

    at_ms: int

    def answer(self, past: History) -> float | None:
        version = past.book.at(self.at_ms)
        return version.prices.usd_per_gpu_hour if version else None


@dataclass(frozen=True)
class Everything:
    """Something that SQLite works on for minutes."""

    begun: threading.Event

    def answer(self, past: History) -> int:
        self.begun.set()
        number = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e6) SELECT i FROM n)"
        query = f"SELECT count(*) FROM {number} a, {number} b"
        return int(past.reader._connection.execute(query).fetchone()[0])


@pytest.fixture
async def asking(tmp_path: Path) -> Asking:
    await record_ticks(tmp_path / "store.db", AdvancedClock(), 3, price=2.0)
    return Asking(lambda: History(tmp_path / "store.db"), nullcontext)


async def test_a_question_sees_what_was_stored_since_the_one_before(tmp_path: Path, asking: Asking) -> None:
    before = await asking.ask(LastTick(), None)
    clock = AdvancedClock()
    clock.advance(3600)
    ticks = await record_ticks(tmp_path / "store.db", clock, 2)
    assert before is not None
    assert await asking.ask(LastTick(), None) == ticks[-1] > before
    await asking.close()


async def test_it_is_answered_at_the_price_that_is_supposed_then(asking: Asking) -> None:
    at_ms = await asking.ask(LastTick(), None) or 0
    assert [await asking.ask(Price(at_ms), supposed) for supposed in (None, 5.0, None)] == [2.0, 5.0, 2.0]
    await asking.close()


async def test_a_question_that_nobody_waits_for_does_not_hold_up_the_next(asking: Asking) -> None:
    begun = threading.Event()
    long = asyncio.create_task(asking.ask(Everything(begun), None))
    await asyncio.to_thread(begun.wait)
    long.cancel()
    with pytest.raises(asyncio.CancelledError):
        await long
    async with asyncio.timeout(20):
        assert await asking.ask(LastTick(), None) is not None
    await asking.close()


async def test_closing_gives_up_what_is_being_asked(asking: Asking) -> None:
    begun = threading.Event()
    long = asyncio.create_task(asking.ask(Everything(begun), None))
    await asyncio.to_thread(begun.wait)
    async with asyncio.timeout(20):
        await asking.close()
    with pytest.raises(TakenBack):
        await long


async def test_what_touches_the_store_is_guarded(tmp_path: Path) -> None:
    await record_ticks(tmp_path / "store.db", AdvancedClock(), 1)
    inside: list[str] = []

    @contextmanager
    def reading() -> Iterator[None]:
        inside.append("in")
        yield
        inside.append("out")

    asking = Asking(lambda: History(tmp_path / "store.db"), reading)
    await asking.ask(LastTick(), None)
    await asking.close()
    assert inside == ["in", "out"]
