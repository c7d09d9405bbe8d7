"""The pages of one host's endpoints → its hello and its reports, as an agent there would tell them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from collectors.fleet.agent_columns import AGENT
from collectors.fleet.samples import GpuSample, PageAbout, PageSample, ServerSample
from collectors.readings import GpuFacts
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.page_energy import PageEnergy
from tokwatch.ledger.fleet.page_flows import PageFlows
from tokwatch.ledger.fleet.page_latencies import PageLatencies
from tokwatch.ledger.fleet.page_states import PageStates
from tokwatch.ledger.fleet.report import (
    PROTOCOL,
    FlowAbout,
    FlowReport,
    GpuAbout,
    GpuReport,
    Hello,
    LatencyAbout,
    LatencyReport,
    Report,
    ServerAbout,
    ServerReport,
)
from tokwatch.ledger.registry import gpu_key

_STALE_INTERVALS: Final = 3
_MIB: Final = 1 << 20
_STATES: Final = {state.name.lower(): state.value for state in State}
_OF_SERVERS: Final = frozenset(
    state.value
    for state in State
    if state not in (State.UNALLOCATED, State.OTHER_WORK, State.HELD, State.BLIND, State.UNKNOWN, State.LOST)
)


class HostPages:
    """Follows one host. Where an agent of tokwatch answers there, what it tells is all that is told of the host."""

    def __init__(self, host: str, run: str, *, started_ms: int, interval_s: float) -> None:
        """started_ms: Unix, when counters began."""
        self._host, self._run, self._started_ms, self._interval_s = host, run, started_ms, interval_s
        self._stale_ms = round(_STALE_INTERVALS * 1000 * interval_s)
        self._pages: dict[str, _Page] = {}
        self._states = PageStates()
        self._told: tuple[_Page, ...] = ()  # pages whose GPUs and servers the hello names, in its order
        self._hello: Hello | None = None
        self._watched_ms = 0

    def add(self, endpoint: str, sample: PageSample, at_ms: int) -> Hello | None:
        """One page; the host's hello where that is another one now. `at_ms`: of one clock, that of the run's length."""
        page = self._pages.get(endpoint)
        if page is None:
            page = self._pages[endpoint] = _Page()
        is_new = page.about is not sample.about and page.about != sample.about
        if page.add(sample, at_ms):
            self._states.worked(at_ms)
        if not is_new:
            return None
        self._told = self._speaking()
        self._hello = self._hello_of(self._told)
        return self._hello

    def report(self, at_ms: int, wall_ms: int, watched_ms: int) -> Report | None:
        """The host as its pages tell it; None before the first. `at_ms` as above; wall_ms: Unix, ours."""
        pages = self._told
        if not pages:
            return None
        fresh = [at_ms - page.at_ms <= self._stale_ms for page in pages]
        engines = tuple(range(sum(len(page.servers) for page, is_fresh in zip(pages, fresh, strict=True) if is_fresh)))
        gpus: list[GpuReport] = []
        servers: list[ServerReport] = []
        flows: list[FlowReport] = []
        latencies: list[LatencyReport] = []
        for page, is_fresh in zip(pages, fresh, strict=True):
            self._add_gpus(gpus, page, at_ms, engines, is_fresh=is_fresh)
            servers += [_server(server) if is_fresh else ServerReport(False) for server in page.servers]
            flows += [page.flows.report(place, page.at_ms) for place in range(len(page.about.flows))]
            latencies += page.latencies.reports()
        return Report(wall_ms, watched_ms, tuple(gpus), tuple(servers), tuple(flows), latencies=tuple(latencies))

    def _add_gpus(
        self, gpus: list[GpuReport], page: _Page, at_ms: int, engines: tuple[int, ...], *, is_fresh: bool
    ) -> None:
        states = page.states
        has_server = bool(engines)
        for place in page.own_gpus:
            energy = page.energy[place]
            if not is_fresh:
                gpus.append(GpuReport(_UNKNOWN, energy.energy_mj, energy.measured_ms))
                continue
            gpu = page.gpus[place]
            if gpu.state is not None:
                state = states[gpu.state]
            elif states:
                state = _UNKNOWN
            else:
                key, util, used = page.keys[place], gpu.util_permille, gpu.memory_used_mib
                state = self._states.state(key, at_ms, util, used, has_server=has_server)
            gpus.append(
                GpuReport(
                    state,
                    energy.energy_mj,
                    energy.measured_ms,
                    gpu.power_mw,
                    gpu.util_permille,
                    gpu.memory_used_mib,
                    gpu.temperature_c,
                    engines if state in _OF_SERVERS else (),
                )
            )

    def _speaking(self) -> tuple[_Page, ...]:
        """Whose word counts, each GPU at the first that tells of it."""
        pages = [page for page in self._pages.values() if page.about.kind == AGENT.name] or [*self._pages.values()]
        named: set[str] = set()
        for page in pages:
            page.own_gpus = tuple(place for place, key in enumerate(page.keys) if key not in named)
            named.update(page.keys)
        return tuple(pages)

    def _hello_of(self, pages: Iterable[_Page]) -> Hello:
        gpus: list[GpuAbout] = []
        servers: list[ServerAbout] = []
        flows: list[FlowAbout] = []
        latencies: list[LatencyAbout] = []
        version = ""
        for page in pages:
            about, first = page.about, len(servers)
            version = version or about.version
            gpus += [_gpu_about(about.gpus[place]) for place in page.own_gpus]
            models = {flow.server: flow.model for flow in reversed(about.flows)}
            servers += [ServerAbout(*server, models.get(place, "")) for place, server in enumerate(about.servers)]
            flows += [FlowAbout(first + flow.server, *flow[1:]) for flow in about.flows]
            latencies += page.latencies.about(first)
        return Hello(
            PROTOCOL,
            version,
            self._host,
            self._run,
            self._started_ms,
            self._interval_s,
            tuple(gpus),
            tuple(servers),
            tuple(flows),
            latencies=tuple(latencies),
        )


_UNKNOWN: Final = State.UNKNOWN.value
_NO_PAGE: Final = PageAbout("")


class _Page:
    """One endpoint's newest page, and what its counters came to."""

    __slots__ = (
        "about",
        "at_ms",
        "energy",
        "flows",
        "gpus",
        "kept",
        "keys",
        "latencies",
        "own_gpus",
        "servers",
        "states",
    )  # fmt: skip

    def __init__(self) -> None:
        self.about = _NO_PAGE
        self.at_ms = 0
        self.keys: tuple[str, ...] = ()
        self.kept: dict[str, PageEnergy] = {}
        self.energy: tuple[PageEnergy, ...] = ()
        self.own_gpus: tuple[int, ...] = ()
        self.gpus: tuple[GpuSample, ...] = ()
        self.servers: tuple[ServerSample, ...] = ()
        self.states: tuple[int, ...] = ()
        self.flows = PageFlows()
        self.latencies = PageLatencies()

    def add(self, sample: PageSample, at_ms: int) -> bool:
        """Whether a server on it is at work."""
        about = sample.about
        if about is not self.about:
            self.keys = tuple(map(gpu_key, about.gpus))
            for gone in self.kept.keys() - self.keys:
                self.kept[gone].begin_anew()
            self.energy = tuple(self.kept.setdefault(key, PageEnergy()) for key in self.keys)
            self.states = tuple(_STATES.get(name, _UNKNOWN) for name in about.states)
            self.about = about
        for energy, gpu in zip(self.energy, sample.gpus, strict=True):
            energy.add(at_ms, gpu)
        self.gpus, self.servers, self.at_ms = sample.gpus, sample.servers, at_ms
        self.latencies.add(about, sample.histograms)
        return self.flows.add(about, sample.counters, at_ms) or any(server.running for server in sample.servers)


def _server(server: ServerSample) -> ServerReport:
    return ServerReport(server.up, server.running, server.waiting, server.kv_permyriad)


def _gpu_about(facts: GpuFacts) -> GpuAbout:
    total = facts.memory_total_bytes
    return GpuAbout(
        facts.index,
        facts.uuid,
        facts.name or "",
        None if total is None else total // _MIB,
        facts.power_limit_w,
        facts.kind,
    )
