"""Service levels of a moment: the share of requests within the SLO, and achieved goodput.

Achieved is what it is at the present load; the most that a box could do within its SLO is another figure (DistServe's).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from tokwatch.ledger.entries import Flag
from tokwatch.ledger.latency import Attainment, Observations
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.registry import flow_labels
from tokwatch.ledger.slo import NO_REQUEST, NO_SLO, Good, Outcomes, Slo, good_requests
from tokwatch.ledger.snapshot import Interval
from tokwatch.ledger.sums import FlowSums, FlowTotals

FEW_REQUESTS = 30  # below it a share is told in counts: each request is more than three per cent of it
NO_SERVER = "no server"


@dataclass(frozen=True, slots=True)
class Population:
    """The requests of one model on one server over the usual window, and the limits they are under."""

    slo: Slo
    latencies: dict[str, Observations]
    outcomes: Outcomes
    output_tokens: int
    length_ms: int  # the part of the window that the engine's counts speak for


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What the requests of some servers got."""

    met: Interval  # share of ended requests, failed and aborted ones included, that were good
    goodput_req_s: Interval
    # As if good and other requests were equally long. Request-weighted histograms cannot tell more: what is sure of
    # good tokens is only that they are between 0 and all output tokens.
    slo_weighted_tok_s: Interval


def populations(moment: Moment, servers: Iterable[int], *, counted_once: bool = False) -> list[Population]:
    """The requests of the servers; `counted_once`: without those that are counted at another server."""
    wanted = set(servers)
    flows: dict[tuple[int, str], list[FlowSums]] = {}
    running: dict[tuple[int, str], int] = {}
    for flow, entry in sorted(moment.view.flows.items()):
        server = moment.view.entities[flow].parent
        if server in wanted and not (counted_once and entry.flags & Flag.OUTPUT_ELSEWHERE):
            model = flow_labels(moment.view.entities[flow].key)[1]
            flows.setdefault((server, model), []).append(moment.view.flow_sums[flow])
            running[server, model] = moment.view.servers[server].running or 0
    settings = moment.view.settings
    return [_population(settings.slo(model), flows[server, model], running[server, model]) for server, model in flows]


def _population(slo: Slo, flows: list[FlowSums], running: int) -> Population:
    windows = [FlowTotals(*sums.short.sums) for sums in flows]
    counted_ms = max(window.finished_ms for window in windows)
    finished = sum(window.finished for window in windows) if counted_ms else None
    unfinished = sum(window.failed + window.aborted for window in windows)
    layouts: dict[str, list[tuple[tuple[float, ...], list[int]]]] = {}
    for sums in flows:
        for name, edges, counts in sums.histograms.all():
            layouts.setdefault(name, []).append((edges, counts))
    return Population(
        slo=slo,
        latencies={name: Observations(parts) for name, parts in layouts.items()},
        outcomes=Outcomes(finished, unfinished, running),
        output_tokens=sum(window.output_tokens for window in windows),
        length_ms=counted_ms or max(window.length_ms for window in windows),
    )
