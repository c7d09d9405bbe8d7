"""What inference servers did in each quarter hour: tokens and requests by model, time at work, and where they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from collectors.prometheus.dialects import AGENT, LAYERS
from collectors.readings import Layer
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary, parts_of
from tokwatch.feeds.prometheus_quarters import promql
from tokwatch.feeds.prometheus_quarters.asking import Stretch
from tokwatch.feeds.prometheus_quarters.fleet import Fleet
from tokwatch.feeds.prometheus_quarters.increments import Found, of_series
from tokwatch.feeds.prometheus_quarters.latencies import Latencies, latencies
from tokwatch.feeds.prometheus_quarters.observed import Observed
from tokwatch.feeds.prometheus_quarters.promql import Selector
from tokwatch.feeds.prometheus_quarters.server_labels import Ranked, ServerLabels
from tokwatch.feeds.prometheus_quarters.things import Flow, Half, Pair, Pod, Server
from tokwatch.ledger.counting import Counting

COUNTS: Final = (
    "prompt_tokens",
    "cached_tokens",
    "output_tokens",
    "finished",
    "failed",
    "aborted",
    "preempted",
    "drafted_tokens",
    "accepted_tokens",
)


@dataclass(slots=True)
class FlowCounts:
    """One flow in one quarter hour."""

    counts: dict[str, int] = field(default_factory=dict)  # by FlowQuarter's fields; what is not known is not there
    flags: int = 0
    elsewhere: dict[str, int] = field(default_factory=dict)  # of the counts, those that another server has too


@dataclass(slots=True)
class ServersFound:
    """Everything of one stretch."""

    vocabularies: dict[Server, Vocabulary] = field(default_factory=dict)
    pods: dict[Server, Pod] = field(default_factory=dict)
    halves: dict[Server, Half] = field(default_factory=dict)
    flows: dict[tuple[Flow, int], FlowCounts] = field(default_factory=dict)
    observed_ms: dict[tuple[Server, int], int] = field(default_factory=dict)
    at_work: dict[tuple[Server, int], float] = field(default_factory=dict)  # the share of minutes
    latencies: Latencies = field(default_factory=dict)
    counting: dict[tuple[Flow, int], Counting] = field(default_factory=dict)  # of those with any rule but the usual
    pairs: dict[tuple[Server, int], Pair] = field(default_factory=dict)

    def engines_on_host(self, quarter_ms: int) -> dict[str, list[Server]]:
        """Those that were watched in a quarter hour, by host. A router or gateway has no GPU."""
        found: dict[str, list[Server]] = defaultdict(list)
        for server, at_ms in self.observed_ms:
            if at_ms == quarter_ms and layer_of(server) is Layer.ENGINE:
                found[server.host].append(server)
        return found

    def units(self, servers: Iterable[Server], quarter_ms: int) -> list[tuple[Server, ...]]:
        """Each of them, or all servers that it makes its tokens with; those of a pair are the same object each time."""
        units: list[tuple[Server, ...]] = []
        for server in servers:
            pair = self.pairs.get((server, quarter_ms))
            unit = pair.servers if pair else (server,)
            if not any(unit is known for known in units):
                units.append(unit)
        return units


def layer_of(server: Server) -> Layer:
    """Also of one that an agent tells of."""
    return LAYERS.get(server.engine, Layer.ENGINE)


async def servers(
    fleet: Fleet, hosts_of_pods: Mapping[Pod, str], stretch: Stretch, *, traffic: bool = True
) -> ServersFound:
    """All that count tokens; those of an agent's host by the agent alone. Counts as the servers tell them.

    traffic: with tokens, requests and latencies; else only where engines were, and when they worked.
    """
    found = ServersFound()
    hosts_told: set[str] = set()
    targets_told: set[tuple[str, str]] = set()
    # Engines first: a page of one may have a router's series too.
    for vocabulary in sorted(fleet.dialects.vocabularies, key=lambda each: each.layer is not Layer.ENGINE):
        if vocabulary.layer is not Layer.ENGINE and not traffic:
            continue
        reading = _Reading(fleet, stretch, ServerLabels(fleet.identity, vocabulary, hosts_of_pods))
        await reading.watch()
        if traffic:
            await reading.count()
        reading.give(found, without_hosts=hosts_told, without_targets=targets_told)
        targets_told |= {(server.host, server.address) for server in reading.servers}
        if vocabulary.engine == AGENT:
            hosts_told = {server.host for server in found.vocabularies}
    return found


@dataclass
class _Reading:
    """One vocabulary over one stretch."""

    fleet: Fleet
    stretch: Stretch
    labels: ServerLabels
    increments: dict[Series, Found[Ranked]] = field(default_factory=dict)
    observed: dict[tuple[Server, int], int] = field(default_factory=dict)
    at_work: dict[tuple[Server, int], float] = field(default_factory=dict)
    latencies: Latencies = field(default_factory=dict)

    @property
    def servers(self) -> set[Server]:
        return {server for server, _ in self.observed} | {
            ranked.flow.server for moved in self.increments.values() for ranked, _ in moved
        }

    async def count(self) -> None:
        wanted = {
            series
            for name, role in self.labels.vocabulary.counters.items()
            if name in COUNTS
            for candidate in role.candidates
            for series in parts_of(candidate)
        }
        for series in sorted(wanted, key=repr):
            for selector in self.fleet.spelled(series):
                moved = await of_series(
                    self.fleet.asking, selector, self.labels.flow_group, self.labels.ranked, self.stretch
                )
                known = self.increments.setdefault(series, {})
                told = {ranked.flow.server for ranked, _ in known}  # twins under another spelling are not added
                known |= {at: each for at, each in moved.items() if at[0].flow.server not in told}
        self.latencies = await latencies(self.fleet, self.labels, self.stretch)

    def give(self, found: ServersFound, *, without_hosts: set[str], without_targets: set[tuple[str, str]]) -> None:
        """What it tells of servers that nothing before it told of."""

        def new(server: Server) -> bool:
            return server.host not in without_hosts and (server.host, server.address) not in without_targets

        found.vocabularies |= {server: self.labels.vocabulary for server in sorted(self.servers) if new(server)}
        found.pods |= {server: pod for server, pod in self.labels.pods.items() if new(server)}
        found.halves |= {server: half for server, half in self.labels.halves.items() if new(server)}
        found.observed_ms |= {at: ms for at, ms in self.observed.items() if new(at[0])}
        found.latencies |= {at: entries for at, entries in self.latencies.items() if new(at[0].server)}
        found.at_work |= {at: share for at, share in self.at_work.items() if new(at[0])}
        for name in COUNTS:
            role = self.labels.vocabulary.counters.get(name)
            for (flow, quarter_ms), moved in (self._role(role) if role else {}).items():
                if new(flow.server):
                    counts = found.flows.setdefault((flow, quarter_ms), FlowCounts())
                    counts.flags |= moved.flags
                    if moved.amount is not None and role is not None:
                        counts.counts[name] = round(moved.amount * role.scale)

    # --- counters -------------------------------------------------------------------------------------------------

    def _role(self, role: Role) -> Found[Flow]:
        """A role's counter: each server's first candidate of which it has every series."""
        found: Found[Flow] = {}
        told: set[Server] = set()
        for candidate in role.candidates:
            parts = [self._of_one_rank(self.increments.get(series, {})) for series in parts_of(candidate)]
            have = set.intersection(*({flow.server for flow, _ in part} for part in parts)) if parts else set()
            for part in parts:
                for (flow, quarter_ms), moved in part.items():
                    if flow.server in have - told:
                        known = found.get((flow, quarter_ms))
                        found[flow, quarter_ms] = moved if known is None else known.plus(moved)
            told |= have
        return found

    def _of_one_rank(self, increments: Found[Ranked]) -> Found[Flow]:
        if not self.labels.vocabulary.copies:
            return {(ranked.flow, quarter_ms): moved for (ranked, quarter_ms), moved in increments.items()}
        found: Found[Flow] = {}
        for (ranked, quarter_ms), moved in sorted(increments.items(), key=lambda each: each[0][0].rank):
            found.setdefault((ranked.flow, quarter_ms), moved)
        return found

    # --- when they were there, and when they worked -----------------------------------------------------------------

    async def watch(self) -> None:
        group = self.labels.server_group
        observed = Observed(self.fleet.asking, self.stretch)
        for selector in self._of("output_tokens", "prompt_tokens"):
            for (server, quarter_ms), ms in (await observed.of(selector, group, self.labels.server)).items():
                self.observed[server, quarter_ms] = max(ms, self.observed.get((server, quarter_ms), 0))
            await self._work(promql.moved(selector), group)
        for selector in self._of("running"):
            await self._work(promql.above(selector, 0), group)

    async def _work(self, condition: str, group: str) -> None:
        query = promql.share_of_minutes(condition, group)
        for labels, quarter_ms, share in await self.fleet.asking.quarters(query, self.stretch):
            at = self.labels.server(labels), quarter_ms
            self.at_work[at] = max(share, self.at_work.get(at, 0.0))

    def _of(self, *names: str) -> Iterator[Selector]:
        """The series of the first of some roles that the server has."""
        roles = {**self.labels.vocabulary.counters, **self.labels.vocabulary.gauges}
        for name in names:
            candidates = roles[name].candidates if name in roles else ()
            selectors = [one for each in candidates for series in parts_of(each) for one in self.fleet.spelled(series)]
            if selectors:
                yield from dict.fromkeys(selectors)
                return
