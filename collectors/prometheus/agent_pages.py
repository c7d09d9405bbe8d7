"""A tokwatch agent's page taken apart: its GPUs, and a page of its own for each server that it tells of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Final

from collectors.exposition import Metrics, SeriesLabels
from collectors.meters.reader import read_gpus
from collectors.prometheus.dialects import AGENT_GPU, AGENT_METER, AGENT_UP, AGENT_VOCABULARY
from collectors.prometheus.scraped_pages import ScrapedPage, Target
from collectors.readings import GpuReading

_OF_SERVERS: Final = AGENT_VOCABULARY.wanted | {AGENT_UP}
_WHOSE: Final = ("server", "engine")  # labels that stand in the part's Target
_MOST_SERVERS: Final = 256  # of one agent's page
_MOST_TOLD: Final = 1024  # ever: a page may name others each time
_THIS_HOST: Final = frozenset({"127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::]"})
_NOTHING: Final = Metrics((), (), (), frozenset())

# Known to the ledger by this name, which puts it before other exporters that tell of the same GPU.
_GPUS: Final = replace(AGENT_METER, name="agent", info=(AGENT_GPU,), driver=("driver",))
_KINDS: Final = ("gpu", "accelerator", "package")
_SCOPES: Final = ("gpu", "module")


@dataclass(frozen=True, slots=True)
class _Part:
    """One server on an agent's page: where its values stand there."""

    target: Target
    series: tuple[SeriesLabels, ...]
    places: tuple[int, ...]
    names: frozenset[str]

    def page(self, whole: ScrapedPage) -> ScrapedPage:
        if not whole.up:
            return replace(whole, target=self.target, metrics=_NOTHING)
        values = itemgetter(*self.places)(whole.metrics.values)
        told = values if len(self.places) > 1 else (values,)
        lines = tuple(range(len(self.places)))
        return replace(whole, target=self.target, metrics=Metrics(self.series, told, lines, self.names))


class AgentPages:
    """Takes pages apart, and leaves out those of servers that an agent reads already.

    They stay out while its agent is silent: its counters go on meanwhile and tell of that time when it is back.
    """

    def __init__(self) -> None:
        self._parts: dict[Target, tuple[_Part, ...]] = {}  # by agent, of its newest page
        self._series: dict[Target, tuple[SeriesLabels, ...]] = {}  # which those were made from
        self._told: set[Target] = set()  # every part there ever was

    def apart(self, pages: Sequence[ScrapedPage]) -> list[ScrapedPage]:
        """The pages of one answer, in their order. Who reads a server is decided for the whole answer: its own page
        may have been scraped a moment before its agent's."""
        told = [each for page in pages for each in self._of(page)]
        own = {page.target for page in told}
        known = {target for target in own if tells_of(self._told, target)}
        return [page for page in told if page.target not in known]

    def _of(self, page: ScrapedPage) -> Iterator[ScrapedPage]:
        yield page
        if page.up and self._series.get(page.target) is not page.metrics.series:
            self._series[page.target] = page.metrics.series
            self._parts[page.target] = tuple(_parts_of(page))
            if len(self._told) < _MOST_TOLD:
                self._told.update(part.target for part in self._parts[page.target])
        for part in self._parts.get(page.target, ()):
            yield part.page(page)


def tells_of(parts: Iterable[Target], page: Target) -> bool:
    """Whether one of an agent's servers is the one behind `page`, another target of the same host.

    The agent knows as 127.0.0.1:8000 what a Prometheus scrapes as h7:8000. A pod has ports of its own.
    """
    return not page.server and any(
        part.server == page.address or (not page.pod and _port_here(part.server) == _port(page.address))
        for part in parts
    )


def agent_gpus(metrics: Metrics, at_ns: int) -> tuple[GpuReading, ...]:
    """The GPUs that an agent tells of; () on any other page. Raises ExpositionError as `read_gpus` does."""
    if not _GPUS.page_names(metrics.names):
        return ()
    infos = {series.labels.get("uuid", ""): series.labels for series in metrics.series if series.name == AGENT_GPU}
    return tuple(_described(gpu, infos.get(gpu.facts.uuid or "", {})) for gpu in read_gpus(_GPUS, metrics, at_ns))


def _described(gpu: GpuReading, info: dict[str, str]) -> GpuReading:
    kind, scope = info.get("kind", ""), info.get("power_scope", "")
    facts = replace(
        gpu.facts,
        kind=kind if kind in _KINDS else gpu.facts.kind,
        power_scope=scope if scope in _SCOPES else gpu.facts.power_scope,
    )
    return replace(gpu, facts=facts)


def _parts_of(page: ScrapedPage) -> Iterator[_Part]:
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, series in enumerate(page.metrics.series):
        if series.name in _OF_SERVERS and all(map(series.labels.get, _WHOSE)):
            places[series.labels["server"], series.labels["engine"]].append(place)
    for server, engine in sorted(places)[:_MOST_SERVERS]:
        of_server = places[server, engine]
        own = tuple(_without_whose(page.metrics.series[place]) for place in of_server)
        target = replace(page.target, server=server, engine=engine)
        yield _Part(target, own, tuple(of_server), frozenset(each.name for each in own))


def _without_whose(series: SeriesLabels) -> SeriesLabels:
    return SeriesLabels(series.name, {name: value for name, value in series.labels.items() if name not in _WHOSE})


def _port_here(address: str) -> str | None:
    """The port of an address that is this host's own to whoever is on it; None where it may be another's."""
    host, _, port = address.rpartition(":")
    return port if host in _THIS_HOST else None


def _port(address: str) -> str:
    return address.rpartition(":")[2]
