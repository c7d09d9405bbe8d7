"""One target's pages as readings: what they are recognised as, the plan they are read by, and why nothing is told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import itemgetter
from statistics import median
from typing import Final

from collectors.exposition import ExpositionError, Metrics
from collectors.labels import clean_label
from collectors.meters.reader import HostPower, read_meters
from collectors.prometheus.agent_pages import agent_gpus
from collectors.prometheus.dialects import AGENT_UP, agent_vocabulary
from collectors.prometheus.scraped_pages import ScrapedPage, Target
from collectors.prometheus.server_roles import role_of
from collectors.readings import GpuReading, Layer, Probe, ServerFacts, ServerReading
from collectors.vocabularies import recognise
from collectors.vocabularies.plan import Plan, plan_of
from collectors.vocabularies.reader import read
from collectors.vocabularies.vocabulary import Vocabulary

STALE_AFTER: Final = 3  # scrapes without a sample
_PACES: Final = 8  # scrapes by which a target's pace is told
_FIRST_PACE_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Told:
    """What one page says."""

    target: Target
    at_ns: int
    server: ServerReading | None
    gpus: tuple[GpuReading, ...] = ()
    power: tuple[HostPower, ...] = ()


class TargetReader:
    """One target: what its pages were recognised as, its newest one, and how often it is scraped."""

    def __init__(
        self,
        target: Target,
        host: str,
        where: str,
        offset_ns: int,
        complete: Callable[[ServerFacts], ServerFacts],
    ) -> None:
        self.target = target
        self._host = host
        self._where = where
        self._offset_ns = offset_ns
        self._complete = complete
        self._scrapes_ms: deque[int] = deque(maxlen=_PACES)
        self._problem = ""
        self._vocabulary: Vocabulary | None = None
        self._meters: tuple[str, ...] = ()
        self._devices = 0
        self._plan: Plan | None = None
        self._of_series: tuple[object, ...] = ()
        self._wanted: Callable[[Sequence[float]], tuple[float, ...]] = tuple
        self.facts = ServerFacts(target.address, "", pod=target.pod)
        self.tried_ms = 0
        self.up = False

    @property
    def is_server(self) -> bool:
        return self._vocabulary is not None

    @property
    def is_meter(self) -> bool:
        return bool(self._meters)

    @property
    def pace_s(self) -> float | None:
        """The median time between scrapes, None before the second one."""
        gaps_ms = [later - earlier for earlier, later in pairwise(self._scrapes_ms)]
        return median(gaps_ms) / 1000 if gaps_ms else None

    def at_ns(self, at_ms: int) -> int:
        return at_ms * 1_000_000 + self._offset_ns

    def silence(self, now_ms: int, unheard: str) -> str:
        """Why nothing is known of it now; "" where its newest page holds. unheard: as for HostReader.read."""
        if self._problem:
            return self._problem
        pace_s = self.pace_s or _FIRST_PACE_S
        if now_ms - self.tried_ms > STALE_AFTER * pace_s * 1000:
            return (
                unheard
                or f"{self.target.address}: {self._where} has no sample of it any more: is it still scraped there?"
            )
        return ""

    def probe(self, now_ms: int, unheard: str) -> Probe:
        name = f"{'server' if self.is_server else 'exporter'} {self.target.address}"
        if words := self.silence(now_ms, unheard):
            return Probe(name, ok=False, found=words)
        told = [self.facts.engine] if self.is_server else []
        if self.target.server:
            told.append(f"told by the tokwatch agent {self.target.scraped_at}")
        if self.is_meter:
            told.append(f"{' and '.join(self._meters)}: {self._devices} GPU{'s' * (self._devices != 1)}")
        job = self.target.label("job")
        return Probe(name, ok=True, found=f"{', '.join(told)}, by {self._where}" + (f", job {job}" if job else ""))

    def take(self, page: ScrapedPage) -> Told:
        self._scrapes_ms.append(page.at_ms)
        self.tried_ms, self.up = page.at_ms, page.up
        at_ns = self.at_ns(page.at_ms)
        self._problem = ""
        if not page.up:
            of_agent = f" of its tokwatch agent {self.target.scraped_at}" if self.target.server else ""
            self._problem = f"{self.target.address}: the scrape{of_agent} by {self._where} failed (up is 0)"
        server: ServerReading | None = None
        gpus: tuple[GpuReading, ...] = ()
        power: tuple[HostPower, ...] = ()
        if page.up:
            server = self._server(page.metrics, at_ns)
            gpus, power = self._devices_of(page.metrics, at_ns)
        if self.is_server and self._problem:
            server = ServerReading(self.facts, at_ns, ok=False, problem=self._problem)
        return Told(self.target, at_ns, server, gpus, power)

    # --- as a server's page -----------------------------------------------------------------------------------------

    def _server(self, metrics: Metrics, at_ns: int) -> ServerReading | None:
        if self._plan is None or metrics.series is not self._of_series:
            self._learn(metrics)
        if self._plan is None:
            return None
        if self.target.server and not _is_read(metrics):
            self._problem = f"{self.target.address}: its tokwatch agent {self.target.scraped_at} cannot read its page"
            return None
        return read(self._plan, self._wanted(metrics.values), self.facts, at_ns)

    def _learn(self, metrics: Metrics) -> None:
        """As PageReader does: the plan holds while the series it was made from are the page's."""
        vocabulary = agent_vocabulary(self.target.engine) if self.target.server else recognise(metrics.names)
        if vocabulary is None:
            if self.is_server:
                self._problem = f"{self.target.address}: {self._where} has no series of {self.facts.engine} there now"
            self._plan = None
            return
        places = [place for place, series in enumerate(metrics.series) if series.name in vocabulary.wanted]
        series = tuple(metrics.series[place] for place in places)
        if self._plan is None or self._plan.vocabulary is not vocabulary or self._plan.series != series:
            together = self._plan is not None and self._plan.vocabulary is vocabulary and self._plan.together
            wanted = Metrics(series, (0.0,) * len(series), tuple(range(len(series))), metrics.names)
            self._plan = plan_of(vocabulary, wanted, together=together)
        self._of_series = metrics.series
        self._wanted = itemgetter(*places) if len(places) > 1 else lambda values: tuple(values[p] for p in places)
        if self._vocabulary is not vocabulary:
            self._vocabulary = vocabulary
            self.facts = self._complete(self._described(vocabulary))

    def _described(self, vocabulary: Vocabulary) -> ServerFacts:
        return ServerFacts(
            address=self.target.address,
            engine=vocabulary.engine,
            metrics_url=None if self.target.server else self._url,
            pod=self.target.pod,
            anywhere=vocabulary.layer is Layer.ENGINE,
            role="" if self.target.server else role_of(dict(self.target.labels)),
        )

    @property
    def _url(self) -> str:
        return f"http://{self.target.address}{self.target.label('metrics_path') or '/metrics'}"

    # --- as a meter's page ------------------------------------------------------------------------------------------

    def _devices_of(self, metrics: Metrics, at_ns: int) -> tuple[tuple[GpuReading, ...], tuple[HostPower, ...]]:
        try:
            page = read_meters(metrics, at_ns, origin=self.target.address, host=self._host)
            of_agent = agent_gpus(metrics, at_ns)
        except ExpositionError as error:
            self._problem = f"{self.target.address}: {clean_label(str(error))}"
            return (), ()
        meters = (*page.meters, *(["tokwatch agent"] if of_agent else []))
        if not meters and self.is_meter:
            self._problem = f"{self.target.address}: {self._where} has no series of {self._meters[0]} there now"
        told = (*page.gpus, *of_agent)
        self._meters, self._devices = meters or self._meters, len(told)
        pace_s = max(page.interval_s, self.pace_s or 0.0)
        gpus = (replace(gpu, facts=replace(gpu.facts, interval_s=pace_s)) for gpu in told)
        return tuple(gpus), page.host


def _is_read(metrics: Metrics) -> bool:
    """Whether an agent can read the server that it tells of here."""
    told = (value for series, value in zip(metrics.series, metrics.values, strict=True) if series.name == AGENT_UP)
    return next(told, 1.0) > 0
