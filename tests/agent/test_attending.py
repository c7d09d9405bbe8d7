"""Where the ticks come from: recorded here, read from another recorder's store, and recorded on when that one goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from queue import SimpleQueue

import pytest

from tests.feeds.quiet_box import AdvancedClock, OneGpu, begun_at
from tokwatch.agent.attending import Attendant
from tokwatch.agent.board import Board
from tokwatch.feeds import takeover
from tokwatch.feeds.live_recording import Recordable
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.takeover import Heir
from tokwatch.ledger.fleet.report_of import Statement
from tokwatch.store.lock import RecorderLock
from tokwatch.store.reader import Reader


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


class Agent:
    """An Attendant on a clock that is advanced by hand."""

    def __init__(self, clock: AdvancedClock) -> None:
        self.clock, self.board, self.stop = clock, Board(), asyncio.Event()
        self.words: list[str] = []
        self.attendant = Attendant(self.board, clock, self.stop, tell=self.words.append, journal=lambda record: None)

    async def until(self, wanted: Callable[[Statement], bool], step_s: float = 1.0) -> Statement:
        """Let time pass until it says that."""
        async with asyncio.timeout(20):
            while self.board.notice is None or not wanted(self.board.notice.statement):
                self.clock.advance(step_s)
                news = asyncio.ensure_future(self.board.after(self.board.notice.number if self.board.notice else 0))
                asleep = asyncio.ensure_future(self.clock.asleep(1))
                await asyncio.wait({news, asleep}, return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
                asleep.cancel()
        return self.board.notice.statement


def recordable(store: Path, clock: AdvancedClock) -> Recordable:
    return Recordable(
        store, begin=lambda: begun_at(store, clock, price=3.6), open_sources=lambda: OneGpu(clock), interval_s=1.0
    )


@asynccontextmanager
async def running(agent: Agent, store: Path, *, follows: bool) -> AsyncIterator[None]:
    wanted = recordable(store, agent.clock)
    if follows:
        task = asyncio.create_task(agent.attendant.follow(store, Heir(wanted, exclusive_host=False)))
    else:
        lock = RecorderLock.acquire(store, exclusive_host=False)
        assert lock is not None
        task = asyncio.create_task(agent.attendant.record(wanted, lock))
    try:
        yield
    finally:
        agent.stop.set()
        await asyncio.wait_for(task, 20)


async def test_recording_it_says_what_the_store_holds(store: Path) -> None:
    agent = Agent(AdvancedClock())
    async with running(agent, store, follows=False):
        statement = await agent.until(lambda said: said.ticks >= 20)
    with Reader(store) as reader:
        rows = reader.quarters(0, 2**42).gpus
    last = agent.board.notice
    assert last is not None
    statement = last.statement
    [gpu] = statement.report.gpus
    assert gpu.energy_mj == sum(row.energy_mj or 0 for row in rows)
    assert gpu.idle_energy_mj == sum(row.idle_energy_mj or 0 for row in rows)
    assert sum(ms for _, ms in gpu.state_ms) == sum(row.observed_ms for row in rows)
    assert statement.cost[0][0] == "USD"


async def test_when_it_ends_everything_is_on_the_disk_and_the_host_is_free(store: Path) -> None:
    agent = Agent(AdvancedClock())
    async with running(agent, store, follows=False):
        await agent.until(lambda said: said.ticks >= 3)
    assert agent.board.notice is not None
    with Reader(store) as reader:
        assert reader.last_tick() == agent.board.notice.statement.tick_ms
    lock = RecorderLock.acquire(store, exclusive_host=False)
    assert lock is not None
    lock.release()


async def test_following_it_counts_from_the_tick_it_first_saw(store: Path) -> None:
    clock = AdvancedClock()
    lock = RecorderLock.acquire(store, exclusive_host=False)
    assert lock is not None
    on_disk: SimpleQueue[int] = SimpleQueue()
    begun = await asyncio.to_thread(lambda: begun_at(store, clock, on_commit=on_disk.put))
    recorder = Recorder(OneGpu(clock), begun.bookkeeper, begun.writer, clock, interval_s=1.0)

    async def record(ticks: int) -> None:
        for _ in range(ticks):
            clock.advance(1.0)
            await recorder.turn()
            await asyncio.to_thread(on_disk.get)

    await record(5)
    agent = Agent(clock)
    async with running(agent, store, follows=True):
        first = await agent.until(lambda said: True, step_s=0)
        [gpu] = first.report.gpus
        assert (first.ticks, first.report.watched_ms, gpu.energy_mj) == (0, 0, None)
        assert first.hello.started_ms == first.tick_ms
        await record(4)
        later = await agent.until(lambda said: said.ticks == 4, step_s=takeover.POLL_S)
        [gpu] = later.report.gpus
        assert (later.report.watched_ms, gpu.energy_mj) == (4000, 400_000)
        assert later.hello.run == first.hello.run
    assert await asyncio.to_thread(begun.writer.close, 10.0)
    lock.release()


async def test_when_the_recorder_goes_it_records_on_and_its_counters_go_on(store: Path) -> None:
    clock = AdvancedClock()
    begun = await asyncio.to_thread(begun_at, store, clock)
    recorder = Recorder(OneGpu(clock), begun.bookkeeper, begun.writer, clock, interval_s=1.0)
    clock.advance(1.0)
    await recorder.turn()
    assert await asyncio.to_thread(begun.writer.close, 10.0)  # gone, and nobody holds the lock
    agent = Agent(clock)
    async with running(agent, store, follows=True):
        first = await agent.until(lambda said: True, step_s=0)
        later = await agent.until(lambda said: said.ticks >= 3)
    assert later.hello.run == first.hello.run
    [gpu] = later.report.gpus
    assert gpu.energy_mj is not None
    assert later.tick_ms > first.tick_ms
