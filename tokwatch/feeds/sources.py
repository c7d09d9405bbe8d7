"""All collectors of one box, asked together once a tick; which servers are watched, and when the box is scanned."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from collectors.discovery.scan import Discovery
from collectors.readings import GpuCollector, HostReading, Probe, ServerFacts, ServerReading
from tokwatch.ledger.bookkeeper import Sightings

SCAN_EVERY_S = 10.0


class ServerSource(Protocol):
    """What the sources need of a server collector."""

    def set_servers(self, servers: Sequence[ServerFacts]) -> None: ...

    def drain(self) -> tuple[ServerReading, ...]: ...

    def probes(self) -> tuple[Probe, ...]: ...

    async def close(self) -> None: ...


class HostSource(Protocol):
    """What the sources need of a host collector."""

    def collect(self) -> HostReading: ...


class Sources:
    """One box. `scan` looks for servers (it may block; it runs in a thread), None: only the configured ones."""

    def __init__(
        self,
        gpus: GpuCollector,
        servers: ServerSource,
        host: HostSource,
        *,
        configured: Sequence[ServerFacts] = (),
        scan: Callable[[], Discovery] | None = None,
        watch_exporters: Callable[[Sequence[str]], None] | None = None,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._gpus = gpus
        self._servers = servers
        self._host = host
        self._configured = tuple(configured)
        self._scan = scan
        self._watch_exporters = watch_exporters
        self._monotonic_s = monotonic_s
        self._scanned_s: float | None = None
        self._scanning: asyncio.Task[Discovery] | None = None
        self._discovery = Discovery((), ())
        self._watched: tuple[ServerFacts, ...] = self._configured
        self._strangers: set[str] = set()  # addresses that answer, and no scan has looked for their process yet
        self._scanned_for: frozenset[str] = frozenset()  # the strangers that the present scan looks for
        self._introduced: set[str] = set()  # … that a scan has looked for since they began to answer
        self._engines: dict[str, str] = {}  # by address, of servers whose engine only their page tells
        servers.set_servers(self._watched)

    async def see(self) -> Sightings:
        """Everything new since the last call."""
        await self._look_around()
        gpus = await self._gpus.collect()
        readings = self._without_strangers(self._servers.drain())
        self._engines |= {reading.server.address: reading.server.engine for reading in readings if reading.ok}
        return Sightings(
            gpus=gpus,
            # A server whose engine is not known yet is no server yet: its probe says why.
            servers=tuple(r for r in map(self._with_engine, readings) if r.server.engine),
            known_servers=tuple(facts for facts in map(self._named, self._watched) if facts.engine),
            host_pids=self._discovery.pids_are_the_hosts,
            host=self._host.collect(),
            probes=_one_each((*self._gpus.probes(), *self._discovery.probes, *self._servers.probes())),
        )

    def driver_calls(self) -> dict[str, tuple[int, float, float]]:
        """Calls so far, mean µs and longest µs of every driver function."""
        return self._gpus.call_durations()

    async def close(self) -> None:
        if self._scanning is not None:
            self._scanning.cancel()
        await self._gpus.close()  # exporters first: the servers close the scraper, and a scrape would open it again
        await self._servers.close()

    async def _look_around(self) -> None:
        """Start a scan when one is due; the first is waited for, so that the first frame knows its servers."""
        if self._scan is None:
            return
        first = self._scanned_s is None
        if self._scanning is not None and self._scanning.done():
            await self._take_scan(self._scanning)
        now_s = self._monotonic_s()
        due = first or bool(self._strangers) or now_s - (self._scanned_s or 0.0) >= SCAN_EVERY_S
        if self._scanning is None and due:
            self._scanned_s, self._scanned_for = now_s, frozenset(self._strangers)
            self._scanning = asyncio.create_task(asyncio.to_thread(self._scan))
        if first and self._scanning is not None:
            await self._take_scan(self._scanning)

    async def _take_scan(self, scan: asyncio.Task[Discovery]) -> None:
        self._discovery = await scan
        self._scanning = None
        self._strangers -= self._scanned_for
        self._introduced |= self._scanned_for
        self._watched = merged(self._configured, self._discovery)
        self._servers.set_servers(self._watched)
        if self._watch_exporters is not None:
            self._watch_exporters(self._discovery.exporters)

    def _without_strangers(self, readings: Sequence[ServerReading]) -> tuple[ServerReading, ...]:
        """All but the pages of configured servers that begin to answer, until a scan has looked for their process.

        It knows which model they serve and since when, and by that their first counters are read. Counters add up, so
        a page that is left out loses nothing.
        """
        if self._scan is None:
            return tuple(readings)
        found = {facts.address for facts in self._discovery.servers}
        for reading in readings:
            address = reading.server.address
            if not reading.ok:
                self._introduced.discard(address)
                self._strangers.discard(address)
            elif address not in self._introduced and address not in found:
                self._strangers.add(address)
        return tuple(r for r in readings if not (r.ok and r.server.address in self._strangers))

    def _named(self, facts: ServerFacts) -> ServerFacts:
        return facts if facts.engine else replace(facts, engine=self._engines.get(facts.address, ""))

    def _with_engine(self, reading: ServerReading) -> ServerReading:
        return reading if reading.server.engine else replace(reading, server=self._named(reading.server))


def merged(configured: Sequence[ServerFacts], discovery: Discovery) -> tuple[ServerFacts, ...]:
    """Configured servers first, each completed with what was found at its address; then the other found ones."""
    found = {facts.address: facts for facts in discovery.servers}
    named = tuple(
        _completed(facts, found.pop(_found_as(facts.address, found, discovery.own_hosts), None)) for facts in configured
    )
    return (*named, *found.values())


def _found_as(address: str, found: Mapping[str, ServerFacts], own_hosts: frozenset[str]) -> str:
    """The address under which a configured server was found: "localhost" and this box's own name mean it, too. Taken
    for another server, its tokens would count twice."""
    host, _, port = address.rpartition(":")
    if address in found or host.strip("[]") not in own_hosts:
        return address
    on_port = [other for other in found if other.rpartition(":")[2] == port]
    return on_port[0] if len(on_port) == 1 else address


def _completed(named: ServerFacts, found: ServerFacts | None) -> ServerFacts:
    if found is None:
        return named
    return replace(
        found,
        metrics_url=named.metrics_url,
        engine=named.engine or found.engine,
        model=named.model or found.model,
        tensor_parallel=named.tensor_parallel or found.tensor_parallel,
        pipeline_parallel=named.pipeline_parallel or found.pipeline_parallel,
        data_parallel=named.data_parallel or found.data_parallel,
        expert_parallel=named.expert_parallel or found.expert_parallel,
        role=named.role or found.role,
        deployment=named.deployment or found.deployment,
        counts=named.counts,
        gpus=named.gpus,
        verified=named.verified or found.verified,
        origin="config",
        hint="",
    )


def _one_each(probes: Sequence[Probe]) -> tuple[Probe, ...]:
    """The last word on each name: reading a server says more than having found it."""
    return tuple({probe.name: probe for probe in probes}.values())
