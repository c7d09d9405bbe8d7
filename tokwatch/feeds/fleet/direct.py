"""Hosts read directly, each once a second, as a FleetSource: pages of thousands, and the lanes of their agents."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from collectors.credential import Credential, Origin
from collectors.fleet.endpoint import Endpoint, Transport
from collectors.fleet.wheel import Wheel
from collectors.scrape import Scraper
from collectors.target_lists import Target
from tokwatch.feeds.clock import Clock, SystemClock
from tokwatch.feeds.fleet import HostDoor
from tokwatch.feeds.fleet.direct_host import DirectHost, Ledger
from tokwatch.feeds.fleet.direct_lane import LaneHost, Opening, is_lane
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.fleet.recent_trend import RecentTrend
from tokwatch.ledger.fleet.meter import FleetMeter
from tokwatch.ledger.fleet.report import Hello, Report
from tokwatch.ledger.fleet.tally import FetchCost, FleetTally, HostKey, HostTally, SourceNote

WINDOW_MS: Final = 10_000
LONGEST_WINDOW_MS: Final = 60_000
_FIRST_ASKS: Final = 1  # pages that are learnt in each hundredth of a second, at 3 to 5 ms each
_LAG_STRETCH: Final = 6000  # parts of the wheel: a minute
_HOSTS_AT_ONCE: Final = 8  # looked at and tallied, which is about a millisecond, before others get their turn
_PROBLEMS_TOLD: Final = 8


class DirectSource:
    """See feeds.fleet.FleetSource. Asks from `start` on, which the first `now` does; no call waits for a host."""

    def __init__(
        self,
        targets: Sequence[Target],
        *,
        interval_s: float = 1.0,
        credentials: Collection[Credential] = (),
        clock: Clock | None = None,
        fast: bool = True,
    ) -> None:
        """fast: False asks in the ways of a scrape alone. Raises SourceError for a target that cannot be asked."""
        self._interval_s = interval_s
        self._clock = clock or SystemClock()
        self.meter = FleetMeter(window_ms=LONGEST_WINDOW_MS)
        self.transport = Transport(Scraper(credentials), fast=fast)
        self._listeners: list[Ledger] = []
        self._places = {target.host: target.labels for target in targets}
        lanes = [target for target in targets if is_lane(target.url)]
        pages = [target for target in targets if not is_lane(target.url)]
        self._hosts = dict(self._of(pages, {credential.origin for credential in credentials}))
        self.lanes = dict(self._lanes_of(lanes, Opening(credentials, self._clock)))
        self._wheel = Wheel([*self._hosts.values()], self._turn, interval_s=interval_s)
        self._turns = 0
        self._trend = RecentTrend()
        self._told = (0, 0)  # pages and bytes

    @property
    def interval_s(self) -> float:
        return self._interval_s

    def listen(self, listener: Ledger) -> None:
        """Hand on what hosts say, after the meter has taken it."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to ask. Call it in the event loop."""
        if not self._turns:
            self._turns = 1
            self._wheel.start()
            for lane in self.lanes.values():
                lane.start()

    async def now(self) -> FleetTally:
        self.start()
        return self._tally(await self.hosts(WINDOW_MS))

    async def hosts(self, window_ms: int) -> tuple[HostTally, ...]:
        """All hosts as they are, looked at a few at a time: what comes in meanwhile is not held up."""
        found: list[HostTally] = []
        names = [*self._hosts, *self.lanes]
        for first in range(0, len(names), _HOSTS_AT_ONCE):
            some = names[first : first + _HOSTS_AT_ONCE]
            for name in some:
                if name in self._hosts:
                    self._hosts[name].look()
            found += self.meter.tally(self._clock.now().wall_ms, window_ms, some)
            await asyncio.sleep(0)
        return tuple(found)

    def _tally(self, hosts: tuple[HostTally, ...]) -> FleetTally:
        """The fleet of these hosts, with what reading them took since the last time."""
        at_ms = self._clock.now().wall_ms
        pages, received = self._told
        self._told = (self.transport.pages, self.transport.bytes + sum(lane.bytes for lane in self.lanes.values()))
        return FleetTally(
            at_ms=at_ms,
            window_ms=WINDOW_MS,
            interval_s=self._interval_s,
            source=f"{len(self._places)} host{'' if len(self._places) == 1 else 's'} read directly",
            hosts=hosts,
            trend=self._trend.add(at_ms, hosts),
            notes=tuple(self.notes()),
            cost=FetchCost(queries=self._told[0] - pages, bytes=self._told[1] - received),
        )

    async def at(self, at_ms: int) -> FleetTally:
        raise SourceError("these hosts are read and not recorded: `tokwatch record --targets LIST` keeps their past")

    async def span_ms(self) -> tuple[int, int] | None:
        return None

    def door(self, host: HostKey, at_ms: int | None) -> HostDoor | None:
        return None  # pages and lanes have no terminal behind them

    async def close(self) -> None:
        self._wheel.stop()
        for host in self._hosts.values():
            host.close()
        for task in tuple(self.transport.tasks):
            task.cancel()
        await asyncio.gather(*self.transport.tasks, return_exceptions=True)
        await asyncio.gather(*(lane.close() for lane in self.lanes.values()))
        await self.transport.scraper.close()

    def notes(self) -> Iterator[SourceNote]:
        """How the reading goes: endpoints and lanes, lag, what was skipped, which fail."""
        failing = [problem for host in self._hosts.values() for problem in host.problems.values()]
        down = [lane.problem for lane in self.lanes.values() if lane.problem]
        if self._hosts:
            yield from self._page_notes(len(failing))
        if self.lanes:
            connected = sum(lane.is_connected for lane in self.lanes.values())
            lanes = f"{len(self.lanes)} lane{'' if len(self.lanes) == 1 else 's'}, {connected} connected"
            yield SourceNote("lanes", not down, lanes)
        yield from _problems("endpoint", failing)
        yield from _problems("lane", down)

    def _page_notes(self, failing: int) -> Iterator[SourceNote]:
        transport = self.transport
        endpoints = [endpoint for host in self._hosts.values() for endpoint in host.endpoints]
        fast = sum(endpoint.is_fast for endpoint in endpoints)
        p50, p99 = transport.lags.quantile_ms(0.5), transport.lags.quantile_ms(0.99)
        skipped = transport.skipped + self._wheel.skipped
        yield SourceNote(
            "endpoints", not failing, f"{len(endpoints)}: {len(endpoints) - failing} answer, {fast} over the fast lane"
        )
        if p50 is not None and p99 is not None:
            lag = f"from due to read: half within {p50} ms, 99 % within {p99} ms; {skipped} turns skipped"
            is_late = p99 > 1000 * self._interval_s / 4
            yield SourceNote(
                "lag", not is_late, lag, "more hosts than one process can read: split the list" if is_late else ""
            )

    # --- told by the hosts --------------------------------------------------------------------------------------------

    def hello(self, host: str, hello: Hello, at_ms: int) -> None:
        labels = self._places[host]
        region, cluster = labels.get("region", ""), labels.get("cluster", "")
        self.meter.hello(host, hello, at_ms, region=region, cluster=cluster, tells_clock=host in self.lanes)
        for listener in self._listeners:
            listener.hello(host, hello, at_ms)

    def report(self, host: str, report: Report, at_ms: int) -> None:
        self.meter.report(host, report, at_ms)
        for listener in self._listeners:
            listener.report(host, report, at_ms)

    def failed(self, host: str, problem: str, at_ms: int) -> None:
        self.meter.failed(host, problem, at_ms)
        for listener in self._listeners:
            listener.failed(host, problem, at_ms)

    def _turn(self, hosts: Sequence[DirectHost], due: float) -> None:
        self.transport.first_asks = _FIRST_ASKS
        self._turns += 1
        if self._turns % _LAG_STRETCH == 0:
            self.transport.lags.turn()
        for host in hosts:
            host.turn(due)

    def _of(self, targets: Iterable[Target], logins: Collection[Origin]) -> Iterator[tuple[str, DirectHost]]:
        """A host of each name, with its endpoints."""
        run = uuid.uuid4().hex
        by_host: dict[str, dict[str, None]] = {}
        for target in targets:
            by_host.setdefault(target.host, {})[target.url] = None
        for name, urls in by_host.items():
            host = DirectHost(name, run, self._clock, self, interval_s=self._interval_s)
            try:
                host.endpoints = [
                    Endpoint(url, self.transport, host, has_login=Origin.of(url) in logins) for url in urls
                ]
            except ValueError as error:
                raise SourceError(f"{name}: {error}") from None
            yield name, host

    def _lanes_of(self, targets: Iterable[Target], opening: Opening) -> Iterator[tuple[str, LaneHost]]:
        """A host of each lane."""
        by_host: dict[str, str] = {}
        for target in targets:
            name, url = target.host, target.url
            if name in self._hosts:
                words = "named by a lane (/report) and by pages, which would count it twice: keep the lane alone"
                raise SourceError(f"{name} is {words}")
            if by_host.setdefault(name, url) != url:
                raise SourceError(f"{name} has two lanes, which would count it twice: keep one of them")
        for name, url in by_host.items():
            try:
                yield name, LaneHost(name, url, opening, self)
            except ValueError as error:
                raise SourceError(f"{name}: {error}") from None


def _problems(name: str, problems: Sequence[str]) -> Iterator[SourceNote]:
    """The first of them in words, and how many more there are."""
    for problem in problems[:_PROBLEMS_TOLD]:
        yield SourceNote(name, False, problem)
    if len(problems) > _PROBLEMS_TOLD:
        yield SourceNote(name, False, f"and {len(problems) - _PROBLEMS_TOLD} more fail")
