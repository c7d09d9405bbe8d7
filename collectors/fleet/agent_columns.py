"""Columns of the page of a tokwatch agent: its GPUs as a meter tells them, their states, its servers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from collectors.exposition import Metrics, SeriesLabels
from collectors.fleet.columns import ABSENT, Column, Pick, Values, counts, picker
from collectors.fleet.meter_columns import gpu_columns, gpu_samples
from collectors.fleet.samples import (
    CounterName,
    FlowName,
    PageAbout,
    PageSample,
    ServerName,
    ServerSample,
)
from collectors.meters.meter import Meter, told_by
from collectors.meters.reader import read_gpus

AGENT: Final = Meter(
    name="tokwatch agent",
    signs=(frozenset({"tokwatch_build_info"}),),
    identity=(("uuid",), ("gpu",)),
    uuid="uuid",
    index=("gpu",),
    model=("model_name",),
    values={
        "power_w": (told_by("tokwatch_gpu_power_watts"),),
        "energy_mj": (told_by("tokwatch_gpu_energy_joules_total", scale=1000.0),),
        "utilization": (told_by("tokwatch_gpu_utilization_ratio"),),
        "memory_used_bytes": (told_by("tokwatch_gpu_memory_used_bytes"),),
        "memory_total_bytes": (told_by("tokwatch_gpu_memory_total_bytes"),),
        "temperature_c": (told_by("tokwatch_gpu_temperature_celsius"),),
    },
)
_BUILD: Final = "tokwatch_build_info"
_STATE: Final = "tokwatch_gpu_state"
_UP: Final = "tokwatch_server_up"
_GAUGES: Final = ("tokwatch_requests_running", "tokwatch_requests_waiting", "tokwatch_kv_cache_usage_ratio")
# In the order of samples.COUNTERS: series, and its outcome.
_COUNTERS: Final = (
    ("tokwatch_prompt_tokens_total", ""),
    ("tokwatch_cached_tokens_total", ""),
    ("tokwatch_output_tokens_total", ""),
    ("tokwatch_requests_total", "finished"),
    ("tokwatch_requests_total", "failed"),
    ("tokwatch_requests_total", "aborted"),
)
NAMES: Final = frozenset(
    {
        _BUILD,
        _STATE,
        _UP,
        *_GAUGES,
        *(name for name, _ in _COUNTERS),
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
    stands: Pick  # energy counters too

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
        )


def agent_columns(metrics: Metrics) -> AgentColumns | None:
    """None on a page that tells the same twice. Raises ExpositionError for more GPUs than any host has."""
    gpus = read_gpus(AGENT, metrics, 0)
    found = gpu_columns(AGENT, metrics, len(gpus))
    if found is None:
        return None
    columns, _ = found
    flags, places = _states(metrics)
    servers = list(dict.fromkeys(_server(series) for series in metrics.series if series.name == _UP))
    gauge = {(series.name, _server(series)): place for place, series in enumerate(metrics.series)}
    flows, names, positions = _flows(metrics, servers)
    version = next((series.labels.get("version", "") for series in metrics.series if series.name == _BUILD), "")
    told = [flags.get(gpu.facts.uuid or str(gpu.facts.index), {}) for gpu in gpus]
    return AgentColumns(
        about=PageAbout(
            AGENT.name,
            gpus=tuple(gpu.facts for gpu in gpus),
            servers=tuple(ServerName(address, engine) for address, engine in servers),
            flows=flows,
            counters=names,
            states=tuple(places),
            version=version,
        ),
        names=NAMES,
        columns=columns,
        states=tuple((picker(each.values()), tuple(each)) for each in told),
        up=picker(gauge[_UP, server] for server in servers),
        running=picker(gauge.get((_GAUGES[0], server), ABSENT) for server in servers),
        waiting=picker(gauge.get((_GAUGES[1], server), ABSENT) for server in servers),
        kv_usage=picker(gauge.get((_GAUGES[2], server), ABSENT) for server in servers),
        counters=picker(positions),
        stands=picker([*positions, *_energies(metrics)]),
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
        if series.name == _STATE:
            state = series.labels.get("state", "")
            if state not in places:
                places.append(state)
            gpu = series.labels.get("uuid") or series.labels.get("gpu", "")
            flags.setdefault(gpu, {})[places.index(state)] = position
    return flags, places


def _server(series: SeriesLabels) -> tuple[str, str]:
    return series.labels.get("server", ""), series.labels.get("engine", "")


def _flows(
    metrics: Metrics, servers: list[tuple[str, str]]
) -> tuple[tuple[FlowName, ...], tuple[CounterName, ...], list[int]]:
    flows: dict[FlowName, int] = {}
    names: list[CounterName] = []
    positions: list[int] = []
    for position, series in enumerate(metrics.series):
        told = (series.name, series.labels.get("outcome", ""))
        if told in _COUNTERS and _server(series) in servers:
            flow = FlowName(servers.index(_server(series)), series.labels.get("model", ""))
            place = flows.setdefault(flow, len(flows))
            names.append(CounterName(place, _COUNTERS.index(told), "".join(told)))
            positions.append(position)
    return tuple(flows), tuple(names), positions
