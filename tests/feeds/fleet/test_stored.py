"""A recorded fleet as a source: any moment of it, from what direct recording wrote."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.feeds.fleet.fleet_pages import engine_page, gpu_page, served
from tests.store.fleet.quarters import NOON_MS, RUN, frame
from tokwatch.feeds.fleet.direct import DirectSource
from tokwatch.feeds.fleet.direct_recording import DirectRecording
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.fleet.stored import StoredSource, holds_fleet
from tokwatch.ledger.bookkeeper import Instant
from tokwatch.store.fleet.frames import COARSE_MS
from tokwatch.store.fleet.writer import FleetWriter
from tokwatch.store.reader import Reader
from tokwatch.store.writer import Writer


def recorded(path: Path, *moments_ms: int, grain_ms: int = 10_000) -> StoredSource:
    writer = FleetWriter(path)
    writer.begin(RUN)
    for at_ms in moments_ms:
        writer.put_frame(frame(NOON_MS + at_ms, grain_ms=grain_ms))
    assert writer.close(10)
    return StoredSource(path)


def test_a_moment_is_the_newest_frame_before_it(tmp_path: Path) -> None:
    async def run() -> None:
        source = recorded(tmp_path / "fleet.db", 0, 10_000, 20_000)
        tally = await source.at(NOON_MS + 15_000)
        assert (tally.at_ms, tally.window_ms, len(tally.hosts)) == (NOON_MS + 10_000, 10_000, 2)
        assert [point.at_ms for point in tally.trend] == [NOON_MS, NOON_MS + 10_000]
        assert await source.span_ms() == (NOON_MS, NOON_MS + 20_000)
        assert (await source.now()).at_ms == NOON_MS + 20_000

    asyncio.run(run())


def test_older_moments_have_minutes(tmp_path: Path) -> None:
    async def run() -> None:
        tally = await recorded(tmp_path / "fleet.db", 0, 60_000, grain_ms=COARSE_MS).now()
        assert (tally.interval_s, tally.window_ms) == (60.0, 60_000)

    asyncio.run(run())


def test_before_its_first_moment_there_is_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        with pytest.raises(SourceError, match="nothing was recorded"):
            await recorded(tmp_path / "fleet.db", 0).at(NOON_MS - 1)

    asyncio.run(run())


def test_a_store_of_one_box_holds_no_fleet(tmp_path: Path) -> None:
    async def run() -> None:
        writer = Writer(tmp_path / "box.db")
        writer.open()
        assert writer.close(10)
        assert not holds_fleet(tmp_path / "box.db")
        with pytest.raises(SourceError, match="tokwatch record --targets"):
            await StoredSource(tmp_path / "box.db").now()
        assert holds_fleet(tmp_path / "box.db") is False

    asyncio.run(run())


def test_a_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        with pytest.raises(SourceError, match="no store at"):
            await StoredSource(tmp_path / "none.db").now()

    asyncio.run(run())


class LateOnTheQuarter:
    """A clock that runs a hundred times as fast from shortly before a quarter hour's edge."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._started_s = self._loop.time()

    def now(self) -> Instant:
        ms = round(100_000 * (self._loop.time() - self._started_s))
        return Instant(NOON_MS - 60_000 + ms, ms * 1_000_000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)


def test_what_was_read_directly_can_be_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "fleet.db"

    async def run() -> None:
        async with served(dcgm=gpu_page(0), vllm=engine_page(0)) as pages:
            clock = LateOnTheQuarter()
            targets = [pages.target("/dcgm", "h1"), pages.target("/vllm", "h1")]
            source = DirectSource(targets, interval_s=0.02, clock=clock)
            source.transport.now_ns = lambda: clock.now().boottime_ns
            writer = FleetWriter(path)
            writer.begin(RUN)
            stop = asyncio.Event()
            recording = asyncio.create_task(DirectRecording(source, writer, clock).run(stop))
            async with asyncio.timeout(20):
                while clock.now().wall_ms < NOON_MS + 40_000:
                    await clock.sleep(1)
            stop.set()
            await recording
            await source.close()
            assert await asyncio.to_thread(writer.close, 10)
        tally = await StoredSource(path).now()
        assert [(host.host, host.gpus) for host in tally.hosts] == [("h1", 1)]

    asyncio.run(run())
    with Reader(path) as reader:
        rows = reader.quarters(NOON_MS - 900_000, NOON_MS + 900_000)
    assert {row.quarter_ms for row in rows.gpus} == {NOON_MS - 900_000, NOON_MS}
    assert {row.quarter_ms for row in rows.flows} == {NOON_MS - 900_000, NOON_MS}
