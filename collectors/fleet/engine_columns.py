"""Columns of an inference server's page, by the plan that its vocabulary made: token counters and gauges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from collectors.fleet.columns import Pick, Values, counts, picker
from collectors.fleet.samples import (
    COUNTERS,
    CounterName,
    FlowName,
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

    @property
    def stands(self) -> Pick:
        return self.counters

    def sample(self, values: Values) -> PageSample:
        shares = self.kv_usage(values)
        fullest = max(shares) * self.kv_scale if shares else -1.0
        server = ServerSample(
            True,
            _sum(self.running(values)),
            _sum(self.waiting(values)),
            round(fullest * 10_000) if 0 <= fullest <= 1 else None,
        )
        return PageSample(self.about, (), (server,), counts(self.counters(values)))


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
    read = {*positions, *(position for pick in picks for position in pick)}
    return EngineColumns(
        about=PageAbout(
            engine.engine,
            servers=(ServerName(address, engine.engine),),
            flows=tuple(flows) if engine.layer is Layer.ENGINE else (),
            counters=tuple(names) if engine.layer is Layer.ENGINE else (),
        ),
        names=frozenset(plan.series[position].name for position in read),
        counters=picker(positions if engine.layer is Layer.ENGINE else ()),
        running=picker(picks[0]),
        waiting=picker(picks[1]),
        kv_usage=picker(picks[2]),
        kv_scale=gauges["kv_usage"].scale if "kv_usage" in gauges else 1.0,
    )


def engine_sample(reading: ServerReading) -> PageSample:
    """The sample of a strict reading; the tokens of routers and gateways are their engines', and left out."""
    flows, names, values = [], [], []
    for flow in reading.flows if reading.layer is Layer.ENGINE else ():
        flows.append(FlowName(0, flow.model, flow.role, flow.tenant, flow.tier))
        for counter, field in enumerate(COUNTERS):
            value: int | None = getattr(flow, field)
            if value is not None:
                names.append(CounterName(len(flows) - 1, counter, field))
                values.append(value)
    facts = reading.server
    kv = reading.kv_usage
    server = ServerSample(True, reading.running, reading.waiting, None if kv is None else round(kv * 10_000))
    about = PageAbout(facts.engine, (), (ServerName(facts.address, facts.engine),), tuple(flows), tuple(names))
    return PageSample(about, (), (server,), tuple(values))


def _positions(gauge: GaugePlan | None) -> Sequence[int]:
    return () if gauge is None else gauge.positions


def _series(plan: Plan, position: int) -> str:
    series = plan.series[position]
    return series.name + "".join(f",{name}={value}" for name, value in sorted(series.labels.items()))


def _sum(values: tuple[float, ...]) -> int | None:
    total = sum(values)
    return round(total) if values and 0 <= total < 1e9 else None
