"""Everything that one look at the fleet asks of a Prometheus: groups of figures that are found or lost together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

from collectors.prometheus.dialects import Dialects
from collectors.prometheus.expressions import Ask, constant, either, packed
from collectors.prometheus.identity import HOST, HostIdentity
from tokwatch.feeds.fleet.prometheus_buckets import LATENCIES, LatencyQuestions
from tokwatch.feeds.fleet.prometheus_gpus import GpuQuestions
from tokwatch.feeds.fleet.prometheus_hosts import HostQuestions
from tokwatch.feeds.fleet.prometheus_servers import ServerQuestions

HARDWARE: Final = "hardware"
PART: Final = "tw_part"
# By group. A window's quantiles need no look every few seconds, and buckets are most of what a server holds.
_EVERY_S: Final = {HARDWARE: 120.0, "buckets": 120.0, "sensors": 60.0} | {
    f"latencies ({kind})": 30.0 for kind in LATENCIES
}


class Group(NamedTuple):
    """Figures that a screen can do without, together."""

    name: str
    queries: tuple[str, ...]
    every_s: float = 0.0  # what changes slowly need not be asked with each look at the present


@dataclass(frozen=True)
class Questions:
    """The questions of one dialect; the same for now and for any moment of the past."""

    dialects: Dialects
    identity: HostIdentity
    jobs: tuple[str, ...]
    window_s: float
    interval_s: float
    role_labels: tuple[str, ...] = ()  # as of ServerQuestions

    @cached_property
    def gpus(self) -> GpuQuestions:
        return GpuQuestions(self.dialects, self.identity, self.window_s, self.interval_s)

    @cached_property
    def servers(self) -> ServerQuestions:
        return ServerQuestions(self.dialects, self.identity, self.window_s, self.interval_s, self.role_labels)

    @cached_property
    def latencies(self) -> LatencyQuestions:
        return LatencyQuestions(self.dialects, self.identity, self.window_s, self.interval_s)

    @cached_property
    def hosts(self) -> HostQuestions:
        gpus, servers = self.gpus.presence(), self.servers.presence()
        return HostQuestions(self.dialects, self.identity, gpus, servers, self.jobs, self.window_s, self.interval_s)

    @cached_property
    def asks(self) -> Mapping[str, tuple[Ask, ...]]:
        """By group, in the order in which they are asked: what says that a host is there first."""
        asked = {
            "hosts": self.hosts.targets(),
            "freshness": self.hosts.instants(),
            HARDWARE: self.gpus.hardware(),
            "tokens": self.servers.tokens(),
            "requests": self.servers.requests(),
            "power": self.gpus.power(),
            "what GPUs do": self.gpus.doings(),
            "energy": self.gpus.energy(),
            "sensors": self.gpus.sensors(),
            **{f"latencies ({kind})": self.latencies.moved(kind) for kind in LATENCIES},
            "buckets": self.latencies.layouts(),
        }
        return {name: tuple(asks) for name, asks in asked.items()}

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        asked = ((name, packed(asks)) for name, asks in self.asks.items())
        return tuple(Group(name, queries, _EVERY_S.get(name, 0.0)) for name, queries in asked if queries)

    @property
    def figures(self) -> frozenset[str]:
        """What the server's names can tell."""
        return frozenset(ask.figure for asks in self.asks.values() for ask in asks)

    @cached_property
    def scales(self) -> Mapping[tuple[str, str], float]:
        """(engine, kind) → seconds in a unit of its latencies, where it is not 1."""
        return {
            (vocabulary.engine, kind): role.scale
            for vocabulary in self.dialects.vocabularies
            for kind, role in vocabulary.histograms.items()
            if role.scale != 1
        }

    def trend(self) -> tuple[str, ...]:
        """Queries of the whole fleet's power, output tokens and idle GPUs, out of the figures by host."""
        once = replace(self.servers, dialects=self.dialects.counted_once)
        running = [ask.text for ask in once.running()]
        idle = list(self.gpus.idle(f"sum by({HOST}) ({either(running)}) > 0" if running else ""))
        asks = [ask for ask in self.gpus.power() if ask.figure == "power_w"]
        asks += once.made()
        asks += [Ask("gpus_idle", either(idle, HOST))] if idle else []
        # A figure of several engines comes in several parts, which are told apart until they are added up.
        return packed(Ask(ask.figure, constant(f"sum({ask.text})", PART, str(part))) for part, ask in enumerate(asks))
