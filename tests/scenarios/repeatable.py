"""What keeps a scenario the same every time: nothing in a tick depends on this machine, nor on who was faster."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from collectors.readings import GpuCollector, GpuReading, HostReading, Probe
from tests.scenarios.virtual_clock import VirtualClock


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


class AtOnce(ThreadPoolExecutor):
    """What a coroutine hands to a thread is done before it goes on."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - not swallowed: whoever awaits the future gets it
            done.set_exception(error)
        return done
