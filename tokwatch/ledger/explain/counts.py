"""What is told of figures between bounds: how many observations there are, and how many lie where."""

from __future__ import annotations

from math import ceil
from typing import Final

from tokwatch.ledger.explain.measured import Ground
from tokwatch.ledger.explain.numbers import subject_of
from tokwatch.ledger.explain.quantity import exact
from tokwatch.ledger.figure import Interval
from tokwatch.ledger.figure_path import FigurePath, figure_at
from tokwatch.ledger.goodput import populations
from tokwatch.ledger.latency import Observations

_QUANTILES: Final = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


def counts(ground: Ground, path: FigurePath) -> tuple[str, ...]:
    """Sentences from which the bounds can be found again; none for what has no bounds."""
    figure = figure_at(ground.snapshot, path)
    if not isinstance(figure, Interval) or figure.low is None:
        return ()
    latency = _latency(path.field)
    if latency is None:
        return _share(figure)
    subject = subject_of(ground, path)
    if subject is None:
        return ()
    requests = populations(ground.moment, subject.servers, counted_once=path.of == "totals")
    layouts = [
        layout for each in requests if latency[0] in each.latencies for layout in each.latencies[latency[0]].layouts
    ]
    return _quantile(Observations(layouts), latency[1], figure)


def _latency(field: str) -> tuple[str, float] | None:
    """(histogram, quantile) of a field: "ttft_p95_s" and "ttft_s.p95" alike."""
    for name, share in _QUANTILES.items():
        for histogram, found in (
            (field.removesuffix(f"_{name}_s"), f"_{name}_s"),
            (field.removesuffix(f"_s.{name}"), name),
        ):
            if histogram != field and field.endswith(found):
                return histogram, share
    return None


def _quantile(observed: Observations, share: float, figure: Interval) -> tuple[str, ...]:
    if not observed.n:
        return ()
    told = [f"number {max(1, ceil(share * observed.n))} of {observed.n} observations, the fastest first"]
    for edge in (figure.low, figure.high):
        within = observed.within(edge) if edge else None
        if edge and within is not None:
            count = (
                exact(within.at_least) if within.at_least == within.at_most else f"{within.at_least}–{within.at_most}"
            )
            told.append(f"{count} took {exact(edge)} s or less")
    if figure.high is None:
        told.append("the rest took longer than the last bucket's edge")
    return tuple(told)


def _share(figure: Interval) -> tuple[str, ...]:
    if figure.n is None or figure.low is None or figure.high is None:
        return ()
    low, high = f"{figure.low * figure.n:.0f}", f"{figure.high * figure.n:.0f}"
    between = f"{low} of {figure.n}" if low == high else f"surely {low}, possibly {high} of {figure.n}"
    point = () if figure.point is None else (f"{exact(figure.point, 6)} if they lie evenly in their bucket",)
    return (between, *point)
