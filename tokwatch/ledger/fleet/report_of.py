"""What an agent says at one tick: totals and the facts of a View → a Statement, of which both wire lines and the page
are made. Pure; a Statement is immutable and may be handed to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass

from collectors.fleet.samples import LATENCIES
from collectors.labels import clean_label
from tokwatch import __version__
from tokwatch.ledger.bodies import GpuBody, HostBody, ProblemBody
from tokwatch.ledger.entries import Entity, Flag, FlowEntry, GpuEntry, Run, ServerEntry, Tick, TickRecord
from tokwatch.ledger.fleet.latency_totals import LatencyTotal
from tokwatch.ledger.fleet.report import (
    PROTOCOL,
    FlowAbout,
    FlowReport,
    GpuAbout,
    GpuReport,
    Hello,
    LatencyAbout,
    Report,
    ServerAbout,
    ServerReport,
)
from tokwatch.ledger.fleet.running_cost import RunningCost
from tokwatch.ledger.fleet.running_latencies import RunningLatencies
from tokwatch.ledger.fleet.running_totals import GpuTotals, RunningTotals
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.prices.gpu_terms import Parts
from tokwatch.ledger.registry import flow_labels
from tokwatch.ledger.view import View

_ELSEWHERE = (Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE).value


@dataclass(frozen=True, slots=True)
class GpuFact:
    """What a page says of a GPU besides its report."""

    key: str  # its UUID, else its PCI address, else "index:N": no two GPUs of a host have one
    body: GpuBody


@dataclass(frozen=True, slots=True)
class Statement:
    """One tick of one host. GPUs, servers and flows are at the same places as in `hello` and `report`."""

    tick_ms: int  # of the store's axis
    hello: Hello
    report: Report
    gpus: tuple[GpuFact, ...]
    counted: tuple[FlowReport, ...]  # of each flow, what may be added up over servers: each token once
    latencies: tuple[tuple[LatencyAbout, LatencyTotal], ...]  # of each request once; the lines tell some of them
    cost: tuple[tuple[str, Parts], ...]  # (currency, since the run began)
    ticks: int


class Teller:
    """Counts the ticks of one run and says how things stand. Belongs to one thread at a time."""

    def __init__(self, run: Run, since: Tick | None = None) -> None:
        """since: the tick that the counters begin with; None: the run's own beginning."""
        self._started_ms = run.started_ms if since is None else since.tick_ms
        self._name = f"{run.id}@{self._started_ms}"
        self._totals = RunningTotals(since)
        self._latencies = RunningLatencies()
        self._cost = RunningCost()

    def take(self, record: TickRecord, view: View) -> None:
        """Count one tick in; `view`: with the tick folded in."""
        self._totals.add(record)
        for flow in record.flows:
            self._latencies.add(view.entities[flow.entity], flow)
        self._cost.add(record, view)

    def say(self, view: View) -> Statement:
        """How things stand at the view's last tick."""
        moment = Moment(view)
        assert view.tick is not None
        totals = self._totals
        flows = [flow for server, _ in moment.servers for flow in _flows_of(server, totals, view)]
        server_place = {server: place for place, (server, _) in enumerate(moment.servers)}
        totals.keep([entry.entity for _, entry in moment.gpus], flows)
        self._latencies.keep(server_place)
        latencies = self._latencies_of(server_place)
        told = [each for each in latencies if each[0].name in LATENCIES]
        return Statement(
            tick_ms=view.tick.tick_ms,
            hello=Hello(
                tokwatch=PROTOCOL,
                version=__version__,
                host=_host_name(view),
                run=self._name,
                started_ms=self._started_ms,
                interval_s=view.settings.interval_s,
                gpus=tuple(_gpu_about(body) for body, _ in moment.gpus),
                servers=tuple(ServerAbout(body.address, body.engine, body.model) for _, body in moment.servers),
                flows=tuple(_flow_about(view.entities[flow], view.flows.get(flow), server_place) for flow in flows),
                simulated=view.run.kind == "simulated",
                problems=_problems(view),
                latencies=tuple(about for about, _ in told),
            ),
            report=Report(
                wall_ms=view.tick.wall_ms,
                watched_ms=totals.watched_ms,
                gpus=tuple(
                    _gpu_report(
                        entry,
                        totals.gpus.get(entry.entity, GpuTotals()),
                        tuple(
                            server_place[server]
                            for server in moment.placement(entry.entity).servers
                            if server in server_place
                        ),
                    )
                    for _, entry in moment.gpus
                ),
                servers=tuple(_server_report(view.servers[server]) for server, _ in moment.servers),
                flows=tuple(totals.flows[flow] for flow in flows),
                host_energy_mj=totals.host_energy_mj,
                self_cpu_ms=totals.self_cpu_ms,
                latencies=tuple(total.report for _, total in told),
            ),
            gpus=tuple(GpuFact(view.entities[entry.entity].key, body) for body, entry in moment.gpus),
            counted=tuple(totals.counted[flow] for flow in flows),
            latencies=latencies,
            cost=self._cost.parts,
            ticks=totals.ticks,
        )

    def _latencies_of(self, server_place: dict[int, int]) -> tuple[tuple[LatencyAbout, LatencyTotal], ...]:
        return tuple(
            (LatencyAbout(server_place[whose.server], whose.model, name, total.edges), total)
            for (whose, name), total in sorted(self._latencies.totals.items())
        )


def _flows_of(server: int, totals: RunningTotals, view: View) -> list[int]:
    """All that the server counted in this run: a tenant that is silent for long keeps its counters."""
    return sorted(flow for flow in totals.flows if view.entities[flow].parent == server)


def _host_name(view: View) -> str:
    bodies = (body for (kind, _, _), body in view.in_force.items() if kind == "facts" and isinstance(body, HostBody))
    return next((body.name for body in bodies), view.run.host)


def _problems(view: View) -> tuple[str, ...]:
    """The recorder's own."""
    return tuple(
        body.text
        for (kind, entity, _), body in sorted(view.in_force.items(), key=lambda item: item[0])
        if kind == "problem" and entity == 0 and isinstance(body, ProblemBody) and body.text
    )


def _gpu_about(body: GpuBody) -> GpuAbout:
    limit_w = None if body.power_limit_mw is None else body.power_limit_mw / 1000
    return GpuAbout(body.index, body.uuid, body.name or "", body.memory_total_mib, limit_w, body.kind)


def _flow_about(entity: Entity, entry: FlowEntry | None, server_place: dict[int, int]) -> FlowAbout:
    _, *labels = flow_labels(entity.key)
    model, role, tenant, tier = map(clean_label, labels)  # a key is as the store has it
    elsewhere = 0 if entry is None else entry.flags & _ELSEWHERE
    return FlowAbout(server_place[entity.parent], model, role, tenant, tier, elsewhere)


def _gpu_report(entry: GpuEntry, totals: GpuTotals, servers: tuple[int, ...]) -> GpuReport:
    return GpuReport(
        state=entry.state,
        energy_mj=totals.energy_mj,
        measured_ms=totals.measured_ms,
        power_mw=entry.power_mw,
        util_permille=entry.util_permille,
        memory_used_mib=entry.memory_used_mib,
        temperature_c=entry.temperature_c,
        servers=servers,
        state_ms=totals.state_ms,
        idle_energy_mj=totals.idle_energy_mj,
    )


def _server_report(entry: ServerEntry) -> ServerReport:
    if not entry.up:
        return ServerReport(up=False)
    return ServerReport(True, entry.running, entry.waiting, entry.kv_permyriad)
