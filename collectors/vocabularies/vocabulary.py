"""The shape of a vocabulary: which series of an engine's page plays which role. `reader.py` reads by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from collectors.readings import Moves


@dataclass(frozen=True, slots=True)
class Series:
    """One series that can play a role, and which of its samples do."""

    name: str  # as the engine writes it; for a histogram without _bucket and _sum
    label: str = ""  # where set, only samples whose `label` is one of `values` count
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Role:
    """Where a figure comes from. The first candidate that is on the page is read, so the newest name stands first."""

    candidates: tuple[Series, ...]
    lost: str  # what the user does not see without it
    scale: float = 1.0  # page unit × scale = our unit


@dataclass(frozen=True)
class Vocabulary:
    """What the names on one engine's page mean.

    Counters and histograms are summed, per model, over every label that is not the model's: for one model the label
    sets of a role must not overlap. Of `kv_usage` the fullest engine is taken.
    """

    engine: str
    signs: tuple[frozenset[str], ...]  # it is this engine when all the names of one of these sets are on the page
    moves: Moves
    counters: Mapping[str, Role]  # FlowReading's counter fields
    gauges: Mapping[str, Role]  # "running", "waiting", "kv_usage"
    histograms: Mapping[str, Role] = field(default_factory=dict)  # "ttft", "tpot", "itl", "e2e", in seconds
    prompt_includes_cached: bool = True
    model_labels: tuple[str, ...] = ()  # the first one that a sample has; none: the page names no model
    start_series: str = ""  # Unix seconds at which the process behind the page started
    start_header: str = ""  # answer header, lower case, that changes with a restart and means nothing else

    def recognises(self, names: frozenset[str]) -> bool:
        """Whether a page with these series names is this engine's. Never asks for a version: builds lie about it."""
        return any(all(not names.isdisjoint(spellings(name)) for name in sign) for sign in self.signs)

    @cached_property
    def wanted(self) -> frozenset[str]:
        """Every spelling of every series that `read` may look at."""
        roles = (*self.counters.values(), *self.gauges.values())
        plain = {series.name for role in roles for series in role.candidates} | {self.start_series} - {""}
        histograms = {series.name for role in self.histograms.values() for series in role.candidates}
        parts = {name + part for name in histograms for part in ("_bucket", "_sum")}
        return frozenset(spelling for name in plain | parts for spelling in spellings(name))


def spellings(name: str) -> tuple[str, ...]:
    """`name` as pages write it: the name itself first; some clients drop `_total`, some pipelines turn ':' into '_'."""
    bare = name.removesuffix("_total")
    return tuple(dict.fromkeys((name, bare, name.replace(":", "_"), bare.replace(":", "_"))))
