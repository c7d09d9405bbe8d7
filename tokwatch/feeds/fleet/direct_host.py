"""One host that is read directly: the turns of its endpoints, and reports to whoever takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from zlib import crc32

from collectors.fleet.endpoint import Endpoint
from collectors.fleet.page_samples import PageValues
from tokwatch.feeds.clock import Clock
from tokwatch.ledger.axis import NS_PER_MS
from tokwatch.ledger.fleet.host_quarters import LOOK_MS
from tokwatch.ledger.fleet.page_counters import HostPages
from tokwatch.ledger.fleet.report import Hello, Report


class Ledger(Protocol):
    """Who takes what hosts say. Instants are Unix milliseconds, ours."""

    def hello(self, host: str, hello: Hello, at_ms: int) -> None: ...

    def report(self, host: str, report: Report, at_ms: int) -> None: ...

    def failed(self, host: str, problem: str, at_ms: int) -> None: ...


class DirectHost:
    """Listens to its endpoints.

    Every page is read when it comes; what it says is made a report of when somebody looks: a screen every second, the
    store every five. Counters go on in between, and where one fell or a series came or went, the page before is looked
    at too: so nothing is lost, and a page that nobody looks at takes half the time.
    """

    def __init__(self, name: str, run: str, clock: Clock, ledger: Ledger, *, interval_s: float) -> None:
        now = clock.now()
        self.name = name
        self.endpoints: Sequence[Endpoint] = ()
        self.problems: dict[str, str] = {}  # by endpoint, of those that failed last
        self._clock = clock
        self._ledger = ledger
        self._started_ns = now.boottime_ns
        self._pages = HostPages(name, run, started_ms=now.wall_ms, interval_s=interval_s)
        self._unlooked: dict[str, tuple[PageValues, int]] = {}  # the newest page of each endpoint, and when it came
        self._look_every = max(1, round(LOOK_MS / 1000 / interval_s))  # turns
        self._turns = crc32(name.encode()) % self._look_every  # hosts are looked at one after another

    def turn(self, due: float) -> None:
        """Ask all endpoints, after a look at their last answers where it is time for one."""
        self._turns += 1
        if self._turns % self._look_every == 0:
            self.look()
        for endpoint in self.endpoints:
            endpoint.turn(due)

    def look(self) -> None:
        """Report what the newest pages say; nothing where none came since the last look.

        The report is of when they came: counters stand as they stood then, and rates are divided by that time.
        """
        if not self._unlooked:
            return
        for url, (page, came_ms) in self._unlooked.items():
            self._add(url, page, came_ms)
        newest_ms = max(came_ms for _, came_ms in self._unlooked.values())
        self._unlooked.clear()
        now = self._clock.now()
        now_ms = now.boottime_ns // NS_PER_MS
        wall_ms = now.wall_ms - (now_ms - newest_ms)
        report = self._pages.report(now_ms, wall_ms, newest_ms - self._started_ns // NS_PER_MS)
        if report is not None:
            self._ledger.report(self.name, report, wall_ms)

    def close(self) -> None:
        for endpoint in self.endpoints:
            endpoint.close()

    # --- told by its endpoints ----------------------------------------------------------------------------------------

    def read(self, endpoint: Endpoint, page: PageValues, at_ns: int) -> None:
        url = endpoint.url
        if self.problems:
            self.problems.pop(url, None)
        before = self._unlooked.get(url)
        if before is not None and not page.goes_on_from(before[0]):
            self._add(url, *before)
        self._unlooked[url] = page, at_ns // NS_PER_MS

    def failed(self, endpoint: Endpoint, problem: str) -> None:
        self.problems[endpoint.url] = problem
        if len(self.problems) == len(self.endpoints):
            self._ledger.failed(self.name, problem, self._clock.now().wall_ms)

    def _add(self, url: str, page: PageValues, at_ms: int) -> None:
        hello = self._pages.add(url, page.sample(), at_ms)
        if hello is not None:
            self._ledger.hello(self.name, hello, self._clock.now().wall_ms)
