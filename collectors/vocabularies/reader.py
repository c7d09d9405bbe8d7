"""The values of one page, read by its plan: counters, gauges and histograms, and which of them cannot be believed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import le

from collectors.labels import clean_label
from collectors.readings import UNNAMED, FlowReading, Histogram, ServerFacts, ServerReading
from collectors.vocabularies.plan import CounterPlan, FlowPlan, GaugePlan, HistogramPlan, Plan

# No server counts so far in its life; and where every page shows it anew, a quarter hour of them still fits the store.
_MOST = 2.0**48
_LATEST_START_S = 2.0**33  # the year 2242

Values = Sequence[float]


def read(
    plan: Plan,
    values: Values,
    server: ServerFacts,
    at_ns: int,
    *,
    headers: Mapping[str, str] | None = None,  # lower-case names
    took_ms: int = 0,
    page_bytes: int = 0,
) -> ServerReading:
    """What `values`, in the order of the plan's series, say about `server`.

    A role that is absent or not believable is None and stands in `missing`.
    """
    vocabulary = plan.vocabulary
    if not server.engine:  # named in the config by its address alone
        server = replace(server, engine=vocabulary.engine)
    if plan.problem:
        return ServerReading(server, at_ns, ok=False, problem=plan.problem, took_ms=took_ms, page_bytes=page_bytes)
    missing = dict(plan.missing)
    gauges = {gauge.name: _gauge(gauge, values, plan, missing) for gauge in plan.gauges}
    running, waiting, asleep = gauges.get("running"), gauges.get("waiting"), gauges.get("asleep")
    started_at_s = None if plan.started is None else _start_s(values[plan.started])
    header = (headers or {}).get(vocabulary.start_header) if vocabulary.start_header else None
    role = server.role or plan.role
    apart = server.model is not None and all(flow.model != server.model for flow in plan.flows)
    unnamed = server.model if server.model and apart else UNNAMED  # one flow cannot have two sets of counters
    return ServerReading(
        server,
        at_ns,
        ok=True,
        took_ms=took_ms,
        page_bytes=page_bytes,
        incarnation=clean_label(header) if header else str(started_at_s) if started_at_s else None,
        started_at_s=started_at_s,
        moves=plan.moves,
        running=None if running is None else round(running),
        waiting=None if waiting is None else round(waiting),
        kv_usage=gauges.get("kv_usage"),
        asleep=None if asleep is None else asleep > 0,
        role=role,
        layer=vocabulary.layer,
        fronts=vocabulary.fronts,
        facts=plan.facts + tuple((name, f"{values[position]:g}") for name, position in plan.fact_values),
        flows=tuple(_flow(flow, values, role, unnamed, plan, missing) for flow in plan.flows),
        used=plan.used,
        missing=tuple(missing.items()),
    )


def _flow(flow: FlowPlan, values: Values, role: str, unnamed: str, plan: Plan, missing: dict[str, str]) -> FlowReading:
    counts: dict[str, int] = {}
    parts: list[tuple[str, tuple[tuple[str, int], ...]]] = []
    for counter in flow.counters:
        try:
            told = _parts(counter, values)
        except ValueError as error:
            missing[counter.name] = f"{plan.lost[counter.name] or counter.name}: {_names(plan, counter)} {error}"
            continue
        counts[counter.name] = sum(value for _, value in told)
        if len(told) > 1 or told[0][0]:  # one rank too: the others may only be away from this page
            parts.append((counter.name, told))
    histograms = []
    for histogram in flow.histograms:
        try:
            histograms.append((histogram.name, _histogram(histogram, values)))
        except (ValueError, OverflowError) as error:
            missing[histogram.name] = f"{plan.lost[histogram.name]}: {error}"
    return FlowReading(
        model=flow.model or unnamed,
        role=role,
        tenant=flow.tenant,
        tier=flow.tier,
        parts=tuple(parts),
        histograms=tuple(histograms),
        **counts,
    )


def _parts(counter: CounterPlan, values: Values) -> tuple[tuple[str, int], ...]:
    scale = counter.scale
    told = tuple((part, sum(_count(values[p] * scale) for p in positions)) for part, positions in counter.parts)
    _count(sum(value for _, value in told))
    return told


# Whatever goes into a text about a page holds no number of it: the text would be news with every page, and be kept.


def _count(value: float) -> int:
    if not 0 <= value < _MOST:  # also NaN
        raise ValueError("is no count")
    return round(value)


def _names(plan: Plan, counter: CounterPlan) -> str:
    return " + ".join(sorted({plan.series[p].name for _, positions in counter.parts for p in positions}))


def _gauge(gauge: GaugePlan, values: Values, plan: Plan, missing: dict[str, str]) -> float | None:
    told = [values[position] * gauge.scale for position in gauge.positions]
    try:
        if gauge.name == "kv_usage":
            return _fullest(told)
        return float(_count(sum(map(_count, told))))
    except ValueError as error:
        missing[gauge.name] = f"{plan.lost[gauge.name]}: {plan.series[gauge.positions[0]].name} {error}"
        return None


def _fullest(shares: Sequence[float]) -> float:
    """The largest of shares 0..1: one full engine queues, however empty its neighbours are."""
    for share in shares:
        if not 0 <= share <= 1:
            raise ValueError("is not between 0 and 1")
    return max(shares)


def _start_s(value: float) -> float | None:
    return value if 0 < value < _LATEST_START_S else None


def _histogram(plan: HistogramPlan, values: Values) -> Histogram:
    """Raises ValueError or OverflowError where the values make no histogram."""
    rows = [_buckets(positions, values) for positions, _ in plan.series]
    counts = rows[0] if len(rows) == 1 else tuple(map(sum, zip(*rows, strict=True)))
    total = math.fsum(values[position] for _, position in plan.series) * plan.scale
    if not abs(total) < _MOST:  # also NaN
        raise ValueError("its sum is no number that can be")
    return Histogram(plan.edges, counts, total)


def _buckets(positions: Sequence[int] | slice, values: Values) -> tuple[int, ...]:
    told = values[positions] if isinstance(positions, slice) else [values[position] for position in positions]
    counts = tuple(map(round, told))  # raises on NaN and infinities
    if counts[0] < 0 or counts[-1] >= _MOST or not all(map(le, counts, counts[1:])):
        raise ValueError("its buckets' counts fall or are no counts")
    return counts
