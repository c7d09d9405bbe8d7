"""The page: a Statement as Prometheus text (0.0.4) or as OpenMetrics, without `_created`.

What is not known has no sample, and what is gone has no series: never a 0 that nobody measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from collectors.labels import clean_label
from tokwatch.agent.families import Family, Labels, OwnCost, families
from tokwatch.ledger.fleet.latency_totals import LatencyTotal
from tokwatch.ledger.fleet.report_of import Statement

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_SUFFIX: Final = {"counter": "_total", "gauge": "", "info": "_info", "histogram": ""}


def page(statement: Statement, own: OwnCost, *, openmetrics: bool) -> bytes:
    """The whole page."""
    lines: list[str] = []
    for family in families(statement, own):
        lines += _lines(family, openmetrics=openmetrics)
    if openmetrics:
        lines.append("# EOF")
    return "".join(f"{line}\n" for line in lines).encode()


def _lines(family: Family, *, openmetrics: bool) -> list[str]:
    """None where nothing is known of it."""
    name = family.name + _SUFFIX[family.kind]
    found = [f"{name}{_braces(labels)} {value!r}" for labels, value in family.samples if value is not None]
    found += [line for labels, total in family.histograms for line in _histogram(name, labels, total)]
    if not found:
        return []
    named, kind = (family.name, family.kind) if openmetrics else (name, family.kind.replace("info", "gauge"))
    return [f"# HELP {named} {family.help}", f"# TYPE {named} {kind}", *found]


def _histogram(name: str, labels: Labels, total: LatencyTotal) -> Iterator[str]:
    """Its buckets, cumulative as the format has them."""
    told = _told(labels)
    edges = (*map(repr, total.edges), "+Inf")
    for edge, count in zip(edges, accumulate(total.counts), strict=True):
        yield f'{name}_bucket{{{told},le="{edge}"}} {count}'
    yield f"{name}_sum{{{told}}} {total.sum_us / 1e6!r}"
    yield f"{name}_count{{{told}}} {sum(total.counts)}"


def _braces(labels: Labels) -> str:
    told = _told(labels)
    return f"{{{told}}}" if told else ""


def _told(labels: Labels) -> str:
    """An empty label is none at all."""
    return ",".join(f'{name}="{clean_label(value).translate(_ESCAPES)}"' for name, value in labels if value)
