"""Scrapes a set of inference servers, each on its own task, and hands out the newest reading of each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from collectors.engine_info import MODEL, info_url, read_info
from collectors.exposition import ExpositionError, PageKind
from collectors.page_reader import PageReader
from collectors.readings import UNNAMED, Probe, ServerFacts, ServerReading, boottime_ns
from collectors.scrape import Page, Scraper
from collectors.scrape_error import Failure, ScrapeError

INTERVAL_S = 1.0
MAX_BACKOFF_S = 10.0
# Most engines; TensorRT-LLM; NIM 1.x; LiteLLM, which redirects from the first. Triton's is on a port of its own.
PATHS = ("/metrics", "/prometheus/metrics", "/v1/metrics", "/metrics/")
# TensorRT-LLM's page at /metrics is JSON, and each read takes data away from whoever owns it: never asked for there.
ONLY_PATH = {"tensorrt-llm": "/prometheus/metrics"}
SWITCHED_OFF = {"tensorrt-llm": "set return_perf_metrics: true in the options of trtllm-serve"}
WRONG_PATH = frozenset({Failure.NOT_FOUND, Failure.REFUSED, Failure.REDIRECT})  # another path may fare better
THREAD_BYTES = 256 * 1024  # a page of 50 kB parses in about 1 ms; a larger one would hold up the screen

NowNs = Callable[[], int]
Sleep = Callable[[float], Awaitable[None]]


class ServerCollector:
    """Keeps one scraping task for each server it was given. A slow or dead server never holds up another.

    Belongs to one running event loop. `now_ns` is CLOCK_BOOTTIME in nanoseconds.
    """

    def __init__(
        self,
        scraper: Scraper,
        *,
        interval_s: float = INTERVAL_S,
        now_ns: NowNs = boottime_ns,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._scraper = scraper
        self._interval_s = interval_s
        self._now_ns = now_ns
        self._sleep = sleep
        self._watches: dict[tuple[str, str], _Watch] = {}

    def set_servers(self, servers: Sequence[ServerFacts]) -> None:
        """Watches exactly `servers` from now on. A server with a new process or URL is looked at afresh."""
        watches: dict[tuple[str, str], _Watch] = {}
        for key, facts in {(facts.address, facts.engine): facts for facts in servers}.items():
            watch = self._watches.get(key)
            if watch is not None and watch.still_watches(facts):
                watch.facts = facts
            else:
                watch = _Watch(facts, self._scraper, self._interval_s, self._now_ns, self._sleep)
            watches[key] = watch
        kept = set(watches.values())
        for watch in self._watches.values():
            if watch not in kept:
                watch.stop()
        self._watches = watches

    def drain(self) -> tuple[ServerReading, ...]:
        """The newest reading of each server since the last call; a server that cannot be scraped says so each time."""
        readings = (watch.take() for watch in self._watches.values())
        return tuple(reading for reading in readings if reading is not None)

    def probes(self) -> tuple[Probe, ...]:
        return tuple(watch.probe() for watch in self._watches.values())

    async def close(self) -> None:
        """Stops every task and closes the connections."""
        watches = tuple(self._watches.values())
        self.set_servers(())
        await asyncio.gather(*(watch.stopped() for watch in watches))
        await self._scraper.close()


class _Watch:
    """One server: where its page is, its newest reading, and the task that keeps asking."""

    def __init__(self, facts: ServerFacts, scraper: Scraper, interval_s: float, now_ns: NowNs, sleep: Sleep) -> None:
        self.facts = facts
        self._scraper = scraper
        self._interval_s = interval_s
        self._now_ns = now_ns
        self._sleep = sleep
        self._urls = _urls_to_try(facts.metrics_url, facts.engine) if facts.metrics_url else ()
        self._good_url: str | None = None
        self._not_again: set[str] = set()
        self._pages = PageReader()
        self._info: dict[str, str] = {}  # what the engine told of itself …
        self._info_of: str | None = None  # … in this incarnation
        self._failures = 0
        self._newest: ServerReading | None = None
        self._taken = True
        self._task = asyncio.create_task(self._run(), name=f"scrape {facts.address}") if self._urls else None

    def still_watches(self, facts: ServerFacts) -> bool:
        """Whether `facts` are of the same process behind the same URL, so that what was learnt still holds."""
        old = self.facts
        return (old.metrics_url, old.pid, old.started_at_s) == (facts.metrics_url, facts.pid, facts.started_at_s)

    def take(self) -> ServerReading | None:
        if self._task is None:
            return self._failed(self.facts.hint or f"no metrics endpoint of {self.facts.engine} is known")
        if self._task.done() and not self._task.cancelled():
            self._task.result()  # a defect in the task is raised here and not lost with it
        if self._taken:
            return None
        self._taken = True
        return self._newest

    def probe(self) -> Probe:
        name, hint = f"server {self.facts.address}", self.facts.hint
        if self._task is None:
            return Probe(name, ok=False, found=f"{self.facts.engine}, no metrics endpoint", hint=hint)
        if self._newest is None:
            return Probe(name, ok=False, found=f"{self.facts.engine}, no answer yet", hint=hint)
        if not self._newest.ok:
            return Probe(name, ok=False, found=self._newest.problem, hint=hint)
        # No sizes and times here: they change with every scrape, and every change of a probe is kept.
        path = urlsplit(self._good_url or "").path
        return Probe(name, ok=True, found=f"{self._newest.server.engine}, read from {path}")

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def stopped(self) -> None:
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            started_ns = self._now_ns()
            self._newest = await self._reading()
            self._taken = False
            self._failures = 0 if self._newest.ok else self._failures + 1
            await self._sleep(self._pause_s((self._now_ns() - started_ns) / 1e9))

    def _pause_s(self, took_s: float) -> float:
        """Until the next beat of the interval, so that a late scrape is skipped and not made up for."""
        if self._failures > 1:
            return min(MAX_BACKOFF_S, self._interval_s * 2.0 ** min(self._failures - 1, 10))
        return self._interval_s - took_s % self._interval_s

    async def _reading(self) -> ServerReading:
        """A reading from the URL that worked, else from the first that does."""
        first_problem = ""
        for url in (self._good_url,) if self._good_url else self._urls:
            if url in self._not_again:
                continue
            try:
                page = await self._scraper.get(url, configured=self.facts.origin == "config")
                reading = await self._with_info(await self._read(page), url)
            except ScrapeError as error:
                first_problem = first_problem or str(error)
                if error.failure not in WRONG_PATH:
                    break
                self._good_url = None
            except ExpositionError as error:
                first_problem = first_problem or f"{self.facts.address}{urlsplit(url).path}: {error}"
                if error.kind is PageKind.JSON:
                    self._not_again |= {url, f"{url}/"}  # TensorRT-LLM's, of which nobody has told us
                self._good_url = None
            else:
                if reading.ok:
                    self._good_url = url
                    return reading
                first_problem = first_problem or reading.problem
        return self._failed(first_problem or f"{self.facts.address} has no metrics page at the usual paths")

    async def _read(self, page: Page) -> ServerReading:
        if len(page.body) > THREAD_BYTES:
            return await asyncio.to_thread(self._pages.read, page, self.facts)
        return self._pages.read(page, self.facts)

    async def _with_info(self, reading: ServerReading, url: str) -> ServerReading:
        """The reading with what the engine tells elsewhere; asked before the first reading of each incarnation goes
        out, because a name of the model that came later would be another flow."""
        incarnation = reading.incarnation or ""
        if reading.ok and incarnation != self._info_of:
            self._info_of = incarnation
            self._info = await self._ask_info(reading.server.engine, url)
        if not reading.ok or not self._info:
            return reading
        known = {MODEL, *(fact for fact, _ in reading.facts)}
        told = tuple((fact, text) for fact, text in self._info.items() if fact not in known)
        reading = replace(reading, facts=reading.facts + told)
        return _named(reading, self._info[MODEL]) if MODEL in self._info and not reading.server.model else reading

    async def _ask_info(self, engine: str, url: str) -> dict[str, str]:
        page_url = info_url(engine, url)
        if page_url is None:
            return {}
        try:
            page = await self._scraper.get(page_url, configured=self.facts.origin == "config")
        except ScrapeError:  # facts for the eye: a server without that page is a good one all the same
            return {}
        return read_info(engine, page.body)

    def _failed(self, problem: str) -> ServerReading:
        hint = self.facts.hint or SWITCHED_OFF.get(self.facts.engine, "")
        if hint and hint not in problem:
            problem = f"{problem}; {hint}"
        return ServerReading(self.facts, self._now_ns(), ok=False, problem=problem)


def _named(reading: ServerReading, model: str) -> ServerReading:
    """The reading with the name of a model that neither the page nor the command line told."""
    if any(flow.model == model for flow in reading.flows):  # one flow cannot have two sets of counters
        return reading
    flows = tuple(replace(flow, model=model) if flow.model == UNNAMED else flow for flow in reading.flows)
    return replace(reading, server=replace(reading.server, model=model), flows=flows)


def _urls_to_try(metrics_url: str, engine: str) -> tuple[str, ...]:
    """`metrics_url`, and the other usual paths where it has one of them or none: it is then a guess."""
    parts = urlsplit(metrics_url)
    if engine in ONLY_PATH:
        return (urlunsplit(parts._replace(path=ONLY_PATH[engine])),)
    if parts.path not in ("", "/", *PATHS):
        return (metrics_url,)
    first = parts.path if parts.path in PATHS else PATHS[0]
    paths = dict.fromkeys((first, *PATHS))
    return tuple(urlunsplit(parts._replace(path=path)) for path in paths)
