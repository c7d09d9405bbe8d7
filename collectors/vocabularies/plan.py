"""Which values of a page play which role: made from names and labels alone, so it holds until those change."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collectors.exposition import Metrics, SeriesLabels
from collectors.readings import ALL_TENANTS, UNNAMED, UNTAGGED, Moves
from collectors.vocabularies.selection import Found, Selection
from collectors.vocabularies.vocabulary import AllOf, Info, Role, Series, Vocabulary, parts_of

MAX_FLOWS = (
    256  # one server's; more is a hostile page or a proxy of very many tenants, and each one is rows in the store
)
MAX_PARTS = 256  # ranks and processes of one counter that are followed one by one; each is kept by name
MAX_PART_NAME = 256  # characters
MAX_EDGES = 256  # of one histogram: each set of edges is kept

_SWITCHES = {"True": "on", "False": "off"}  # as Python's clients print them

Flow = tuple[str, str, str]  # model ("" where the page names none), tenant, tier


@dataclass(frozen=True, slots=True)
class CounterPlan:
    """One counter of one flow: the positions of its values, for each part that restarts by itself."""

    name: str  # FlowReading's field
    parts: tuple[tuple[str, tuple[int, ...]], ...]  # (which rank or process, positions)
    scale: float


@dataclass(frozen=True, slots=True)
class HistogramPlan:
    """One histogram of one flow: bucket positions of each of its series, in the order of `edges` and +Inf."""

    name: str
    edges: tuple[float, ...]  # finite, scaled
    series: tuple[tuple[Sequence[int] | slice, int], ...]  # (bucket positions, position of the sum)
    scale: float


@dataclass(frozen=True, slots=True)
class FlowPlan:
    model: str
    tenant: str
    tier: str
    counters: tuple[CounterPlan, ...]
    histograms: tuple[HistogramPlan, ...]


@dataclass(frozen=True, slots=True)
class GaugePlan:
    name: str
    positions: tuple[int, ...]
    scale: float


@dataclass(frozen=True, slots=True)
class Plan:
    """How the values of one page become a reading. `lost`: what the user does not see without a role."""

    vocabulary: Vocabulary
    series: tuple[SeriesLabels, ...]  # what it was made from
    flows: tuple[FlowPlan, ...]
    gauges: tuple[GaugePlan, ...]
    role: str
    moves: Moves
    started: int | None  # position of the process start
    facts: tuple[tuple[str, str], ...]
    fact_values: tuple[tuple[str, int], ...]  # (name, position)
    used: tuple[str, ...]
    missing: Mapping[str, str]  # role → what is lost
    lost: Mapping[str, str]  # of every role, for values that turn out not to be believable
    problem: str = ""  # why the page is not read at all
    together: bool = False  # tenants were too many, and are added up


def plan_of(vocabulary: Vocabulary, metrics: Metrics, *, together: bool = False) -> Plan:
    """The plan for pages with exactly the series of `metrics`.

    together: the server's tenants were too many before, and stay added up however many there are now: else what was
    counted for all of them would be counted for each of them again.
    """
    has_tenants = bool(vocabulary.tenant_labels or vocabulary.tier_labels)
    plan = _Planner(vocabulary, metrics).plan()
    if has_tenants and (together or len(plan.flows) > MAX_FLOWS):
        plan = _Planner(replace(vocabulary, tenant_labels=(), tier_labels=()), metrics, tenant=ALL_TENANTS).plan()
        lost = f"tenants: more than {MAX_FLOWS}, so they are added up"  # not how many: every change would be kept
        plan = replace(plan, vocabulary=vocabulary, together=True, missing={**plan.missing, "tenants": lost})
    if len(plan.flows) > MAX_FLOWS:
        plan = replace(plan, flows=(), problem=f"page names more than {MAX_FLOWS} models: not read")
    return plan


@dataclass(slots=True)
class _Planner:
    vocabulary: Vocabulary
    metrics: Metrics
    tenant: str = UNTAGGED
    missing: dict[str, str] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    selection: Selection = field(init=False)

    def __post_init__(self) -> None:
        self.selection = Selection(self.metrics.series, copies=self.vocabulary.copies, totals=self.vocabulary.totals)

    def plan(self) -> Plan:
        counters: dict[Flow, list[CounterPlan]] = defaultdict(list)
        moves = self.vocabulary.moves
        for name, role in self.vocabulary.counters.items():
            candidate, found = self._find(name, role)
            if name == "output_tokens" and candidate is not None:
                moves = self.vocabulary.moves_by.get(parts_of(candidate)[0].name, moves)
            for flow, parts in self._by_flow(found).items():
                counters[flow].append(CounterPlan(name, parts, role.scale))
        histograms: dict[Flow, list[HistogramPlan]] = defaultdict(list)
        for name, role in self.vocabulary.histograms.items():
            for flow, histogram in self._histograms(name, role):
                histograms[flow] += [histogram] if histogram else []
        facts, fact_values = self._facts()
        return Plan(
            vocabulary=self.vocabulary,
            series=self.metrics.series,
            flows=tuple(
                FlowPlan(*flow, tuple(counters[flow]), tuple(histograms[flow]))
                for flow in sorted({*counters, *histograms})
            ),
            gauges=tuple(self._gauges()),
            role=self._role(),
            moves=moves,
            started=self._started(),
            facts=facts,
            fact_values=fact_values,
            used=tuple(sorted(self.selection.used)),
            missing=self.missing,
            lost=self.lost,
        )

    def _find(self, name: str, role: Role, suffix: str = "") -> tuple[Series | AllOf | None, Found]:
        self.lost[name] = role.lost
        candidate, found = self.selection.first(role, suffix)
        if candidate is None and role.lost:
            self.missing[name] = role.lost
        return candidate, found

    def _labels(self, position: int) -> dict[str, str]:
        return self.metrics.series[position].labels

    # --- whose ------------------------------------------------------------------------------------------------------

    def _flow(self, position: int) -> Flow:
        labels = self._labels(position)
        vocabulary = self.vocabulary
        return (
            self._first(labels, vocabulary.model_labels),
            self._first(labels, vocabulary.tenant_labels) or self.tenant,
            self._first(labels, vocabulary.tier_labels),
        )

    def _first(self, labels: Mapping[str, str], names: tuple[str, ...]) -> str:
        values = (labels.get(name, "") for name in names)
        return next((value for value in values if value not in self.vocabulary.empty_labels and value != UNNAMED), "")

    def _by_flow(self, found: list[tuple[Series, list[int]]]) -> dict[Flow, tuple[tuple[str, tuple[int, ...]], ...]]:
        """Positions by flow and by what restarts together: a rank, a process, a replica."""
        flows: dict[Flow, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for series, positions in found:
            shared = self._flow_labels() | {series.label, *self.vocabulary.copies}
            for position in positions:
                part = ",".join(f"{label}={value}" for label, value in self.selection.rest(position, shared))
                flows[self._flow(position)][_part_name(part)].append(position)
        return {flow: _parts(parts) for flow, parts in flows.items()}

    def _flow_labels(self) -> frozenset[str]:
        vocabulary = self.vocabulary
        return frozenset((*vocabulary.model_labels, *vocabulary.tenant_labels, *vocabulary.tier_labels))

    # --- histograms, gauges, facts ----------------------------------------------------------------------------------

    def _histograms(self, name: str, role: Role) -> Iterator[tuple[Flow, HistogramPlan | None]]:
        candidate, found = self._find(name, role, "_bucket")
        if candidate is None:
            return
        sums = {
            self.selection.rest(position, frozenset()): position
            for series in parts_of(candidate)
            for position in self.selection.positions(series, "_sum")
        }
        flows: dict[Flow, dict[tuple[tuple[str, str], ...], dict[float, int]]] = defaultdict(lambda: defaultdict(dict))
        for position in (position for _, positions in found for position in positions):
            edge = _edge(self._labels(position).get("le", ""))
            flows[self._flow(position)][self.selection.rest(position, frozenset({"le"}))][edge] = position
        for flow, series in flows.items():
            try:
                yield flow, _histogram(name, series, sums, role.scale)
            except ValueError as error:
                self.missing[name] = f"{role.lost}: {found[0][0].name} {error}"
                yield flow, None

    def _gauges(self) -> Iterator[GaugePlan]:
        for name, role in self.vocabulary.gauges.items():
            _, found = self._find(name, role)
            if positions := tuple(position for _, positions in found for position in positions):
                yield GaugePlan(name, positions, role.scale)

    def _role(self) -> str:
        """The role that the page's series agree on; none where they do not."""
        told = {
            roles.get(value, "")
            for series in self.metrics.series
            for label, roles in self.vocabulary.roles.items()
            if (value := series.labels.get(label)) is not None
        }
        return told.pop() if len(told) == 1 else ""

    def _started(self) -> int | None:
        _, found = self.selection.first(Role((Series(self.vocabulary.start_series),), ""))
        return found[0][1][0] if found else None

    def _facts(self) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, int], ...]]:
        facts: dict[str, str] = {}
        values: dict[str, int] = {}
        for info in self.vocabulary.infos:
            _, found = self.selection.first(Role((info.series,), ""))
            for _, positions in found:
                self._take_facts(info, positions[0], facts, values)
        return tuple(facts.items()), tuple(values.items())

    def _take_facts(self, info: Info, position: int, facts: dict[str, str], values: dict[str, int]) -> None:
        labels = self._labels(position)
        for label, name in info.facts.items():
            if not label:
                values.setdefault(name, position)
            elif labels.get(label, "") not in self.vocabulary.empty_labels:
                facts.setdefault(name, _SWITCHES.get(labels[label], labels[label]))


