"""Watches metric exporters: each in its own task, handing out the newest readings of its GPUs and the host's watts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from collectors.exposition import ExpositionError
from collectors.meters.counter_news import CounterNews
from collectors.meters.meter import Covers
from collectors.meters.reader import MOST_DEVICES, HostPower, MeterPage, read_meter_page
from collectors.power_sensors import ServerWatts
from collectors.readings import GpuFacts, GpuReading, Probe, Reason, boottime_ns
from collectors.scrape import Page, Scraper
from collectors.scrape_error import Failure, ScrapeError

MAX_BACKOFF_S = 30.0
STALE_AFTER = 3  # intervals without a page
THREAD_BYTES = 16 * 1024  # the page of eight GPUs takes some milliseconds; a larger one would hold up the screen

_MAY_PASS = frozenset({Failure.UNREACHABLE, Failure.TIMEOUT})  # an exporter that is just starting

NowNs = Callable[[], int]
Sleep = Callable[[float], Awaitable[None]]


_Key = tuple[str, str]


def _key(facts: GpuFacts) -> _Key:
    """A GPU as one meter tells it. Not its index beside its UUID: a GPU may be numbered anew."""
    return facts.meter, facts.uuid or facts.pci_bus_id or str(facts.index)


def _with_path(url: str) -> str:
    parts = urlsplit(url)
    return url if parts.path not in ("", "/") else urlunsplit(parts._replace(path="/metrics"))


class ExporterCollector:
    """A GpuCollector. Keeps one scraping task for each URL; a slow or dead exporter never holds up another.

    `configured` URLs were named by the user and are kept at; `set_likely` ones are dropped for good when their page
    is not an exporter's. One that was read and then went away stays, stale and not asked, until it is likely again:
    were it dropped, its last watts would stand for minutes. `host` is this box's name, by which pages that gather
    several machines are told apart.
    Belongs to one running event loop. The scraper stays its owner's to close.
    """

    def __init__(
        self,
        scraper: Scraper,
        *,
        configured: Sequence[str] = (),
        host: str = "",
        interval_s: float = 1.0,
        now_ns: NowNs = boottime_ns,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._scraper = scraper
        self._host = host
        self._interval_s = interval_s
        self._now_ns = now_ns
        self._sleep = sleep
        self._configured = {url: self._watch(url, configured=True) for url in map(_with_path, configured)}
        self._likely: dict[str, _Watch] = {}

    def set_likely(self, urls: Sequence[str]) -> None:
        """Try exactly these from now on, beside the configured ones."""
        for url in self._likely.keys() - urls:
            if self._likely[url].was_read:
                self._likely[url].leave()
            else:
                self._likely.pop(url).stop()
        for url in urls:
            if url in self._likely:
                self._likely[url].come_back()
            elif url not in self._configured:
                self._likely[url] = self._watch(url, configured=False)

    @property
    def settled(self) -> bool:
        """Whether every exporter has answered or failed once: what is not known by now is not there."""
        return all(watch.settled for watch in self._watches())

    async def collect(self) -> tuple[GpuReading, ...]:
        """The newest readings since the last call; a GPU whose exporter fell silent comes with its problem.

        A GPU that two exporters of one kind tell of, or one under two URLs, comes from the first that still does.
        """
        readings = [(watch, reading) for watch in self._watches() for reading in watch.take()]
        tellers: dict[_Key, _Watch] = {}
        for still in (True, False):
            for watch in self._watches():
                for key in watch.gpus(still_told=still):
                    tellers.setdefault(key, watch)
        return tuple(reading for watch, reading in readings if tellers[_key(reading.facts)] is watch)

    def server_power(self) -> ServerWatts | None:
        """Watts of the whole server, of the first exporter that tells them and is not stale."""
        for watch in self._watches():
            for power in watch.host_power():
                if power.covers is Covers.SERVER:
                    return ServerWatts(power.power_w, power.source)
        return None

    def probes(self) -> tuple[Probe, ...]:
        return tuple(probe for watch in self._watches() if (probe := watch.probe()) is not None)

    def call_durations(self) -> dict[str, tuple[int, float, float]]:
        return {}

    async def close(self) -> None:
        watches = self._watches()
        for watch in watches:
            watch.stop()
        await asyncio.gather(*(watch.stopped() for watch in watches))

    def _watches(self) -> tuple[_Watch, ...]:
        return (*self._configured.values(), *self._likely.values())

    def _watch(self, url: str, *, configured: bool) -> _Watch:
        return _Watch(url, self._scraper, self._host, self._interval_s, self._now_ns, self._sleep, configured)


class _Watch:
    """One exporter: its newest page, the GPUs it ever told of, and the task that keeps asking."""

    def __init__(
        self,
        url: str,
        scraper: Scraper,
        host: str,
        interval_s: float,
        now_ns: NowNs,
        sleep: Sleep,
        configured: bool,
    ) -> None:
        self._url = url
        self._origin = urlsplit(url).netloc
        self._scraper = scraper
        self._host = host
        self._interval_s = interval_s
        self._now_ns = now_ns
        self._sleep = sleep
        self._is_configured = configured
        self._page: MeterPage | None = None
        self._body = b""
        self._page_ns = 0
        self._taken = True
        self._problem = ""
        self._failures = 0
        self._known: dict[_Key, tuple[GpuFacts, CounterNews]] = {}
        self._told: set[_Key] = set()  # of these, those on the newest page
        self._left = False  # nobody we trust listens there any more
        self.settled = False
        self._task = self._start()

    @property
    def was_read(self) -> bool:
        return self._page is not None

    def leave(self) -> None:
        """Asks no more, for whoever listens there next may be anybody; goes on telling that its GPUs are stale."""
        if not self._left:
            self._left = True
            self._problem = f"{self._origin}: no exporter to be trusted listens there any more: is it stopped?"
            self.stop()

    def come_back(self) -> None:
        """Asks again if it was left."""
        if self._left:
            self._left, self._failures = False, 0
            self._task = self._start()

    def take(self) -> tuple[GpuReading, ...]:
        if self._task.done() and not self._task.cancelled():
            self._task.result()  # a defect in the task is raised here and not lost with it
        if self._page is None:
            return ()
        if self._stale():
            return self._silent(self._known, self._problem or f"{self._origin}: no page: is the exporter overloaded?")
        if self._taken:
            return ()
        self._taken = True
        told = {_key(gpu.facts): gpu for gpu in self._page.gpus}
        for key, gpu in told.items():
            if key in self._known:
                self._known[key] = gpu.facts, self._known[key][1]
            elif len(self._known) < MOST_DEVICES:  # each is kept for ever, and a page may have new names every time
                self._known[key] = gpu.facts, CounterNews()
        self._told = self._known.keys() & told.keys()
        fresh = (self._known[k][1].of(replace(gpu, at_ns=self._page_ns)) for k, gpu in told.items() if k in self._told)
        return (*fresh, *self._silent(self._known.keys() - self._told, f"{self._origin} no longer tells of it"))

    def gpus(self, *, still_told: bool) -> Collection[_Key]:
        """The GPUs on its newest page, () where that is stale; or all that it ever told of."""
        if still_told:
            return () if self._page is None or self._stale() else self._told
        return self._known.keys()

    def host_power(self) -> Sequence[HostPower]:
        return () if self._page is None or self._stale() else self._page.host

    def probe(self) -> Probe | None:
        name = f"exporter {self._origin}"
        if self._problem:
            hint = "check the URL in the config" if self._is_configured else ""
            hint = "start it again, or name its URL under [[meters]] in the config" if self._left else hint
            seen = self._is_configured or self.was_read
            return Probe(name, ok=False, found=self._problem, hint=hint) if seen else None
        if self._page is None:
            return Probe(name, ok=False, found="no answer yet") if self._is_configured else None
        count = len(self._page.gpus)
        told = [f"{count} GPU{'s' * (count != 1)}"] if count else []
        told += [power.covers.value for power in self._page.host]
        found = f"{' and '.join(self._page.meters)}: {', '.join(told) or 'nothing that is read'}"
        if len(self._known) >= MOST_DEVICES:
            return Probe(
                name, False, f"{found}; more than {MOST_DEVICES} so far: new ones are left out", "is it one box?"
            )
        return Probe(name, ok=bool(told), found=found)

    def stop(self) -> None:
        self._task.cancel()

    async def stopped(self) -> None:
        await asyncio.wait([self._task])

    def _start(self) -> asyncio.Task[None]:
        return asyncio.create_task(self._run(), name=f"scrape {self._origin}")

    # --- the task -------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            started_ns = self._now_ns()
            goes_on = await self._scrape()
            self.settled = True
            if not goes_on:
                return
            await self._sleep(self._pause_s((self._now_ns() - started_ns) / 1e9))

    async def _scrape(self) -> bool:
        """Whether to ask again."""
        try:
            page = await self._scraper.get(self._url, configured=self._is_configured)
            read = await self._read(page)
        except ScrapeError as error:
            return self._failed(str(error), may_pass=error.failure in _MAY_PASS)
        except ExpositionError as error:
            return self._failed(f"{self._origin}: {error}", may_pass=False)
        if not read.meters:  # dcgm-exporter's page is empty until DCGM has started
            return self._failed(f"{self._origin}: no metrics of a known meter there", may_pass=not page.body.strip())
        self._page, self._body, self._page_ns, self._taken = read, page.body, page.at_ns, False
        self._problem, self._failures = "", 0
        return True

    def _failed(self, problem: str, *, may_pass: bool) -> bool:
        """Whether to ask again: what merely listens on a usual port and is no exporter is left alone."""
        self._problem = problem
        self._failures += 1
        return may_pass or self._is_configured or self.was_read

    async def _read(self, page: Page) -> MeterPage:
        """What the page tells; where it is the same page again, which most are between two samples, what it told."""
        if self._page is not None and page.body == self._body:
            return self._page

        def read() -> MeterPage:
            return read_meter_page(page.body, page.at_ns, origin=self._origin, host=self._host)

        return await asyncio.to_thread(read) if len(page.body) > THREAD_BYTES else read()

    def _pace_s(self) -> float:
        return max(self._interval_s, self._page.interval_s if self._page else 0.0)

    def _pause_s(self, took_s: float) -> float:
        """Until the next beat of the interval, so that a late scrape is skipped and not made up for."""
        pace_s = self._pace_s()
        if self._failures > 1:
            return min(MAX_BACKOFF_S, pace_s * 2.0 ** min(self._failures - 1, 10))
        return pace_s - took_s % pace_s

    # --- silence --------------------------------------------------------------------------------------------------

    def _stale(self) -> bool:
        return self._now_ns() - self._page_ns > STALE_AFTER * self._pace_s() * 1e9

    def _silent(self, keys: Iterable[_Key], words: str) -> tuple[GpuReading, ...]:
        now_ns = self._now_ns()
        return tuple(GpuReading(self._known[key][0], now_ns, problem=Reason.STALE, problem_text=words) for key in keys)
