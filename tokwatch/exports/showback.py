"""Whose the flows of each hour are: as their servers label them, else as the gateway before them saw them pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from collectors.readings import UNNAMED, Layer
from tokwatch.exports.flow_sums import tokens_of
from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.exports.names import FlowName, Names
from tokwatch.ledger.bodies import ServerBody
from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.showback import NOBODYS, Counts, Divided, Whose, divide, models_behind
from tokwatch.ledger.weights import split_counts
from tokwatch.store.quarter_rows import FlowQuarter
from tokwatch.store.quarters import Quarters

_WITH_REQUESTS: Final = ("failed", "aborted", "preempted")
_WITH_OUTPUT: Final = ("drafted_tokens", "accepted_tokens")
_COUNTS: Final = ("prompt_tokens", "output_tokens", "finished", *_WITH_REQUESTS, *_WITH_OUTPUT)


class FlowPart(NamedTuple):
    """A quarter hour of a flow, or the part of it that is one tenant's."""

    name: FlowName  # on its own server
    quarter: FlowQuarter
    by_gateway: bool = False  # the tenant and the part are as a gateway saw them


def shown_back(quarters: Quarters, names: Names) -> dict[int, list[FlowPart]]:
    """Start of hour → the counted flows of that hour. Parts of a quarter row add up to it."""
    own = _Own(names)
    hours: dict[int, _Hour] = defaultdict(lambda: _Hour(own))
    for flow in quarters.flows:
        hours[hour_of(flow.quarter_ms)].flows.append(flow)
    for flow in quarters.elsewhere:
        if hour_of(flow.quarter_ms) in hours:
            hours[hour_of(flow.quarter_ms)].elsewhere.append(flow)
    return {hour_ms: hour.traffic(hour_ms + HOUR_MS) for hour_ms, hour in hours.items()}


