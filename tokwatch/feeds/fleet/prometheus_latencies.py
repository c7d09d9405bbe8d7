"""Latencies of models out of buckets that a Prometheus added up over servers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.prometheus.dialects import LAYERS
from collectors.readings import UNNAMED, Layer
from tokwatch.feeds.fleet.prometheus_buckets import LATENCIES
from tokwatch.feeds.fleet.prometheus_figures import Figures
from tokwatch.feeds.fleet.prometheus_servers import ENGINE, MODEL
from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.fleet.tally import ModelLatency

_MICRO = 1e6


@dataclass(slots=True)
class _Buckets:
    """One histogram of one model and engine: cumulative, by upper edge."""

    counts: dict[float, float] = field(default_factory=dict)
    servers: dict[float, float] = field(default_factory=dict)  # that have the bucket
    sum_s: float = 0.0

    @property
    def edges(self) -> frozenset[float]:
        """Edges that all servers have. Only there are cumulative counts of several layouts one number."""
        most = max(self.servers.values(), default=0.0)
        return frozenset(edge for edge, servers in self.servers.items() if servers == most and edge in self.counts)


def latencies(found: Figures, scales: Mapping[tuple[str, str], float]) -> tuple[ModelLatency, ...]:
    """scales: (engine, kind) → seconds in a unit of its page, where it is not 1.

    Engines' own before those of a router, which has them only where its workers tell none.
    """
    by_model: dict[str, list[HistogramEntry]] = {}
    for kind in LATENCIES:
        for model, told in _read(found, kind).items():
            engines = {
                engine: each for engine, each in told.items() if LAYERS.get(engine, Layer.ENGINE) is Layer.ENGINE
            }
            parts = [(each, scales.get((engine, kind), 1.0)) for engine, each in (engines or told).items()]
            if entry := _entry(kind, parts):
                by_model.setdefault(model, []).append(entry)
    return tuple(ModelLatency(model, tuple(entries)) for model, entries in sorted(by_model.items()))


def _read(found: Figures, kind: str) -> Mapping[str, Mapping[str, _Buckets]]:
    """Model → engine → buckets."""
    read: dict[str, dict[str, _Buckets]] = {}

    def of(labels: Mapping[str, str]) -> _Buckets:
        engines = read.setdefault(labels.get(MODEL, "") or UNNAMED, {})
        return engines.setdefault(labels.get(ENGINE, ""), _Buckets())

    for labels, value in found.rows(f"{kind} buckets"):
        of(labels).counts[_edge(labels)] = value
    for labels, value in found.rows(f"{kind} layout"):
        of(labels).servers[_edge(labels)] = value
    for labels, value in found.rows(f"{kind} sum"):
        of(labels).sum_s += value
    return read


def _entry(kind: str, parts: Sequence[tuple[_Buckets, float]]) -> HistogramEntry | None:
    """Several engines' histograms as one, by the edges that all of them have; None where there is no +Inf."""
    edges = frozenset.intersection(*(frozenset(edge * scale for edge in part.edges) for part, scale in parts))
    if math.inf not in edges:
        return None
    ordered = sorted(edges)
    cumulative = [0.0] * len(ordered)
    for part, scale in parts:
        counts = {edge * scale: count for edge, count in part.counts.items()}
        cumulative = [total + counts[edge] for total, edge in zip(cumulative, ordered, strict=True)]
    buckets = [round(max(0.0, here - before)) for before, here in zip([0.0, *cumulative], cumulative, strict=False)]
    sum_us = round(sum(part.sum_s * scale for part, scale in parts) * _MICRO)
    return HistogramEntry(kind, tuple(ordered[:-1]), tuple(buckets), max(0, sum_us))


def _edge(labels: Mapping[str, str]) -> float:
    """NaN, which equals no other edge, for what is no number."""
    try:
        return float(labels.get("le", ""))
    except ValueError:
        return math.nan
