"""Pages that a server scraped of one host → the readings of its GPUs and inference servers, told or silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from collectors.meters import OF_EVERY_VENDOR
from collectors.meters.counter_news import CounterNews
from collectors.meters.meter import Covers
from collectors.meters.reader import MOST_DEVICES
from collectors.prometheus.agent_pages import tells_of
from collectors.prometheus.scraped_pages import ScrapedPage, Target
from collectors.prometheus.target_reader import TargetReader, Told
from collectors.readings import GpuFacts, GpuReading, HostReading, Probe, Reason, ServerFacts, ServerReading

_FORGOTTEN_MS: Final = 600_000  # a target that is not scraped any more
_MOST_SERVERS: Final = 256  # of one host

_GpuKey = tuple[str, str]  # meter, device


@dataclass(frozen=True, slots=True)
class HostReadings:
    """What is new of one host, and what is known to run there."""

    gpus: tuple[GpuReading, ...] = ()
    servers: tuple[ServerReading, ...] = ()
    known_servers: tuple[ServerFacts, ...] = ()
    power: HostReading | None = None  # with the watts of the whole server alone
    probes: tuple[Probe, ...] = ()


@dataclass(slots=True)
class _Gpu:
    facts: GpuFacts
    teller: Target
    news: CounterNews = field(default_factory=CounterNews)


class HostReader:
    """Reads one host's pages in the order of their scrapes. Instants of readings are `ms × 10⁶ + offset_ns`."""

    def __init__(
        self,
        host: str,
        where: str,
        *,
        offset_ns: int = 0,
        complete: Callable[[ServerFacts], ServerFacts] = lambda found: found,
    ) -> None:
        """where: the server that scraped them, for words. complete: adds what the user declared of a server."""
        self._host = host
        self._where = where
        self._offset_ns = offset_ns
        self._complete = complete
        self._targets: dict[Target, TargetReader] = {}
        self._gpus: dict[_GpuKey, _Gpu] = {}
        self._vendors_read = False
        self._unheard = ""

    @property
    def pace_s(self) -> float | None:
        """The time between two readings: the slowest server's, else the fastest meter's; None: not known yet."""
        known = [(target.is_server, target.pace_s) for target in self._read() if target.pace_s]
        servers, meters = ([pace_s for is_server, pace_s in known if is_server is wanted] for wanted in (True, False))
        return max(servers) if servers else min(meters) if meters else None

    def read(self, pages: Sequence[ScrapedPage], now_ms: int, *, unheard: str = "") -> HostReadings:
        """The readings of `pages`, at most one of each target, and of what fell silent by `now_ms`.

        unheard: why there is no page, where that is not the targets' fault.
        """
        self._unheard = unheard
        told = [self._targets.setdefault(page.target, self._new(page.target)).take(page) for page in pages]
        self._forget(now_ms)
        gpus = dict(self._fresh_gpus(told))
        silent = self._silent_gpus(gpus.keys(), {page.target for page in pages}, now_ms)
        return HostReadings(
            gpus=(*gpus.values(), *silent),
            servers=tuple(self._servers(told, now_ms)),
            known_servers=tuple(target.facts for target in self._tellers()),
            power=self._power(told),
            probes=tuple(target.probe(now_ms, unheard) for target in self._read()),
        )

    # --- targets ----------------------------------------------------------------------------------------------------

    def _new(self, target: Target) -> TargetReader:
        return TargetReader(target, self._host, self._where, self._offset_ns, self._complete)

    def _read(self) -> Iterator[TargetReader]:
        """Targets that anything was ever read of, but for servers that an agent reads too by now."""
        parts = [target for target in self._targets if target.server]
        return (
            target
            for target in self._targets.values()
            if target.is_meter or (target.is_server and not tells_of(parts, target.target))
        )

    def _forget(self, now_ms: int) -> None:
        gone = {key for key, target in self._targets.items() if now_ms - target.tried_ms > _FORGOTTEN_MS}
        for key in gone:
            del self._targets[key]
        self._gpus = {key: gpu for key, gpu in self._gpus.items() if gpu.teller not in gone}

    # --- servers ----------------------------------------------------------------------------------------------------

    def _tellers(self) -> list[TargetReader]:
        """One target an address and engine: of two that scrape the same page the first that can read it."""
        by_page: dict[tuple[str, str], TargetReader] = {}
        for target in sorted(self._read(), key=lambda target: (not target.up, target.target.labels)):
            if target.is_server:
                by_page.setdefault((target.facts.address, target.facts.engine), target)
        return list(by_page.values())[:_MOST_SERVERS]

    def _servers(self, told: Iterable[Told], now_ms: int) -> Iterator[ServerReading]:
        fresh = {reading.target: reading.server for reading in told}
        for target in self._tellers():
            if target.target in fresh:
                server = fresh[target.target]
                if server is not None:
                    yield server
            elif words := target.silence(now_ms, self._unheard):
                yield ServerReading(target.facts, target.at_ns(now_ms), ok=False, problem=words)

    # --- GPUs -------------------------------------------------------------------------------------------------------

    def _fresh_gpus(self, told: Iterable[Told]) -> Iterator[tuple[_GpuKey, GpuReading]]:
        for page in told:
            for reading in page.gpus:
                key = _key(reading.facts)
                gpu = self._gpus.get(key)
                if gpu is None and len(self._gpus) < MOST_DEVICES:
                    gpu = self._gpus[key] = _Gpu(reading.facts, page.target)
                if gpu is None or not self._tells(page.target, gpu):
                    continue
                gpu.facts, gpu.teller = reading.facts, page.target
                self._vendors_read |= reading.facts.meter not in OF_EVERY_VENDOR
                if self._counts(key):
                    yield key, gpu.news.of(reading)

    def _tells(self, target: Target, gpu: _Gpu) -> bool:
        """Of two targets that tell of one GPU the first, while it can be read."""
        teller = self._targets.get(gpu.teller)
        return gpu.teller == target or teller is None or not teller.up

    def _counts(self, key: _GpuKey) -> bool:
        """Meters of every vendor's devices are heard only where no vendor's own tells, as in EveryMeter."""
        return not (self._vendors_read and key[0] in OF_EVERY_VENDOR)

    def _silent_gpus(self, fresh: Iterable[_GpuKey], scraped: set[Target], now_ms: int) -> Iterator[GpuReading]:
        for key, gpu in self._gpus.items():
            if key in fresh or not self._counts(key):
                continue
            teller = self._targets[gpu.teller]
            words = teller.silence(now_ms, self._unheard)
            if not words and gpu.teller in scraped:
                words = f"{teller.target.address} no longer tells of it"
            if words:
                yield GpuReading(gpu.facts, teller.at_ns(now_ms), problem=Reason.STALE, problem_text=words)

    # --- the host ---------------------------------------------------------------------------------------------------

    def _power(self, told: Iterable[Told]) -> HostReading | None:
        for page in told:
            for power in page.power:
                if power.covers is Covers.SERVER:
                    return HostReading(page.at_ns, power_w=power.power_w, power_source=power.source)
        return None


def _key(facts: GpuFacts) -> _GpuKey:
    return facts.meter, facts.uuid or facts.pci_bus_id or str(facts.index)
