"""Boxes over the user's own ssh as a FleetSource: an agent on each, started by us and gone with us."""

from __future__ import annotations

import asyncio
import os
import random
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tokwatch.feeds.clock import Clock, SystemClock
from tokwatch.feeds.fleet import HostDoor
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.fleet.recent_trend import RecentTrend
from tokwatch.feeds.fleet.ssh_box import Patience, SshBox
from tokwatch.feeds.fleet.ssh_hosts import SshHost
from tokwatch.ledger.fleet.meter import FleetMeter
from tokwatch.ledger.fleet.tally import FetchCost, FleetTally, HostKey

WINDOW_MS: Final = 10_000
CALLING_AT_ONCE: Final = 8  # sshd lets ten log in at once (MaxStartups), and a jump host is one for all
_LOOK_S: Final = 0.1
_SSH_VARIABLE: Final = "TOKWATCH_SSH"


def ssh_program(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """ssh with options of the user's, as TOKWATCH_SSH names it ("ssh -F fleet.conf"). Raises SourceError."""
    try:
        words = tuple(shlex.split(environ.get(_SSH_VARIABLE, "ssh")))
    except ValueError as error:
        raise SourceError(f"{_SSH_VARIABLE} cannot be read: {error}") from None
    return words or ("ssh",)


class SshSource:
    """See feeds.fleet.FleetSource. Calls the boxes from the first `now` on; no call waits for a box."""

    interval_s = 1.0

    def __init__(
        self,
        hosts: Sequence[SshHost],
        *,
        clock: Clock | None = None,
        ssh: Sequence[str] = ("ssh",),
        window_ms: int = WINDOW_MS,
        patience: Patience | None = None,
        share: Callable[[], float] = random.random,
    ) -> None:
        """ssh: the program and options of the user's. share: of the pauses between calls that is chance, 0..1."""
        self._clock = clock or SystemClock()
        self._ssh = tuple(ssh)
        self._window_ms = window_ms
        self._meter = FleetMeter(window_ms=window_ms)
        self._trend = RecentTrend()
        self._bytes = 0
        calling = asyncio.Semaphore(CALLING_AT_ONCE)
        self._boxes = {
            host.name: SshBox(
                host, self._meter, calling, self._clock, ssh=self._ssh, patience=patience or Patience(), share=share
            )
            for host in hosts
        }
        self._running: list[asyncio.Task[None]] = []

    async def now(self) -> FleetTally:
        if not self._running:
            self._running = [asyncio.create_task(box.run()) for box in self._boxes.values()]
            await asyncio.sleep(0)  # so that all of them are in the first tally
        for task in self._running:
            if task.done():
                task.result()  # it runs until it is cancelled: this raises what went wrong in it
        at_ms = self._clock.now().wall_ms
        hosts = self._meter.tally(at_ms, self._window_ms)
        heard = sum(box.bytes for box in self._boxes.values())
        news, self._bytes = heard - self._bytes, heard
        count = len(self._boxes)
        return FleetTally(
            at_ms=at_ms,
            window_ms=self._window_ms,
            interval_s=self.interval_s,
            source=f"{count} box{'' if count == 1 else 'es'} over ssh",
            hosts=hosts,
            trend=self._trend.add(at_ms, hosts),
            warnings=tuple(self._counted_twice()),
            notes=tuple(box.note() for box in self._boxes.values()),
            cost=FetchCost(bytes=news),
            simulated=any(box.hello is not None and box.hello.simulated for box in self._boxes.values()),
        )

    async def settled(self, within_s: float) -> FleetTally:
        """The first tally in which every box has rates or a reason for having none, or that of after `within_s`."""
        tally = await self.now()
        until_ns = self._clock.now().boottime_ns + round(within_s * 1e9)
        while self._clock.now().boottime_ns < until_ns and not all(box.is_settled for box in self._boxes.values()):
            await self._clock.sleep(_LOOK_S)
            tally = await self.now()
        return tally

    async def at(self, at_ms: int) -> FleetTally:
        raise SourceError("boxes over ssh have no common past: look into one of them, or ask a Prometheus")

    async def span_ms(self) -> tuple[int, int] | None:
        return None

    def door(self, host: HostKey, at_ms: int | None) -> HostDoor | None:
        """The box's own tokwatch, as it is now: its past is gone to in there."""
        name = host.host
        if name not in self._boxes:
            return None
        return HostDoor((*self._ssh, "-t", "--", name, self._boxes[name].program), f"tokwatch on {name}, over ssh")

    async def close(self) -> None:
        """Ends every ssh, and with it the agents."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running = []

    def _counted_twice(self) -> list[str]:
        """Two names of one box."""
        names: dict[str, str] = {}  # of GPUs
        told: dict[tuple[str, str], None] = {}
        for name, box in self._boxes.items():
            for gpu in box.hello.gpus if box.hello is not None and not box.hello.simulated else ():
                if gpu.uuid is not None and (other := names.setdefault(gpu.uuid, name)) != name:
                    told[other, name] = None
        return [f"{one} and {other} are one box, counted twice: name it once" for one, other in told]
