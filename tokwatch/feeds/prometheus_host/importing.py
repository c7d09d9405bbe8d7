"""A stretch of one host's past in a Prometheus as an imported run: asked slice by slice, written while it is read."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from collectors.host import local_timezone
from collectors.prometheus.answers import PrometheusApi
from collectors.prometheus.host_pages import Scraped
from collectors.prometheus.host_readings import HostReader
from collectors.readings import ServerFacts
from tokwatch import __version__
from tokwatch.config import Config
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.history import read_book
from tokwatch.feeds.prometheus_host.finding import USUAL_INTERVAL_S, pages_of, unknown_host
from tokwatch.feeds.prometheus_host.live import at_its_pace
from tokwatch.feeds.prometheus_host.sightings import WaitingPages, completing, sightings
from tokwatch.feeds.prometheus_host.slices import Slices
from tokwatch.feeds.references import settings_of
from tokwatch.ledger.axis import NS_PER_MS
from tokwatch.ledger.bookkeeper import Bookkeeper, Instant
from tokwatch.ledger.entries import Run, TickRecord
from tokwatch.store.merging import merged
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import sessions
from tokwatch.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be imported."""

    host: str
    since_ms: int
    until_ms: int  # both scrapes at the ends are in it


@dataclass(slots=True)
class Imported:
    """What an import added to the store."""

    imported: bool = False  # False: the same range was there already
    sessions: tuple[str, ...] = ()
    ticks: int = 0
    gpus: set[int] = field(default_factory=set)
    prompt_tokens: int | None = None  # cached ones included; None: not counted
    output_tokens: int | None = None
    energy_mj: int | None = None
    samples: int = 0
    bytes: int = 0  # as they came
    took_s: float = 0.0
    warnings: tuple[str, ...] = ()  # the server's own: answers were not whole

    def counted(self, records: Iterator[TickRecord]) -> Iterator[TickRecord]:
        """The same records, added up as they go by."""
        for record in records:
            self.ticks += 1
            for flow in record.flows:
                self.prompt_tokens = _plus(self.prompt_tokens, flow.prompt_tokens)
                self.output_tokens = _plus(self.output_tokens, flow.output_tokens)
            for gpu in record.gpus:
                self.gpus.add(gpu.entity)
                self.energy_mj = _plus(self.energy_mj, gpu.energy_mj)
            yield record


def _plus(total: int | None, more: int | None) -> int | None:
    return total if more is None else (total or 0) + more


