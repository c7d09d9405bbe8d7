"""Columns of an inference server's page, by the plan that its vocabulary made: counters, gauges and latencies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collectors.fleet.columns import Pick, Values, counts, picker
from collectors.fleet.histogram_columns import HistogramColumns, Placed, histogram_columns
from collectors.fleet.samples import (
    COUNTERS,
    LATENCIES,
    CounterName,
    FlowName,
    HistogramName,
    PageAbout,
    PageSample,
    ServerName,
    ServerSample,
)
from collectors.readings import UNNAMED, Layer, ServerReading
from collectors.vocabularies.plan import GaugePlan, Plan


@dataclass(frozen=True, slots=True)
class EngineColumns:
    """A page of one server."""

    about: PageAbout
    names: frozenset[str]
    counters: Pick
    running: Pick
    waiting: Pick
    kv_usage: Pick
    kv_scale: float
    histograms: HistogramColumns
    stands: Pick  # of histograms their numbers of observations

    def sample(self, values: Values) -> PageSample:
        shares = self.kv_usage(values)
        fullest = max(shares) * self.kv_scale if shares else -1.0
        server = ServerSample(
            True,
            _sum(self.running(values)),
            _sum(self.waiting(values)),
            round(fullest * 10_000) if 0 <= fullest <= 1 else None,
        )
        return PageSample(self.about, (), (server,), counts(self.counters(values)), self.histograms.read(values))


def engine_columns(plan: Plan, address: str) -> EngineColumns | None:
    """None where a counter or a number of requests is not in units of one."""
    engine = plan.vocabulary
    gauges = {gauge.name: gauge for gauge in plan.gauges}
    flows: list[FlowName] = []
    names: list[CounterName] = []
    positions: list[int] = []
    for flow in plan.flows:
        flows.append(FlowName(0, flow.model or UNNAMED, plan.role, flow.tenant, flow.tier))
        for counter in flow.counters:
            if counter.name not in COUNTERS:
                continue
            if counter.scale != 1:
                return None
            for position in (position for _, part in counter.parts for position in part):
                names.append(CounterName(len(flows) - 1, COUNTERS.index(counter.name), _series(plan, position)))
                positions.append(position)
    if any(gauges[name].scale != 1 for name in ("running", "waiting") if name in gauges):
        return None
    picks = [_positions(gauges.get(name)) for name in ("running", "waiting", "kv_usage")]
    placed = [*_placed(plan)]
    if engine.layer is not Layer.ENGINE:  # its requests are its engines'
        flows, names, positions, placed = [], [], [], []
    read = {*positions, *(position for pick in picks for position in pick)}
    read.update(position for each in placed for position in (*each.buckets, each.sum))
    return EngineColumns(
        about=PageAbout(
            engine.engine,
            servers=(ServerName(address, engine.engine),),
            flows=tuple(flows),
            counters=tuple(names),
            histograms=tuple(each.name for each in placed),
        ),
        names=frozenset(plan.series[position].name for position in read),
        counters=picker(positions),
        running=picker(picks[0]),
        waiting=picker(picks[1]),
        kv_usage=picker(picks[2]),
        kv_scale=gauges["kv_usage"].scale if "kv_usage" in gauges else 1.0,
        histograms=histogram_columns(placed),
        stands=picker([*positions, *(each.buckets[-1] for each in placed)]),
    )


def engine_sample(reading: ServerReading) -> PageSample:
    """The sample of a strict reading; the tokens of routers and gateways are their engines', and left out."""
    flows, names, values = [], [], []
    histograms = {}
    for flow in reading.flows if reading.layer is Layer.ENGINE else ():
        flows.append(FlowName(0, flow.model, flow.role, flow.tenant, flow.tier))
        for counter, field in enumerate(COUNTERS):
            value: int | None = getattr(flow, field)
            if value is not None:
                names.append(CounterName(len(flows) - 1, counter, field))
                values.append(value)
        for latency, histogram in flow.histograms:
            if latency in LATENCIES:
                histograms[HistogramName(len(flows) - 1, latency, histogram.edges, latency)] = histogram
    facts = reading.server
    kv = reading.kv_usage
    server = ServerSample(True, reading.running, reading.waiting, None if kv is None else round(kv * 10_000))
    about = PageAbout(
        facts.engine,
        servers=(ServerName(facts.address, facts.engine),),
        flows=tuple(flows),
        counters=tuple(names),
        histograms=tuple(histograms),
    )
    return PageSample(about, (), (server,), tuple(values), tuple(histograms.values()))


def _positions(gauge: GaugePlan | None) -> Sequence[int]:
    return () if gauge is None else gauge.positions


def _placed(plan: Plan) -> Iterator[Placed]:
    """Each rank's histograms by themselves, as its counters are."""
    for place, flow in enumerate(plan.flows):
        for told in flow.histograms:
            if told.name not in LATENCIES:
                continue
            for where, total in told.series:
                buckets = range(len(plan.series))[where] if isinstance(where, slice) else where
                name = HistogramName(place, told.name, told.edges, _series(plan, total))
                yield Placed(name, buckets, total, told.scale)


def _series(plan: Plan, position: int) -> str:
    series = plan.series[position]
    return series.name + "".join(f",{name}={value}" for name, value in sorted(series.labels.items()))


def _sum(values: tuple[float, ...]) -> int | None:
    total = sum(values)
    return round(total) if values and 0 <= total < 1e9 else None
