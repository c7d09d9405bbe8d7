"""Running latencies: histograms of flows → what each server × model has observed since the run began. Pure.

Of each request once: servers whose requests are counted at another one tell no latencies here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from collectors.labels import clean_label
from collectors.prometheus.dialects import AGENT_LATENCIES
from tokwatch.ledger.entries import Entity, Flag, FlowEntry
from tokwatch.ledger.fleet.latency_totals import LatencyTotal, are_edges, nothing
from tokwatch.ledger.registry import flow_labels

_ELSEWHERE: Final = Flag.OUTPUT_ELSEWHERE.value


class Whose(NamedTuple):
    server: int  # entity
    model: str


class RunningLatencies:
    """The totals of one run, over roles, tenants and tiers. A server has as many models as `flow_limit` lets it."""

    def __init__(self) -> None:
        self.totals: dict[tuple[Whose, str], LatencyTotal] = {}  # and the histogram's name

    def add(self, flow: Entity, entry: FlowEntry) -> None:
        """Count one entry in. Where a server has other buckets than before, which it cannot without a restart, its
        total begins at 0."""
        if not entry.histograms or entry.flags & _ELSEWHERE:
            return
        whose = Whose(flow.parent, clean_label(flow_labels(flow.key)[1]))  # a key is as the store has it
        for histogram in entry.histograms:
            if histogram.name not in AGENT_LATENCIES:
                continue
            key = whose, histogram.name
            total = self.totals.get(key)
            if total is None or total.edges != histogram.edges:
                if not are_edges(histogram.edges):
                    continue
                total = nothing(histogram.edges)
            self.totals[key] = total.plus(histogram)

    def keep(self, servers: Collection[int]) -> None:
        """Forget all others."""
        for key in [key for key in self.totals if key[0].server not in servers]:
            del self.totals[key]