async def import_host(
    api: PrometheusApi,
    wanted: Wanted,
    writer: Writer,
    *,
    store: Path,
    config: Config,
    servers: Sequence[ServerFacts] = (),
    on_progress: Callable[[float], None] = lambda done: None,
) -> Imported:
    """Import one host as one run of kind "imported"; the same range again changes nothing.

    `store` is the file that `writer` has open. `on_progress` gets the share that is done, in the writer's thread.
    Raises SourceError where the server has nothing of the host in that time, QueryError where it stops answering
    (nothing is kept then), StoreError where the store cannot be written.
    """
    began_s = time.monotonic()
    source = _digest(api.url, wanted, config)
    if there := await asyncio.to_thread(_sessions, store, source):
        return Imported(sessions=there)
    pages = pages_of(api, wanted.host, config.prometheus)
    if not await pages.look_around(wanted.since_ms, wanted.until_ms):
        raise SourceError(await unknown_host(pages, wanted.host, wanted.since_ms, wanted.until_ms))
    slices = Slices(pages, wanted.since_ms, wanted.until_ms, asyncio.get_running_loop())
    first = await slices.first()
    if first is None:
        raise SourceError(f"{pages.where} has names of {wanted.host} in that time, and no sample")
    interval_s = _pace_s(first, wanted.host) or await api.scrape_interval_s() or USUAL_INTERVAL_S
    importing = _Import(wanted, at_its_pace(config, wanted.host, interval_s), servers, store, on_progress, pages.where)
    # How long it is kept counts from now.
    records = importing.result.counted(_from_the_second(importing.records(slices)))
    run = replace(importing.run, source=source, started_ms=time.time_ns() // NS_PER_MS)
    try:
        imported = await asyncio.to_thread(writer.write_import, run, records)
    finally:
        slices.stop()
    result = importing.result
    result.imported, result.took_s = imported, time.monotonic() - began_s
    result.samples, result.bytes, result.warnings = slices.samples, slices.bytes, tuple(slices.warnings)
    result.sessions = await asyncio.to_thread(_sessions, store, source)
    return result


class _Import:
    """One host's stretch as a run, and what was seen of it while its records went by."""

    def __init__(
        self,
        wanted: Wanted,
        config: Config,
        servers: Sequence[ServerFacts],
        store: Path,
        on_progress: Callable[[float], None],
        where: str,
    ) -> None:
        """config: at the pace of the host's scrapes."""
        self._wanted = wanted
        self._config = config
        self._store = store
        self._on_progress = on_progress
        self._reader = HostReader(wanted.host, where, complete=completing(servers))
        self._waiting = WaitingPages()
        self._turn = 0
        self.run = Run(
            id=0,
            kind="imported",
            host=wanted.host,
            boot_id="",
            version=__version__,
            timezone=local_timezone(),
            started_ms=wanted.since_ms,
        )
        self.result = Imported()

    def records(self, slices: Slices) -> Iterator[TickRecord]:
        """One record for each time between two scrapes that has any."""
        # Consumed inside the import's transaction: nobody can add an entity between this and the last record.
        with Reader(self._store) as reader:
            known, book = reader.entities(), read_book(reader)
        config = self._config
        bookkeeper = Bookkeeper(
            self.run,
            settings=settings_of(config),
            thresholds=config.states,
            known=known,
            policy=config.alert_policy(),
        )
        bookkeeper.book = book
        for answer, answered_ms in slices.each():
            self._waiting.add(answer.pages)
            while (tick_ms := self._next_tick_ms(answered_ms)) is not None:
                told = self._reader.read(self._waiting.take(tick_ms), tick_ms)
                yield bookkeeper.turn(Instant(tick_ms, tick_ms * NS_PER_MS), sightings(told))
            self._on_progress((answered_ms - self._wanted.since_ms) / (self._wanted.until_ms - self._wanted.since_ms))

    def _next_tick_ms(self, answered_ms: int) -> int | None:
        """The first tick with pages that wait; None while some of its pages may not have been answered."""
        page_ms = self._waiting.first_ms
        if page_ms is None:
            return None
        since_ms, interval_ms = self._wanted.since_ms, self._config.interval_s * 1000
        turn = max(self._turn, math.ceil((page_ms - since_ms) / interval_ms))
        tick_ms = min(since_ms + round(turn * interval_ms), self._wanted.until_ms)
        if tick_ms > answered_ms:
            return None
        self._turn = turn + 1
        return tick_ms


def _from_the_second(records: Iterator[TickRecord]) -> Iterator[TickRecord]:
    """With the first one in the second: it only holds what the others count from. At the stroke of an hour it would be
    all that is stored of the hour before."""
    first = next(records, None)
    if first is None:
        return
    second = next(records, None)
    yield first if second is None else merged(first, second)
    yield from records


def _pace_s(first: Scraped, host: str) -> float | None:
    reader = HostReader(host, "")
    for page in first.pages:
        reader.read([page], page.at_ms)
    return reader.pace_s


def _digest(url: str, wanted: Wanted, config: Config) -> str:
    asked = (
        url,
        wanted.host,
        wanted.since_ms,
        wanted.until_ms,
        config.prometheus.host_label,
        config.prometheus.selector,
    )
    return hashlib.sha256(repr(asked).encode()).hexdigest()


def _sessions(store: Path, source: str) -> tuple[str, ...]:
    """The sessions of the run with that content; () where it is not there."""
    with Reader(store) as reader:
        runs = {run.id for run in reader.runs() if run.source == source}
        return tuple(session.id for session in sessions(reader) if runs & set(session.runs)) if runs else ()
