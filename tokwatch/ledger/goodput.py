"""Service levels of a moment: latencies, the share of requests within the SLO, and achieved goodput.

Achieved is what it is at the present load; the most that a box could do within its SLO is another figure (DistServe's).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add

from tokwatch.ledger.entries import Flag
from tokwatch.ledger.figures import WARMING_UP
from tokwatch.ledger.latency import Observations
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.registry import flow_labels
from tokwatch.ledger.slo import NO_REQUEST, NO_SLO, PER_REQUEST, Between, Good, Outcomes, Slo, good_requests
from tokwatch.ledger.snapshot import Interval, Quantiles
from tokwatch.ledger.sums import FlowSums

LATENCIES = (*PER_REQUEST, "itl", "token_time", "queue")
NO_LATENCIES = "its page tells no latencies"
FEW = 30  # below it a share is told in counts: each observation is more than three per cent of it


@dataclass(frozen=True)
class Population:
    """The requests of one model on one server over the usual window, and the limits they are under."""

    slo: Slo
    outcomes: Outcomes
    latencies: dict[str, Observations]  # those that were observed, by the histogram's name
    output_tokens: int
    length_ms: int  # the part of the window that the engine's counts speak for

    @cached_property
    def good(self) -> Good | str:
        """Its good requests, or why nothing can be said of them."""
        if not self.slo.limits:
            return NO_SLO
        if not self.length_ms:
            return WARMING_UP
        if self.outcomes.finished is None and not self.latencies and self.output_tokens:
            return NO_LATENCIES
        return good_requests(self.slo, self.latencies, self.outcomes)


def populations(moment: Moment, servers: Iterable[int], *, counted_once: bool = False) -> list[Population]:
    """The requests of the servers; `counted_once`: without those that are counted at another server."""
    wanted = set(servers)
    flows: dict[tuple[int, str], list[int]] = {}
    for flow, entry in sorted(moment.view.flows.items()):
        entity = moment.view.entities[flow]
        if entity.parent in wanted and not (counted_once and entry.flags & Flag.OUTPUT_ELSEWHERE):
            key = entity.parent, flow_labels(entity.key)[1]
            flows.setdefault(key, []).append(flow)
    return [_population(moment, server, model, tuple(parts)) for (server, model), parts in flows.items()]


def _population(moment: Moment, server: int, model: str, flows: tuple[int, ...]) -> Population:
    # A server's row, its deployment, the host and their money ask for the same ones: a tenth of a Snapshot's time.
    if flows not in moment.populations:
        moment.populations[flows] = _sum_up(moment, server, model, [moment.view.flow_sums[flow] for flow in flows])
    return moment.populations[flows]


def _sum_up(moment: Moment, server: int, model: str, flows: Sequence[FlowSums]) -> Population:
    windows = [sums.timed for sums in flows]
    counted_ms = max(window.finished_ms for window in windows)
    length_ms = counted_ms or max(window.length_ms for window in windows)
    observed = {name: [layout for sums in flows for layout in sums.histograms.named(name)] for name in LATENCIES}
    return Population(
        slo=moment.view.settings.slo(model),
        outcomes=Outcomes(
            finished=sum(window.finished for window in windows) if counted_ms else None,
            unfinished=sum(window.failed + window.aborted for window in windows),
            running=moment.view.servers[server].running or 0,
        ),
        latencies={name: Observations(layouts) for name, layouts in observed.items() if layouts},
        output_tokens=sum(window.output_tokens for window in windows),
        length_ms=length_ms and max(length_ms, moment.read_ms(server, long=False)),
    )


# --- latencies --------------------------------------------------------------------------------------------------------


def quantiles(populations: Sequence[Population], name: str) -> Quantiles:
    """The buckets that the quantiles of a latency fall in."""
    found = [each.latencies[name] for each in populations if name in each.latencies]
    every = found[0] if len(found) == 1 else Observations(layout for each in found for layout in each.layouts)
    return Quantiles(*(_bucket(every.quantile(q), every.n) for q in (0.50, 0.95, 0.99)))


def _bucket(pair: tuple[float, float | None] | None, n: int) -> Interval:
    return Interval(None, None, NO_REQUEST) if pair is None else Interval(*pair, n=n)


def attained(populations: Sequence[Population], limit: str, histogram: str) -> Interval:
    """The share of a histogram's observations that is within a limit of the SLO, whatever became of the requests."""
    limited = [each for each in populations if limit in each.slo.limits]
    if not limited:
        return Interval(None, None, f"no {limit.upper()} limit set")
    found = [
        each.latencies[histogram].within(each.slo.limits[limit]) for each in limited if histogram in each.latencies
    ]
    met = [attainment for attainment in found if attainment is not None]
    if not met:
        return Interval(None, None, NO_REQUEST)
    every = reduce(add, met)
    return _share(Between(every.low, every.high, every.point), every.n)


# --- service levels ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What the requests of some servers got. Marked "part" where other requests cannot be judged, and are left out."""

    met: Interval  # share of the ended requests, failed and aborted ones included, that were good
    goodput_req_s: Interval
    slo_weighted_tok_s: Interval
    verdict: str  # "met" | "missed" of the target; "" where the bounds allow both, or of few requests


def service_level(populations: Sequence[Population], slo: Slo) -> ServiceLevel:
    """Of all the populations together; `slo`: the one that gives the target, and says whether any is set."""
    judged = [(each, each.good) for each in populations if isinstance(each.good, Good)]
    reasons = [each.good for each in populations if isinstance(each.good, str)]
    unjudged = [why for why in reasons if why not in (NO_REQUEST, NO_SLO, WARMING_UP)]
    if not judged:
        # What will be told in a moment goes before what will never be told of a part.
        waiting = [why for why in reasons if why == WARMING_UP]
        nothing = Interval(None, None, next(iter(waiting or unjudged or reasons), NO_REQUEST if slo.limits else NO_SLO))
        return ServiceLevel(nothing, nothing, nothing, "")
    marks = ("part",) if unjudged else ()
    every = reduce(add, (good for _, good in judged))
    met = _share(every.share, every.ended_at_most, marks)
    goodput = reduce(add, (good.number * (1000 / each.length_ms) for each, good in judged))
    # Histograms weigh each request the same, so good tokens cannot be had of them: this is as if good and other
    # requests were equally long. What is sure of good tokens is only [0, output tok/s].
    tokens = reduce(add, (good.share * (each.output_tokens * 1000 / each.length_ms) for each, good in judged))
    return ServiceLevel(
        met=met,
        goodput_req_s=_interval(goodput, marks),
        slo_weighted_tok_s=_interval(tokens, (*marks, "est")),
        verdict="" if met.why else _verdict(every.share, slo.target),
    )


def _verdict(share: Between, target: float) -> str:
    return "met" if share.low >= target else "missed" if share.high < target else ""


def _share(share: Between, n: int, marks: tuple[str, ...] = ()) -> Interval:
    """A share of n; of few, with the counts in words."""
    if n >= FEW:
        return _interval(share, marks, n)
    low, high = f"{share.low * n:.0f}", f"{share.high * n:.0f}"
    return _interval(share, marks, n, why=f"few requests: {low if low == high else f'{low}–{high}'} of {n}")


def _interval(between: Between, marks: tuple[str, ...] = (), n: int | None = None, why: str = "") -> Interval:
    """With its point, marked "est" where that is interpolated."""
    if between.point is not None and between.low < between.high:
        marks = tuple(sorted({*marks, "est"}))
    return Interval(between.low, between.high, why, between.point, n, marks)