def _part_name(text: str) -> str:
    """Short enough to be kept with every page; two that are long stay two."""
    return text if len(text) <= MAX_PART_NAME else hashlib.sha256(text.encode()).hexdigest()


def _parts(parts: Mapping[str, list[int]]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    if len(parts) > MAX_PARTS:  # one sum: what restarts in it by itself cannot be told any more
        return (("", tuple(sorted(position for positions in parts.values() for position in positions))),)
    return tuple((part, tuple(positions)) for part, positions in sorted(parts.items()))


def _edge(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _histogram(
    name: str,
    series: Mapping[tuple[tuple[str, str], ...], Mapping[float, int]],
    sums: Mapping[tuple[tuple[str, str], ...], int],
    scale: float,
) -> HistogramPlan:
    """Several series of one histogram as one. Raises ValueError where they do not make a histogram."""
    layouts = {tuple(sorted(buckets)) for buckets in series.values()}
    if any(math.isnan(edge) for layout in layouts for edge in layout):
        raise ValueError("has a bucket without an edge")
    if len(layouts) > 1:
        raise ValueError("has other buckets in one series than in another")
    *edges, last = layouts.pop()
    if len(edges) > MAX_EDGES:
        raise ValueError(f"has more than {MAX_EDGES} buckets")
    if last != math.inf or not all(map(math.isfinite, edges)):
        raise ValueError("does not end in a +Inf bucket")
    if series.keys() - sums.keys():
        raise ValueError("has no sum")
    rows = tuple(
        (_run([buckets[edge] for edge in (*edges, last)]), sums[labels]) for labels, buckets in sorted(series.items())
    )
    return HistogramPlan(name, tuple(edge * scale for edge in edges), rows, scale)


def _run(positions: list[int]) -> Sequence[int] | slice:
    """Positions as a slice where they stand one after another, as they nearly always do: that reads faster."""
    first, count = positions[0], len(positions)
    return slice(first, first + count) if positions == list(range(first, first + count)) else tuple(positions)
