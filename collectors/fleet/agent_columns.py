"""Columns of the page of a tokwatch agent: its GPUs as a meter tells them, their states, its servers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from collectors.exposition import Metrics, SeriesLabels
from collectors.fleet.columns import ABSENT, Column, Pick, Values, counts, picker
from collectors.fleet.histogram_columns import HistogramColumns, Placed, edge_of, histogram_columns, ordered
from collectors.fleet.meter_columns import gpu_columns, gpu_samples
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
from collectors.meters.reader import read_gpus
from collectors.prometheus.dialects import (
    AGENT_LATENCIES,
    AGENT_METER,
    AGENT_STATE,
    AGENT_UP,
    AGENT_VERSION,
    AGENT_VOCABULARY,
)
from collectors.vocabularies.vocabulary import Role, all_series

# A page of an agent is one also where it tells no GPU.
AGENT: Final = replace(AGENT_METER, name="tokwatch agent", signs=(frozenset({AGENT_VERSION}),))


def _told(role: Role) -> tuple[str, str]:
    """The series that plays a role, and its outcome."""
    (series,) = all_series(role)
    return series.name, "".join(series.values)


_COUNTERS: Final = tuple(_told(AGENT_VOCABULARY.counters[counter]) for counter in COUNTERS)
_GAUGES: Final = {gauge: _told(role)[0] for gauge, role in AGENT_VOCABULARY.gauges.items()}
_BUCKETS: Final = {f"{AGENT_LATENCIES[latency]}_bucket": latency for latency in LATENCIES}
_SUMS: Final = {f"{AGENT_LATENCIES[latency]}_sum": latency for latency in LATENCIES}
NAMES: Final = frozenset(
    {
        *(AGENT_VERSION, AGENT_STATE, AGENT_UP),
        *(name for name, _ in _COUNTERS),
        *_GAUGES.values(),
        *_BUCKETS,
        *_SUMS,
        *(name for sources in AGENT.values.values() for source in sources for name in source.names),
    }
)


@dataclass(frozen=True, slots=True)
class AgentColumns:
    """A page of one agent."""

    about: PageAbout
    names: frozenset[str]
    columns: Mapping[str, Column]
    states: tuple[tuple[Pick, tuple[int, ...]], ...]  # of each GPU: its flags, and which states they are of
    up: Pick  # of each server, and so for its gauges
    running: Pick
    waiting: Pick
    kv_usage: Pick
    counters: Pick
    histograms: HistogramColumns
    stands: Pick  # energy counters too, and of histograms their numbers of observations

    def sample(self, values: Values) -> PageSample:
        states = [_flagged(pick(values), places) for pick, places in self.states]
        servers = map(
            ServerSample,
            [value == 1 for value in self.up(values)],
            counts(self.running(values)),
            counts(self.waiting(values)),
            counts(self.kv_usage(values), 10_000),
        )
        return PageSample(
            self.about,
            gpu_samples(self.columns, len(states), values, states),
            tuple(servers),
            counts(self.counters(values)),
            self.histograms.read(values),
        )


def agent_columns(metrics: Metrics) -> AgentColumns | None:
    """None on a page that tells the same twice. Raises ExpositionError for more GPUs than any host has."""
    gpus = read_gpus(AGENT, metrics, 0)
    found = gpu_columns(AGENT, metrics, len(gpus))
    if found is None:
        return None
    columns, _ = found
    flags, places = _states(metrics)
    servers = list(dict.fromkeys(_server(series) for series in metrics.series if series.name == AGENT_UP))
    gauge = {(series.name, _server(series)): place for place, series in enumerate(metrics.series)}
    flows: dict[FlowName, int] = {}
    names, positions = _counters(metrics, servers, flows)
    placed = _histograms(metrics, servers, flows)
    version = next((series.labels.get("version", "") for series in metrics.series if series.name == AGENT_VERSION), "")
    told = [flags.get(gpu.facts.uuid or str(gpu.facts.index), {}) for gpu in gpus]
    return AgentColumns(
        about=PageAbout(
            AGENT.name,
            gpus=tuple(gpu.facts for gpu in gpus),
            servers=tuple(ServerName(address, engine) for address, engine in servers),
            flows=tuple(flows),
            counters=names,
            states=tuple(places),
            version=version,
            histograms=tuple(each.name for each in placed),
        ),
        names=NAMES,
        columns=columns,
        states=tuple((picker(each.values()), tuple(each)) for each in told),
        up=picker(gauge[AGENT_UP, server] for server in servers),
        running=picker(gauge.get((_GAUGES["running"], server), ABSENT) for server in servers),
        waiting=picker(gauge.get((_GAUGES["waiting"], server), ABSENT) for server in servers),
        kv_usage=picker(gauge.get((_GAUGES["kv_usage"], server), ABSENT) for server in servers),
        counters=picker(positions),
        histograms=histogram_columns(placed),
        stands=picker([*positions, *_energies(metrics), *(each.buckets[-1] for each in placed)]),
    )


def _energies(metrics: Metrics) -> list[int]:
    (energy,) = AGENT.values["energy_mj"]
    return [position for position, series in enumerate(metrics.series) if series.name in energy.names]


def _flagged(flags: tuple[float, ...], states: tuple[int, ...]) -> int | None:
    return states[flags.index(1.0)] if 1.0 in flags else None


def _states(metrics: Metrics) -> tuple[dict[str, dict[int, int]], list[str]]:
    """Positions of each GPU's flags by place of the state; and the states."""
    places: list[str] = []
    flags: dict[str, dict[int, int]] = {}
    for position, series in enumerate(metrics.series):
        if series.name == AGENT_STATE:
            state = series.labels.get("state", "")
            if state not in places:
                places.append(state)
            gpu = series.labels.get("uuid") or series.labels.get("gpu", "")
            flags.setdefault(gpu, {})[places.index(state)] = position
    return flags, places