class _Own:
    """Names of flows on their own servers, each looked up once."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._flows: dict[int, FlowName] = {}

    def flow(self, flow: int) -> FlowName:
        if flow not in self._flows:
            self._flows[flow] = self.names.flow(flow)
        return self._flows[flow]


class _Hour:
    def __init__(self, own: _Own) -> None:
        self._own = own
        self.flows: list[FlowQuarter] = []
        self.elsewhere: list[FlowQuarter] = []

    def traffic(self, at_ms: int) -> list[FlowPart]:
        """Names of servers and models are those of an instant."""
        seen = self._seen(at_ms)
        if not seen:
            return [FlowPart(self._own.flow(flow.entity), flow) for flow in self.flows]
        found: list[FlowPart] = []
        unlabelled: dict[str, list[FlowQuarter]] = defaultdict(list)
        for flow in self.flows:
            name = self._own.flow(flow.entity)
            server = self._own.names.server(name.servers[0], at_ms)
            if _whose(name) == NOBODYS and server and server.verified and server.layer != Layer.GATEWAY:
                unlabelled[_model(name, server)].append(flow)
            else:
                found.append(FlowPart(name, flow))
        behind = models_behind(seen, unlabelled)
        for model, flows in unlabelled.items():
            of_model = _together(seen[name] for name, engines in behind.items() if engines == model)
            found += self._divided(flows, of_model)
        return sorted(found, key=lambda each: (each.quarter.quarter_ms, each.name, each.quarter.run))

    def _seen(self, at_ms: int) -> dict[str, dict[int, dict[Whose, Counts]]]:
        """Model → quarter → what gateways saw pass, of those that label any of it."""
        of_gateway: dict[tuple[int, str], list[tuple[Whose, FlowQuarter]]] = defaultdict(list)
        servers: dict[int, ServerBody | None] = {}
        for flow in self.elsewhere:
            name = self._own.flow(flow.entity)
            gateway = name.servers[0]
            if gateway not in servers:
                servers[gateway] = self._own.names.server(gateway, at_ms)
            server = servers[gateway]
            if server and server.layer == Layer.GATEWAY and server.verified:
                of_gateway[gateway, _model(name, server)].append((_whose(name), flow))
        found: dict[str, list[dict[int, dict[Whose, Counts]]]] = defaultdict(list)
        for (_, model), flows in of_gateway.items():
            if any(whose != NOBODYS and (flow.prompt_tokens or flow.output_tokens) for whose, flow in flows):
                found[model] += [{flow.quarter_ms: {whose: _counts(flow)}} for whose, flow in flows]
        return {model: _together(parts) for model, parts in found.items()}

    def _divided(self, flows: Sequence[FlowQuarter], seen: Mapping[int, Mapping[Whose, Counts]]) -> list[FlowPart]:
        if not seen:
            return [FlowPart(self._own.flow(flow.entity), flow) for flow in flows]
        by_quarter: dict[int, list[FlowQuarter]] = {}
        for flow in sorted(flows, key=lambda flow: flow.quarter_ms):
            by_quarter.setdefault(flow.quarter_ms, []).append(flow)
        counted = [_sum(map(_counts, of_quarter)) for of_quarter in by_quarter.values()]
        division = divide(counted, [seen.get(quarter_ms, {}) for quarter_ms in by_quarter])
        parts: dict[Whose, list[FlowPart]] = {whose: [] for whose in division.whose}
        for of_quarter, divided in zip(by_quarter.values(), division.stretches, strict=True):
            for flow, of_each in zip(of_quarter, _by_flow(of_quarter, divided), strict=True):
                name = self._own.flow(flow.entity)
                for whose, part in zip(division.whose, of_each, strict=True):
                    named = name._replace(tenant=whose.tenant, tier=whose.tier)
                    parts[whose].append(FlowPart(named, part, by_gateway=True))
        # Where everything went through the gateway, nothing is left of nobody's.
        told = [of_one for of_one in parts.values() if any(_told(each.quarter) for each in of_one)]
        return [each for of_one in told or [parts[NOBODYS]] for each in of_one]


def _by_flow(flows: Sequence[FlowQuarter], divided: Divided) -> list[list[FlowQuarter]]:
    """The rows of one quarter hour, each in parts; parts add up to the row, and those of one tenant to what is its."""
    left = [list(parts) for parts in divided]
    found = []
    for flow in flows:
        counts = _counts(flow)
        own = (counts.prompt - (counts.cached or 0), counts.cached or 0, counts.output, counts.finished or 0)
        taken = [split_counts(number, parts) for number, parts in zip(own, left, strict=True)]
        left = [[a - b for a, b in zip(*pair, strict=True)] for pair in zip(left, taken, strict=True)]
        found.append(_parts(flow, Divided(*map(tuple, taken))))
    return found


def _parts(flow: FlowQuarter, taken: Divided) -> list[FlowQuarter]:
    requests = next((parts for parts in (taken.finished, taken.output, taken.uncached) if any(parts)), taken.cached)
    counts: dict[str, Sequence[int | None]] = {
        "prompt_tokens": [sum(classes) for classes in zip(taken.uncached, taken.cached, strict=True)],
        "cached_tokens": taken.cached,
        "output_tokens": taken.output,
        "finished": taken.finished,
        **{name: split_counts(getattr(flow, name) or 0, requests) for name in _WITH_REQUESTS},
        **{name: split_counts(getattr(flow, name) or 0, taken.output) for name in _WITH_OUTPUT},
    }
    known = {name: parts for name, parts in counts.items() if getattr(flow, name) is not None}
    histograms = [_histogram_parts(each, requests) for each in flow.histograms]
    return [
        replace(
            flow,
            **{name: parts[index] for name, parts in known.items()},
            histograms=tuple(each[index] for each in histograms),
        )
        for index in range(len(taken.output))
    ]


def _histogram_parts(histogram: HistogramEntry, requests: Sequence[int]) -> list[HistogramEntry]:
    buckets = zip(*(split_counts(count, requests) for count in histogram.counts), strict=True)
    sums_us = split_counts(histogram.sum_us, requests)
    return [
        HistogramEntry(histogram.name, histogram.edges, counts, sum_us)
        for counts, sum_us in zip(buckets, sums_us, strict=True)
    ]


def _whose(name: FlowName) -> Whose:
    return Whose(name.tenant, name.tier)


def _model(name: FlowName, server: ServerBody) -> str:
    return server.model if name.model == UNNAMED else name.model


def _counts(flow: FlowQuarter) -> Counts:
    tokens = tokens_of(flow.prompt_tokens, flow.cached_tokens, flow.output_tokens)
    cached = None if flow.cached_tokens is None else int(tokens.cached)
    return Counts(int(tokens.prompt), cached, int(tokens.output), flow.finished)


def _sum(counts: Iterable[Counts]) -> Counts:
    whole = Counts()
    for each in counts:
        whole = whole.plus(each)
    return whole


def _together(parts: Iterable[Mapping[int, Mapping[Whose, Counts]]]) -> dict[int, dict[Whose, Counts]]:
    """Sums by quarter and by whom they were for."""
    found: dict[int, dict[Whose, Counts]] = defaultdict(dict)
    for part in parts:
        for quarter_ms, of_quarter in part.items():
            for whose, counts in of_quarter.items():
                found[quarter_ms][whose] = found[quarter_ms].get(whose, Counts()).plus(counts)
    return found


def _told(quarter: FlowQuarter) -> bool:
    return any(getattr(quarter, name) for name in _COUNTS) or any(any(each.counts) for each in quarter.histograms)
