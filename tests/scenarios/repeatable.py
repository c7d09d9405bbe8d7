"""What keeps a scenario the same every time: nothing in a tick depends on this machine, nor on who was faster."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from collectors.readings import GpuCollector, GpuReading, HostReading, Probe
from tests.scenarios.virtual_clock import VirtualClock
from tokwatch.ledger.entries import TickRecord

_COMMITS_WITHIN_S = 60.0  # of real time; only a defect takes longer


class AfterThePages:
    """A GpuCollector that reads when every scraper is at rest: all pages of an instant are in the tick of it."""

    def __init__(self, gpus: GpuCollector, clock: VirtualClock) -> None:
        self._gpus = gpus
        self._clock = clock

    async def collect(self) -> tuple[GpuReading, ...]:
        await self._clock.settled(awake=1)  # the recorder itself, who asks
        return await self._gpus.collect()

    def probes(self) -> tuple[Probe, ...]:
        return self._gpus.probes()

    def call_durations(self) -> dict[str, tuple[int, float, float]]:
        return self._gpus.call_durations()

    async def close(self) -> None:
        await self._gpus.close()


class QuietHost:
    """A HostSource. The load of the machine that runs the test is no part of a scenario."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def collect(self) -> HostReading:
        return HostReading(self._clock.now_ns, cpu_utilization=0.1)


class Disk:
    """How far the store has come, which its writer's thread tells."""

    def __init__(self) -> None:
        self._submitted_ms = self._committed_ms = 0
        self._news = threading.Condition()

    def submitted(self, record: TickRecord) -> None:
        self._submitted_ms = record.tick.tick_ms

    def committed(self, tick_ms: int) -> None:
        with self._news:
            self._committed_ms = tick_ms
            self._news.notify()

    def catch_up(self) -> None:
        """Return when every tick is in the file."""
        with self._news:
            assert self._news.wait_for(lambda: self._committed_ms >= self._submitted_ms, _COMMITS_WITHIN_S)


class AtOnce(ThreadPoolExecutor):
    """What a coroutine hands to a thread is done before it goes on, on a store that has every tick."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(max_workers=1)
        self._disk = disk

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        self._disk.catch_up()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - not swallowed: whoever awaits the future gets it
            done.set_exception(error)
        return done