def _server(series: SeriesLabels) -> tuple[str, str]:
    return series.labels.get("server", ""), series.labels.get("engine", "")


def _counters(
    metrics: Metrics, servers: list[tuple[str, str]], flows: dict[FlowName, int]
) -> tuple[tuple[CounterName, ...], list[int]]:
    """Names and positions; flows that are not known yet are added."""
    names: list[CounterName] = []
    positions: list[int] = []
    for position, series in enumerate(metrics.series):
        told = (series.name, series.labels.get("outcome", ""))
        if told in _COUNTERS and _server(series) in servers:
            place = flows.setdefault(_flow(series, servers), len(flows))
            names.append(CounterName(place, _COUNTERS.index(told), "".join(told)))
            positions.append(position)
    return tuple(names), positions


def _histograms(metrics: Metrics, servers: list[tuple[str, str]], flows: dict[FlowName, int]) -> list[Placed]:
    """Those that are whole; flows that are not known yet are added."""
    buckets: dict[tuple[FlowName, str], dict[float, int]] = defaultdict(dict)
    sums: dict[tuple[FlowName, str], int] = {}
    for position, series in enumerate(metrics.series):
        if _server(series) not in servers:
            continue
        if (latency := _BUCKETS.get(series.name)) is not None:
            buckets[_flow(series, servers), latency][edge_of(series.labels.get("le", ""))] = position
        elif (latency := _SUMS.get(series.name)) is not None:
            sums[_flow(series, servers), latency] = position
    placed = []
    for (flow, latency), positions in buckets.items():
        if (found := ordered(positions)) is not None and (flow, latency) in sums:
            edges, where = found
            name = HistogramName(flows.setdefault(flow, len(flows)), latency, edges, latency)
            placed.append(Placed(name, where, sums[flow, latency]))
    return placed


def _flow(series: SeriesLabels, servers: list[tuple[str, str]]) -> FlowName:
    return FlowName(servers.index(_server(series)), series.labels.get("model", ""))
