"""What other processes tell the store while this one records it: taken up within seconds, without a tick lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.feeds.quiet_box import NOON_MS, AdvancedClock, OneGpu, begun_at
from tokwatch.feeds.attach import set_price
from tokwatch.feeds.history import History, stored_price
from tokwatch.feeds.live import RecorderView
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.start import Begun
from tokwatch.feeds.told import ToldStore, keep_priced
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.prices.book import PriceVersion
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.store.rows import insert_close, insert_price
from tokwatch.store.telling import telling


class Box:
    """One GPU that is recorded at 1 $/h, and what its process has on its screen."""

    def __init__(self, store: Path, clock: AdvancedClock, begun: Begun, committed: asyncio.Queue[int]) -> None:
        self.store = store
        self.begun = begun
        self.shown: list[Snapshot] = []
        self.view = RecorderView(begun.view)
        self.view.listen(self.shown.append)
        self._clock = clock
        self._committed = committed
        self.recorder = Recorder(OneGpu(clock), begun.bookkeeper, begun.writer, clock, interval_s=1.0)
        self.recorder.listen(self.view.take)
        self.told = ToldStore(store, clock, self.recorder.tell)
        keep_priced(self.told, begun.bookkeeper, store, begun.run, self.view)
        self.recorder.listen(self.told.tick)

    async def record_s(self, seconds: int) -> None:
        """Tick after tick; each is on the disk, and looks that it began are over."""
        for _ in range(seconds):
            self._clock.advance(1.0)
            tick_ms = (await self.recorder.turn()).tick.tick_ms
            async with asyncio.timeout(20):
                while await self._committed.get() != tick_ms:
                    pass
            await self.told.close()

    def tell_price(self, usd: float, from_ms: int, to_ms: int | None = None) -> None:
        version = PriceVersion(0, from_ms, from_ms, "restated", Prices(usd_per_gpu_hour=usd), to_ms)
        with telling(self.store) as connection:
            insert_price(connection, stored_price(version))

    def replayed(self) -> Snapshot:
        """The last tick, as another process sees it."""
        history = History(self.store, self.begun.run)
        try:
            last_ms = history.last_tick()
            assert last_ms is not None
            return snapshot(history.view_at(last_ms), mode="live")
        finally:
            history.close()


@asynccontextmanager
async def recorded(store: Path) -> AsyncIterator[Box]:
    clock, loop = AdvancedClock(), asyncio.get_running_loop()
    committed: asyncio.Queue[int] = asyncio.Queue()

    def on_commit(tick_ms: int) -> None:
        loop.call_soon_threadsafe(committed.put_nowait, tick_ms)

    begun = await asyncio.to_thread(lambda: begun_at(store, clock, price=1.0, on_commit=on_commit))
    try:
        yield Box(store, clock, begun, committed)
    finally:
        assert await asyncio.to_thread(begun.writer.close, 10.0)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


async def test_a_price_of_another_process_holds_here_within_seconds(store: Path) -> None:
    async with recorded(store) as box:
        await box.record_s(2)
        box.tell_price(3.0, NOON_MS + 2500)
        await box.record_s(6)
        assert box.shown[-1].totals.usd_per_hour.value == 3.0
        version = box.begun.bookkeeper.book.at(NOON_MS + 8000)
        assert version is not None
        assert version.id == 2


async def test_a_restated_past_is_summed_anew_and_live_shows_what_a_replay_shows(store: Path) -> None:
    async with recorded(store) as box:
        await box.record_s(6)
        box.tell_price(50.0, NOON_MS, NOON_MS + 4000)
        await box.record_s(7)
        assert box.shown[-1] == box.replayed()
        assert box.view.book.versions[0].restates or box.view.book.versions[1].restates


async def test_a_month_closed_elsewhere_is_closed_here(store: Path) -> None:
    async with recorded(store) as box:
        await box.record_s(1)
        with telling(store) as connection:
            insert_close(connection, "2026-10", NOON_MS)
        await box.record_s(6)
        assert [each.month for each in box.begun.bookkeeper.book.closed] == ["2026-10"]


async def test_a_price_set_here_and_one_told_elsewhere_at_the_same_time_are_both_kept(store: Path) -> None:
    async with recorded(store) as box:
        await box.record_s(2)
        box.tell_price(3.0, NOON_MS + 1500)
        await set_price(box.view, box.begun.writer, 4.0)  # which thinks that its id is the one just taken
        await box.record_s(7)
        assert {each.id: each.prices.usd_per_gpu_hour for each in box.view.book.versions} == {1: 1.0, 2: 3.0, 3: 4.0}
        assert box.shown[-1] == box.replayed()


async def test_a_price_that_is_set_here_and_not_on_the_disk_yet_is_not_taken_away(store: Path) -> None:
    async with recorded(store) as box:
        await box.record_s(1)
        before = box.view.book
        box.view.book = before.with_version(PriceVersion(7, NOON_MS, NOON_MS, "set by you", Prices()))
        assert not box.view.take_prices(before)
        assert len(box.view.book.versions) == 2


async def test_trouble_is_told_and_looked_for_again(store: Path) -> None:
    async with recorded(store) as box:
        words: list[str] = []
        told = ToldStore(store, box._clock, lambda what, text: words.append(text))
        broken = ToldStore(store.with_name("none.db"), box._clock, lambda what, text: words.append(text))
        for each in (told, broken):
            keep_priced(each, box.begun.bookkeeper, store, box.begun.run, None)
            each.tick(await box.recorder.turn())
            await each.close()
            await asyncio.sleep(0)
        assert len(words) == 1
        assert "no store at" in words[0]


async def test_mutes_are_looked_for_too(store: Path) -> None:
    async with recorded(store) as box:
        taken: list[int] = []

        def take(count: int) -> bool:
            taken.append(count)
            return len(taken) > 1  # the first is refused, and asked for again

        box.told.on_mutes(lambda reader: reader.told().mutes, take)
        await box.record_s(1)
        with telling(store) as connection:
            connection.execute("INSERT INTO mute (made_ms, until_ms, body) VALUES (1, 2, '{}')")
        await box.record_s(12)
        assert taken == [0, 1]
