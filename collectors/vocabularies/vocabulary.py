"""The shape of a vocabulary: which series of an engine's page plays which role. `plan.py` reads by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from collectors.readings import Layer, Moves


@dataclass(frozen=True, slots=True)
class Series:
    """One series that can play a role, and which of its samples do."""

    name: str  # as the engine writes it; for a histogram without _bucket and _sum
    label: str = ""  # where set, only samples whose `label` is one of `values` count …
    values: frozenset[str] = frozenset()
    others: bool = False  # … or, with `others`, only those whose `label` is none of them


@dataclass(frozen=True, slots=True)
class AllOf:
    """Several series that play a role together, as their sum; each of them must be on the page."""

    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Role:
    """Where a figure comes from. The first candidate that is on the page is read, so the newest name stands first."""

    candidates: tuple[Series | AllOf, ...]
    lost: str  # what the user does not see without it; "" where nothing is missed (speculation that is switched off)
    scale: float = 1.0  # page unit × scale = our unit


@dataclass(frozen=True, slots=True)
class Info:
    """Deployment facts that stand as labels of a series, or as its value."""

    series: Series
    facts: Mapping[str, str]  # label → name of the fact ("tensor parallel", "quantisation"); "" names the value itself


@dataclass(frozen=True)
class Vocabulary:
    """What the names on one engine's page mean.

    Counters and histograms are summed, per flow (model × role × tenant × tier), over every other label: for one flow
    the label sets of a role must not overlap, except for the labels of `copies` and `totals`. Of `kv_usage` the
    fullest engine is taken.
    """

    engine: str  # as in ServerFacts.engine
    signs: tuple[frozenset[str], ...]  # it is this engine when all the names of one of these sets are on the page
    moves: Moves  # when output tokens move …
    counters: Mapping[str, Role]  # FlowReading's counter fields
    gauges: Mapping[str, Role]  # "running", "waiting", "kv_usage" (0..1), "asleep" (0 or 1)
    histograms: Mapping[str, Role] = field(default_factory=dict)  # names as in FlowReading.histograms
    moves_by: Mapping[str, Moves] = field(default_factory=dict)  # … where they are read from this series instead
    layer: Layer = Layer.ENGINE
    fronts: tuple[str, ...] = ()  # engines whose tokens this router or gateway counts again; () any
    model_labels: tuple[str, ...] = ()  # the first one that a sample has; none: the page names no model
    tenant_labels: tuple[str, ...] = ()
    tier_labels: tuple[str, ...] = ()
    # The role of the whole page ("prefill", "decode") by a label that some of its series carry: label → value → role.
    roles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    copies: tuple[str, ...] = ()  # labels of ranks that all tell the same: the lowest rank found is taken alone
    totals: Mapping[str, str] = field(default_factory=dict)  # label → the value that marks the total of the others
    empty_labels: frozenset[str] = frozenset({"", "None", "null"})  # label values that mean "not set"
    infos: tuple[Info, ...] = ()
    start_series: str = ""  # Unix seconds at which the process behind the page started
    start_header: str = ""  # answer header, lower case, that changes with a restart and means nothing else
    no_tokens: str = ""  # why this page never has tokens, for the user; "" where it does

    def recognises(self, names: frozenset[str]) -> bool:
        """Whether a page with these series names is this engine's. Never asks for a version: builds lie about it."""
        return any(all(not names.isdisjoint(spellings(name)) for name in sign) for sign in self.signs)

    @cached_property
    def wanted(self) -> frozenset[str]:
        """Every spelling of every series that `plan` may look at."""
        plain = {
            series.name for role in (*self.counters.values(), *self.gauges.values()) for series in all_series(role)
        }
        plain |= {info.series.name for info in self.infos} | {self.start_series} - {""}
        histograms = {series.name for role in self.histograms.values() for series in all_series(role)}
        parts = {name + part for name in histograms for part in ("_bucket", "_sum")}
        return frozenset(spelling for name in plain | parts for spelling in spellings(name))


def all_series(role: Role) -> tuple[Series, ...]:
    """Every series that may play the role."""
    return tuple(series for candidate in role.candidates for series in parts_of(candidate))


def parts_of(candidate: Series | AllOf) -> tuple[Series, ...]:
    """The series that a candidate is the sum of."""
    return candidate.series if isinstance(candidate, AllOf) else (candidate,)


def spellings(name: str) -> tuple[str, ...]:
    """`name` as pages write it: the name itself first; some clients drop `_total`, some pipelines turn ':' into '_'."""
    bare = name.removesuffix("_total")
    return tuple(dict.fromkeys((name, bare, name.replace(":", "_"), bare.replace(":", "_"))))
