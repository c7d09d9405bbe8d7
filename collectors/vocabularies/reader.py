"""Reads parsed samples by a vocabulary: roles to counters, gauges and histograms, with what is missing and why."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

from collectors.exposition import Sample, Samples
from collectors.labels import clean_label
from collectors.readings import FlowReading, Histogram, ServerFacts, ServerReading
from collectors.vocabularies.vocabulary import Role, Vocabulary, spellings

UNNAMED = "(unnamed)"
MAX_MODELS = 256  # one server's; more is a broken or hostile page, and every one would become rows in the store
_EXACT = 2.0**53  # from here on a float does not hold every integer

Group = TypeVar("Group")
Value = TypeVar("Value")


def read(
    vocabulary: Vocabulary,
    samples: Samples,
    server: ServerFacts,
    at_ns: int,
    *,
    headers: Mapping[str, str] | None = None,  # lower-case names
    took_ms: int = 0,
    page_bytes: int = 0,
) -> ServerReading:
    """What `samples` say about `server`. A role that is absent or not believable is None and stands in `missing`."""
    roles = _Roles(vocabulary, samples, server.model or UNNAMED)
    counters = {name: roles.counter(name, role) for name, role in vocabulary.counters.items()}
    histograms = {name: roles.histogram(name, role) for name, role in vocabulary.histograms.items()}
    gauges = {name: roles.gauge(name, role) for name, role in vocabulary.gauges.items()}
    if not vocabulary.prompt_includes_cached:
        counters["prompt_tokens"] = roles.whole_prompts(counters["prompt_tokens"], counters["cached_tokens"])
    if len(roles.models) > MAX_MODELS:
        problem = f"page names {len(roles.models)} models, more than {MAX_MODELS}: not read"
        return ServerReading(server, at_ns, ok=False, problem=problem, took_ms=took_ms, page_bytes=page_bytes)

    def flow(model: str) -> FlowReading:
        def count(role: str) -> int | None:
            return counters.get(role, {}).get(model)

        return FlowReading(
            model=model,
            prompt_tokens=count("prompt_tokens"),
            cached_tokens=count("cached_tokens"),
            output_tokens=count("output_tokens"),
            finished=count("finished"),
            failed=count("failed"),
            aborted=count("aborted"),
            preempted=count("preempted"),
            progress=count("progress"),
            histograms=tuple((name, models[model]) for name, models in histograms.items() if model in models),
        )

    started_at_s = roles.started_at_s()
    header = (headers or {}).get(vocabulary.start_header) if vocabulary.start_header else None
    running, waiting = gauges.get("running"), gauges.get("waiting")
    return ServerReading(
        server,
        at_ns,
        ok=True,
        took_ms=took_ms,
        page_bytes=page_bytes,
        incarnation=clean_label(header) if header else str(started_at_s) if started_at_s else None,
        started_at_s=started_at_s,
        moves=vocabulary.moves,
        running=None if running is None else round(running),
        waiting=None if waiting is None else round(waiting),
        kv_usage=gauges.get("kv_usage"),
        flows=tuple(flow(model) for model in sorted(roles.models)),
        used=tuple(sorted(roles.used)),
        missing=tuple(roles.missing.items()),
    )


@dataclass(slots=True)
class _Roles:
    """Finds the samples of a role, and notes what was used and what is missing on the way."""

    vocabulary: Vocabulary
    samples: Samples
    model: str  # for samples that name none
    models: set[str] = field(default_factory=set)  # those that any counter or histogram names
    used: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)

    def counter(self, name: str, role: Role) -> dict[str, int]:
        series, samples = self._find(role)
        return self._combined(name, role, series, self._models(samples), _count)

    def gauge(self, name: str, role: Role) -> float | None:
        series, samples = self._find(role)
        return self._combined(name, role, series, {"": samples} if samples else {}, _GAUGES[name]).get("")

    def histogram(self, name: str, role: Role) -> dict[str, Histogram]:
        series, buckets = self._find(role, "_bucket")
        sums = self._models(self._find(role, "_sum")[1])
        groups = {model: (group, sums.get(model, [])) for model, group in self._models(buckets).items()}
        return self._combined(name, role, series, groups, _histogram)

    def _combined(
        self, name: str, role: Role, series: str, groups: Mapping[str, Group], combine: Callable[[Group, float], Value]
    ) -> dict[str, Value]:
        """One value for each group of samples; a group that cannot be combined has none, and the reason is noted."""
        if not groups:
            self.missing[name] = role.lost
        values = {}
        for key, group in groups.items():
            try:
                values[key] = combine(group, role.scale)
            except ValueError as error:
                self.missing[name] = f"{role.lost}: {series} {error}"
        return values

    def whole_prompts(self, computed: dict[str, int], cached: dict[str, int]) -> dict[str, int]:
        """Prompt tokens with the cached ones, of an engine that counts them apart. Unknown cached: unknown whole."""
        if computed.keys() - cached.keys():
            self.missing["prompt_tokens"] = "whole prompt tokens: the page counts them without the cached ones"
        return {model: computed[model] + cached[model] for model in computed.keys() & cached.keys()}

    def started_at_s(self) -> float | None:
        for name in spellings(self.vocabulary.start_series):
            for sample in self.samples.get(name, []):
                if math.isfinite(sample.value) and sample.value > 0:
                    self.used.add(name)
                    return sample.value
        return None

    def _find(self, role: Role, suffix: str = "") -> tuple[str, list[Sample]]:
        for series in role.candidates:
            for name in spellings(series.name + suffix):
                samples = self.samples.get(name, [])
                if series.label:
                    samples = [sample for sample in samples if sample.labels.get(series.label) in series.values]
                if samples:
                    self.used.add(name)
                    return name, samples
        return "", []

    def _models(self, samples: Iterable[Sample]) -> dict[str, list[Sample]]:
        groups: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            named = (sample.labels.get(label) for label in self.vocabulary.model_labels)
            groups[next(filter(None, named), self.model)].append(sample)
        self.models.update(groups)
        return groups


def _count(samples: Iterable[Sample], scale: float) -> int:
    """The sum of counters, exact. Raises ValueError where one is no count."""
    total = 0
    for sample in samples:
        if not 0 <= sample.value * scale < _EXACT:  # also NaN
            raise ValueError(f"is {sample.value:g}, which is no count")
        total += round(sample.value * scale)
    return total


def _fullest(samples: Iterable[Sample], scale: float) -> float:
    """The largest of shares 0..1: one full engine queues, however empty its neighbours are."""
    shares = [sample.value * scale for sample in samples]
    for share in shares:
        if not 0 <= share <= 1:
            raise ValueError(f"is {share:g}, not between 0 and 1")
    return max(shares)


_GAUGES: Mapping[str, Callable[[list[Sample], float], float]] = {
    "running": _count,
    "waiting": _count,
    "kv_usage": _fullest,
}


def _histogram(buckets_and_sums: tuple[list[Sample], list[Sample]], scale: float) -> Histogram:
    """Several series of one histogram as one. Raises ValueError where they do not make a histogram."""
    buckets, sums = buckets_and_sums
    by_edge: dict[float, list[Sample]] = defaultdict(list)
    for sample in buckets:
        try:
            by_edge[float(sample.labels["le"])].append(sample)
        except (KeyError, ValueError):
            raise ValueError("has a bucket without an edge") from None
    *edges, last = sorted(by_edge)
    counts = tuple(_count(by_edge[edge], 1.0) for edge in (*edges, last))
    total = math.fsum(sample.value for sample in sums) if sums else math.nan
    if last != math.inf or not all(map(math.isfinite, edges)):
        raise ValueError("does not end in a +Inf bucket")
    if len({len(group) for group in by_edge.values()}) > 1:
        raise ValueError("has other buckets in one series than in another")
    if any(left > right for left, right in pairwise(counts)):
        raise ValueError("has buckets whose counts fall")
    if not math.isfinite(total):
        raise ValueError("has no sum")
    return Histogram(tuple(edge * scale for edge in edges), counts, total * scale)
