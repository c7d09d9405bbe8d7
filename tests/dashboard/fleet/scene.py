"""A fleet of 60 simulated hosts at noon, a feed that shows it, and apps on a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import cache
from typing import Any

from msgspec.structs import replace
from textual.pilot import Pilot

from tests.feeds.quiet_box import NOON_MS, AdvancedClock
from tokwatch.dashboard.fleet.app import FleetApp
from tokwatch.dashboard.remembered import Memory
from tokwatch.dashboard.terminal import Terminal
from tokwatch.demo.fleet_prices import demo_book
from tokwatch.demo.fleet_source import PAST_MS, SimulatedFleet
from tokwatch.feeds.fleet import HostDoor
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.snapshot import FleetSnapshot
from tokwatch.ledger.fleet.tally import FetchCost, HostKey

REFUSED = "http://prom:9090 refuses the connection: is it running there?; asked again in 10 s"
PARTIAL = "thanos: store oslo-2 did not answer in time, its hosts are missing"


@cache
def fleet_of(hosts: int = 60, **changes: Any) -> FleetSnapshot:
    """The simulated fleet at noon, as if Prometheus had told of it."""
    tally = SimulatedFleet(hosts, AdvancedClock(NOON_MS)).tally_at(NOON_MS)
    tally = replace(tally, source="Prometheus http://prom:9090", cost=FetchCost(14, 183_000, 412, 38), **changes)
    return fleet_snapshot(tally, demo_book(hosts), cpu_share=Figure(0.021))


async def fail(pilot: Pilot[Any], app: FleetAppInTest) -> None:
    """Its source has refused for 42 s."""
    app.now_s += 42
    feed_of(app).send(failing())
    await pilot.pause()


def failing() -> FleetSnapshot:
    """The same while its source refuses."""
    return replace(fleet_of(), problems=(REFUSED,), warnings=(PARTIAL,))


class FakeFleetFeed:
    """A FleetFeed over snapshots given by hand. Remembers what the transport was told."""

    def __init__(self, snapshots: Sequence[FleetSnapshot], *, can_go_live: bool = True) -> None:
        self.can_go_live = can_go_live
        self.speed = 1.0
        self.span_ms: tuple[int, int] | None = (NOON_MS - PAST_MS, NOON_MS)
        self.told: list[tuple[object, ...]] = []
        self.doors: dict[HostKey, HostDoor] = {}
        self.no_door: SourceError | None = None
        self.fails: Exception | None = None
        self.closed = False
        self._queue: asyncio.Queue[FleetSnapshot] = asyncio.Queue()
        for snapshot in snapshots:
            self.send(snapshot)

    def send(self, snapshot: FleetSnapshot) -> None:
        self._queue.put_nowait(snapshot)

    async def snapshots(self) -> AsyncIterator[FleetSnapshot]:
        if self.fails is not None:
            raise self.fails
        while True:
            yield await self._queue.get()

    def pause(self) -> None:
        self.told.append(("pause",))

    def play(self) -> None:
        self.told.append(("play",))

    def step(self, turns: int) -> None:
        self.told.append(("step", turns))

    def seek(self, at_ms: int) -> None:
        self.told.append(("seek", at_ms))

    def set_speed(self, speed: float) -> None:
        self.speed = speed
        self.told.append(("set_speed", speed))

    def go_live(self) -> None:
        self.told.append(("go_live",))

    def door(self, host: HostKey) -> HostDoor | None:
        if self.no_door is not None:
            raise self.no_door
        return self.doors.get(host)

    async def close(self) -> None:
        self.closed = True


class FleetAppInTest(FleetApp):
    """Remembers the doors that were gone through, and goes through none: a test has no terminal to lend."""

    def __init__(self, feed: FakeFleetFeed, *, ascii_only: bool = False, memory: Memory | None = None) -> None:
        self.now_s = NOON_MS / 1000  # moved by tests
        super().__init__(feed, terminal=Terminal(ascii_only=ascii_only), now=lambda: self.now_s, memory=memory)
        self.gone_through: list[HostDoor] = []

    def go_through(self, door: HostDoor) -> None:
        self.gone_through.append(door)


def app_of(*snapshots: FleetSnapshot, **options: Any) -> FleetAppInTest:
    """An app that shows them one after the other."""
    return FleetAppInTest(FakeFleetFeed(snapshots or (fleet_of(),)), **options)


def feed_of(app: FleetApp) -> FakeFleetFeed:
    assert isinstance(app.feed, FakeFleetFeed)
    return app.feed


def paused(snapshot: FleetSnapshot, minutes_ago: int = 60) -> FleetSnapshot:
    """The same, some time ago."""
    return replace(snapshot, mode="paused", at_ms=snapshot.at_ms - minutes_ago * 60_000)
