"""Latencies of models over all hosts that tell them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import add

from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.fleet.tally import HostTally, ModelLatency

_Kind = tuple[str, tuple[float, ...]]  # name, edges


def model_latencies(hosts: Iterable[HostTally]) -> tuple[ModelLatency, ...]:
    """One histogram of each kind and edges: hosts whose engines differ in their buckets are not mixed."""
    models: dict[str, dict[_Kind, HistogramEntry]] = {}
    for flow in (flow for host in hosts for flow in host.flows):
        for entry in flow.latencies:
            kinds = models.setdefault(flow.model, {})
            kind = entry.name, entry.edges
            kinds[kind] = _plus(kinds[kind], entry) if kind in kinds else entry
    return tuple(ModelLatency(model, _in_order(kinds)) for model, kinds in sorted(models.items()))


def _in_order(kinds: Mapping[_Kind, HistogramEntry]) -> tuple[HistogramEntry, ...]:
    return tuple(entry for _, entry in sorted(kinds.items()))


def _plus(one: HistogramEntry, other: HistogramEntry) -> HistogramEntry:
    counts = tuple(map(add, one.counts, other.counts))
    return HistogramEntry(one.name, one.edges, counts, one.sum_us + other.sum_us)
