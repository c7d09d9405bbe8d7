"""Each token once: what is counted at another server is told apart, and servers that make tokens together are named.

Pure: what servers told in, the same with their counts divided out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Final

from collectors.prometheus.dialects import AGENT
from collectors.readings import ServerFacts
from tokwatch.feeds.prometheus_quarters.servers import FlowCounts, ServersFound, layer_of
from tokwatch.feeds.prometheus_quarters.things import Flow, Half, Pair
from tokwatch.ledger.counting import HERE, Counting
from tokwatch.ledger.fleet.counted_once import CountedOnce, Family, Kind
from tokwatch.ledger.sums import taken

_NO_HALF: Final = Half()
_NAMED_BY_ADDRESS: Final = 2  # servers of a pair


def count_once(found: ServersFound, declared: Mapping[str, ServerFacts]) -> None:
    """Divide the counts of `found`, quarter hour by quarter hour. declared: by address, what the config says."""
    kinds = {flow: _kind(flow, found, declared) for flow, _ in found.flows}
    heard = _heard(found, kinds)

    @cache
    def rule(quarter_ms: int) -> CountedOnce:
        return CountedOnce(kind for kind, (first_ms, last_ms) in heard.items() if first_ms <= quarter_ms <= last_ms)

    @cache
    def judged(kind: Kind, quarter_ms: int) -> tuple[Counting, str]:
        """And which half of a pair it is."""
        once = rule(quarter_ms)
        return once.counting(kind), once.role(kind) if once.is_half(kind) else ""

    halves: dict[tuple[Kind, int], list[Flow]] = defaultdict(list)
    for (flow, quarter_ms), told in found.flows.items():
        counting, role = judged(kinds[flow], quarter_ms)
        if counting is not HERE:
            found.counting[flow, quarter_ms] = counting
            _divide(told, counting.flags)
        if role:
            halves[kinds[flow], quarter_ms].append(flow)
            found.halves[flow.server] = found.halves.get(flow.server, _NO_HALF)._replace(role=role)
    families: dict[tuple[Family, int], list[Flow]] = defaultdict(list)
    for (kind, quarter_ms), flows in halves.items():
        families[kind.family, quarter_ms] += flows
    for (family, quarter_ms), flows in families.items():
        pair = _pair(family, flows)
        found.pairs |= {(server, quarter_ms): pair for server in pair.servers}


def _pair(family: Family, flows: Collection[Flow]) -> Pair:
    """Of many servers, which come and go, the addresses would make a name of thousands of characters."""
    servers = tuple(sorted({flow.server for flow in flows}))
    name = family.namespace or f"{min(flow.model for flow in flows)} (prefill + decode)"
    return Pair(servers, name if len(servers) > _NAMED_BY_ADDRESS else "")


def _kind(flow: Flow, found: ServersFound, declared: Mapping[str, ServerFacts]) -> Kind:
    server = flow.server
    half = found.halves.get(server, _NO_HALF)
    # An agent calls its servers as they are called on its box, and has read the config of that.
    facts = None if found.vocabularies[server].engine == AGENT else declared.get(server.address)
    role, counts = (facts.role or half.role, facts.counts) if facts else (half.role, None)
    return Kind(layer_of(server), server.engine, flow.model, role, half.namespace, half.place, counts)


def _heard(found: ServersFound, kinds: Mapping[Flow, Kind]) -> dict[Kind, tuple[int, int]]:
    """The first and the last quarter hour in which servers of a kind told of output tokens.

    In between they count, told or not: what a counter moved by in a gap is told when it is over, and a router that
    counted in the meantime would count it again.
    """
    heard: dict[Kind, tuple[int, int]] = {}
    for (flow, quarter_ms), told in found.flows.items():
        if "output_tokens" in told.counts:
            first_ms, last_ms = heard.get(kinds[flow], (quarter_ms, quarter_ms))
            heard[kinds[flow]] = min(first_ms, quarter_ms), max(last_ms, quarter_ms)
    return heard


def _divide(told: FlowCounts, flags: int) -> None:
    told.flags |= flags
    told.elsewhere = _popped(told.counts, taken(flags))


def _popped(counts: dict[str, int], names: Iterable[str]) -> dict[str, int]:
    return {name: counts.pop(name) for name in names if name in counts}
