"""Asks a server for the pages it scraped of one host: which labels and names tell of it, then their raw samples."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from collectors.meters import HOST_METERS, METERS
from collectors.meters.meter import HostMeter, Meter
from collectors.meters.reader import meter_names
from collectors.prometheus.agent_pages import AgentPages
from collectors.prometheus.answers import Matrix, PrometheusApi
from collectors.prometheus.dialects import AGENT_GPU, AGENT_METER, AGENT_VOCABULARY
from collectors.prometheus.expressions import any_of, matches, quoted
from collectors.prometheus.identity import INSTANCE, HostIdentity
from collectors.prometheus.scraped_pages import UP, PageMaker, ScrapedPage
from collectors.vocabularies import VOCABULARIES
from collectors.vocabularies.vocabulary import spellings

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_PORT: Final = "(:[0-9]+)?"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Way:
    """One label by which series are known to be the host's, and the names of those that tokwatch reads."""

    label: str
    matcher: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scraped:
    """One answer: pages that were not answered before, oldest first."""

    pages: tuple[ScrapedPage, ...]
    samples: int
    bytes: int
    warnings: tuple[str, ...]  # of the server: a partial answer


class HostPages:
    """What one host's targets told. All methods raise QueryError."""

    def __init__(self, api: PrometheusApi, host: str, identity: HostIdentity, *, selector: str = "") -> None:
        """selector: matchers that stand in every query, without braces."""
        self._api = api
        self._host = host
        self._identity = identity
        self._selector = selector
        self._ways: tuple[_Way, ...] = ()
        self._instances: dict[tuple[str, str], None] = {}  # (job, instance) of every target seen, in order
        self._maker = PageMaker()
        self._agents = AgentPages()

    @property
    def where(self) -> str:
        """The server, for words."""
        return self._api.url.partition("://")[2]

    async def look_around(self, from_ms: int, until_ms: int) -> bool:
        """Learn which series of the host there were in that time; False where none of them is read."""
        found = await _all(self._way(label, from_ms, until_ms) for label in self._identity.host)
        ways = tuple(way for way in found if way.names)
        self._ways = ways or self._ways
        return bool(ways)

    async def between(self, after_ms: int, until_ms: int) -> Scraped:
        """The pages of (after_ms, until_ms], less those that were answered before; `look_around` first."""
        answers = await _all(self._samples(self._query(place), after_ms, until_ms) for place in range(len(self._ways)))
        samples = _joined(self._only_ours(way.label, answer) for way, answer in zip(self._ways, answers, strict=True))
        for labels in samples.labels:
            self._instances[labels.get("job", ""), labels.get(INSTANCE, "")] = None
        ups = await self._ups(after_ms, until_ms)
        return Scraped(
            pages=tuple(self._agents.apart(self._maker.pages(samples, ups))),
            samples=sum(map(len, samples.values)),
            bytes=samples.bytes + ups.bytes,
            warnings=tuple(dict.fromkeys((*samples.warnings, *ups.warnings))),
        )

    async def other_hosts(self, from_ms: int, until_ms: int) -> tuple[str, ...]:
        """Some names of hosts, for who named one that is not there."""
        told = await _all(
            self._api.label_values(label, (), from_ms / 1000, until_ms / 1000) for label in self._identity.host
        )
        for label, names in zip(self._identity.host, told, strict=True):
            if names:
                return tuple(dict.fromkeys(_without_port(name) if label == INSTANCE else name for name in names))
        return ()

    # --- queries ----------------------------------------------------------------------------------------------------

    async def _way(self, label: str, from_ms: int, until_ms: int) -> _Way:
        matcher = (
            f"{label}=~{quoted(any_of([self._host]) + _PORT)}" if label == INSTANCE else f"{label}={quoted(self._host)}"
        )
        selector = "{" + ",".join(filter(None, (matcher, self._selector))) + "}"
        names = await self._api.label_values("__name__", [selector], from_ms / 1000, until_ms / 1000)
        return _Way(label, matcher, tuple(sorted(read_names(names))))

    def _query(self, place: int) -> str:
        """The series that this way tells and none before it."""
        way = self._ways[place]
        before = (f"{earlier.label}!={quoted(self._host)}" for earlier in self._ways[:place])
        parts = (matches("__name__", way.names), way.matcher, *before, self._selector)
        return "{" + ",".join(filter(None, parts)) + "}"

    async def _ups(self, after_ms: int, until_ms: int) -> Matrix:
        """Those of the targets seen so far: a target that cannot be read now was read before."""
        if not self._instances:
            return Matrix((), (), ())
        jobs, instances = ({labels[place] for labels in self._instances} for place in (0, 1))
        parts = (matches("job", jobs), matches(INSTANCE, instances), self._selector)
        answer = await self._samples(UP + "{" + ",".join(filter(None, parts)) + "}", after_ms, until_ms)
        kept = [
            place
            for place, labels in enumerate(answer.labels)
            if (labels.get("job", ""), labels.get(INSTANCE, "")) in self._instances
        ]
        return _chosen(answer, kept)

    async def _samples(self, selector: str, after_ms: int, until_ms: int) -> Matrix:
        return await self._api.samples(f"{selector}[{until_ms - after_ms}ms]", until_ms / 1000)

    def _only_ours(self, label: str, answer: Matrix) -> Matrix:
        """Without series that a label before `label` gives to another host."""
        before = self._identity.host[: self._identity.host.index(label)]
        kept = [
            place for place, labels in enumerate(answer.labels) if not any(labels.get(earlier) for earlier in before)
        ]
        return answer if len(kept) == len(answer.labels) else _chosen(answer, kept)


def read_names(on_host: Collection[str]) -> frozenset[str]:
    """Those of a host's series names that a table reads, or that a table is recognised by."""
    names = frozenset(name for name in on_host if _NAME.fullmatch(name))
    meters: tuple[Meter | HostMeter, ...] = (AGENT_METER, *METERS, *HOST_METERS)
    known = meter_names(names) | frozenset(name for meter in meters for sign in meter.signs for name in sign)
    known |= {*AGENT_METER.page_names(names), AGENT_GPU}
    for vocabulary in (AGENT_VOCABULARY, *VOCABULARIES):
        if vocabulary.recognises(names):
            known |= vocabulary.wanted
            known |= {spelling for sign in vocabulary.signs for name in sign for spelling in spellings(name)}
    return names & known


async def _all(questions: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Their answers in order. Where one fails none goes on: it would open a connection that nobody closes."""
    asked = [asyncio.ensure_future(question) for question in questions]
    try:
        return await asyncio.gather(*asked)
    finally:
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


def _without_port(instance: str) -> str:
    host, _, port = instance.rpartition(":")
    return host if host and port.isdigit() else instance


def _joined(answers: Iterable[Matrix]) -> Matrix:
    told = list(answers)
    return Matrix(
        labels=tuple(labels for answer in told for labels in answer.labels),
        times_s=tuple(times_s for answer in told for times_s in answer.times_s),
        values=tuple(values for answer in told for values in answer.values),
        warnings=tuple(words for answer in told for words in answer.warnings),
        bytes=sum(answer.bytes for answer in told),
        took_s=max((answer.took_s for answer in told), default=0.0),
    )


def _chosen(answer: Matrix, places: Sequence[int]) -> Matrix:
    return Matrix(
        labels=tuple(answer.labels[place] for place in places),
        times_s=tuple(answer.times_s[place] for place in places),
        values=tuple(answer.values[place] for place in places),
        warnings=answer.warnings,
        bytes=answer.bytes,
        took_s=answer.took_s,
    )
