"""Who tells what on a server: the agent's names, and which tables of meters and vocabularies its names are written in.

Chosen by series names alone, so a new table in collectors/meters or collectors/vocabularies is found by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

from collectors.meters import METERS, OF_EVERY_VENDOR
from collectors.meters.meter import Meter, told_by
from collectors.prometheus.expressions import any_of, quoted, selector
from collectors.readings import Layer, Moves
from collectors.vocabularies import VOCABULARIES
from collectors.vocabularies.dynamo import DYNAMO_WORKER
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary, parts_of, spellings

AGENT: Final = "tokwatch"
AGENT_STATE: Final = "tokwatch_gpu_state"
AGENT_VERSION: Final = "tokwatch_build_info"
AGENT_UP: Final = "tokwatch_server_up"
AGENT_GPU: Final = "tokwatch_gpu_info"

AGENT_METER: Final = Meter(
    name=AGENT,
    signs=(frozenset({"tokwatch_gpu_power_watts"}), frozenset({"tokwatch_gpu_utilization_ratio"})),
    identity=(("uuid",), ("gpu",)),
    uuid="uuid",
    index=("gpu",),
    model=("model_name",),
    values={
        "power_w": (told_by("tokwatch_gpu_power_watts"),),
        "energy_mj": (told_by("tokwatch_gpu_energy_joules_total", scale=1e3),),
        "utilization": (told_by("tokwatch_gpu_utilization_ratio"),),
        "memory_used_bytes": (told_by("tokwatch_gpu_memory_used_bytes"),),
        "memory_total_bytes": (told_by("tokwatch_gpu_memory_total_bytes"),),
        "temperature_c": (told_by("tokwatch_gpu_temperature_celsius"),),
    },
)


# By FlowReading's name of the latency.
AGENT_LATENCIES: Final[Mapping[str, str]] = {
    "ttft": "tokwatch_time_to_first_token_seconds",
    "tpot": "tokwatch_time_per_output_token_seconds",
    "itl": "tokwatch_inter_token_latency_seconds",
    "e2e": "tokwatch_request_duration_seconds",
}


def _outcome(outcome: str) -> Role:
    return Role((Series("tokwatch_requests_total", "outcome", frozenset({outcome})),), f"{outcome} requests")


# Its label "engine" says which engine tells; what is counted elsewhere the agent has left out.
AGENT_VOCABULARY: Final = Vocabulary(
    engine=AGENT,
    signs=(frozenset({"tokwatch_output_tokens_total"}), frozenset({AGENT_UP})),
    moves=Moves.LIVE,
    model_labels=("model",),
    counters={
        "prompt_tokens": Role((Series("tokwatch_prompt_tokens_total"),), "prompt tokens and their cost"),
        "cached_tokens": Role((Series("tokwatch_cached_tokens_total"),), "cached prompt tokens"),
        "output_tokens": Role((Series("tokwatch_output_tokens_total"),), "output tokens"),
        "finished": _outcome("finished"),
        "failed": _outcome("failed"),
        "aborted": _outcome("aborted"),
    },
    gauges={
        "running": Role((Series("tokwatch_requests_running"),), "running requests"),
        "waiting": Role((Series("tokwatch_requests_waiting"),), "waiting requests"),
        "kv_usage": Role((Series("tokwatch_kv_cache_usage_ratio"),), "KV cache usage"),
    },
    histograms={latency: Role((Series(name),), f"latency {latency!r}") for latency, name in AGENT_LATENCIES.items()},
)


@lru_cache(maxsize=256)  # engines are named by labels; two servers of one engine are read by one table
def agent_vocabulary(engine: str) -> Vocabulary:
    """What an agent tells of one server of that engine."""
    own = next((vocabulary for vocabulary in VOCABULARIES if vocabulary.engine == engine), AGENT_VOCABULARY)
    return replace(
        AGENT_VOCABULARY,
        engine=engine,
        histograms={name: _passed_on(name, role) for name, role in own.histograms.items() if name in AGENT_LATENCIES},
        layer=own.layer,
        fronts=own.fronts,
        moves=own.moves,
    )


def _passed_on(latency: str, role: Role) -> Role:
    """An engine's latency as its agent tells it, or why that engine has none."""
    return replace(AGENT_VOCABULARY.histograms[latency], lost=role.lost) if role.candidates else role


# A worker's page passes its engine's series on, under the engine's own names: the engine's table reads them.
_PASSES_ON: Final = frozenset({DYNAMO_WORKER.engine})
LAYERS: Final[Mapping[str, Layer]] = {vocabulary.engine: vocabulary.layer for vocabulary in VOCABULARIES}


@dataclass(frozen=True, slots=True)
class MeterNames:
    """A meter whose names are on the server: table name → the spelling there."""

    meter: Meter
    spelled: Mapping[str, str]


@dataclass(frozen=True)
class Dialects:
    """Tables that the server's names are written in; the agent's stands before all others."""

    meters: tuple[MeterNames, ...]
    vocabularies: tuple[Vocabulary, ...]
    names: frozenset[str]
    within: str = ""  # label matchers that every selector has: `cluster="a",env!="test"`

    @property
    def found(self) -> tuple[str, ...]:
        """In words, as the user knows them."""
        return (*(each.meter.name for each in self.meters), *(each.engine for each in self.vocabularies))

    @cached_property
    def gpu_states(self) -> bool:
        """Agents tell what their GPUs do."""
        return AGENT_STATE in self.names

    @property
    def counted_once(self) -> Dialects:
        """Without routers and gateways, which count their engines' tokens again, where there are engines."""
        engines = tuple(each for each in self.vocabularies if each.layer is Layer.ENGINE)
        return replace(self, vocabularies=engines) if engines else self

    def series(self, names: str | Sequence[str], *matchers: str) -> str:
        """A selector of one name, or of any of several."""
        return selector(names, *matchers, *([self.within] if self.within else []))

    def spellings(self, name: str) -> tuple[str, ...]:
        """How the server writes the name of an engine's series; () not at all."""
        return tuple(spelling for spelling in spellings(name) if spelling in self.names)


def dialects(names: Iterable[str], within: str = "") -> Dialects:
    """What a server with these series names speaks. within: label matchers for every query, as configured."""
    on_server = frozenset(names)
    meters = [AGENT_METER, *sorted(METERS, key=lambda meter: meter.name in OF_EVERY_VENDOR)]
    return Dialects(
        meters=tuple(MeterNames(meter, spelled) for meter in meters if (spelled := _spelled(meter, on_server))),
        vocabularies=tuple(_recognised(on_server)),
        names=on_server,
        within=within,
    )


def _spelled(meter: Meter, on_server: frozenset[str]) -> dict[str, str]:
    return {told: name for name, told in meter.page_names(on_server).items()}


def _recognised(on_server: frozenset[str]) -> Iterator[Vocabulary]:
    """Those that count tokens. A name belongs to the first table that has it: some engines share theirs."""
    taken: set[str] = set()
    for vocabulary in (AGENT_VOCABULARY, *VOCABULARIES):
        output = _tokens_of(vocabulary)
        if vocabulary.engine in _PASSES_ON or not output or not vocabulary.recognises(on_server):
            continue
        if not taken.issuperset(output):
            taken |= output
            yield vocabulary


def _tokens_of(vocabulary: Vocabulary) -> frozenset[str]:
    roles = [vocabulary.counters[name] for name in ("output_tokens", "prompt_tokens") if name in vocabulary.counters]
    return frozenset(series.name for role in roles for candidate in role.candidates for series in parts_of(candidate))


# --- asking for the names ---------------------------------------------------------------------------------------------

_MANY: Final = 4  # names of one prefix from which the prefix alone is asked for
_PREFIX: Final = re.compile(r"[A-Za-z0-9]+")
# Prefixes that are words of the language and no exporter's: everybody's series would come along.
_WORDS: Final = frozenset({"time", "request", "prompt", "memory", "num", "gpu", "process", "e2e"})


def names_matcher(within: str = "") -> str:
    """A selector of every series that a table may read: by prefix where a table has one, for it travels in a URL."""
    names = {AGENT_STATE, AGENT_VERSION, AGENT_UP}
    for vocabulary in (AGENT_VOCABULARY, *VOCABULARIES):
        names |= vocabulary.wanted.union(*vocabulary.signs) - {vocabulary.start_series}
    suffixes: set[str] = set()
    for meter in (AGENT_METER, *METERS):
        (suffixes if meter.prefixed else names).update(_names_of(meter))
    by_prefix: dict[str, set[str]] = {}
    for name in names:
        found = _PREFIX.match(name)
        by_prefix.setdefault(found[0] if found else name, set()).add(name)
    patterns = [
        f"{prefix}[:_].*" if len(group) >= _MANY and prefix not in _WORDS else any_of(group)
        for prefix, group in sorted(by_prefix.items())
    ]
    pattern = quoted("|".join([*patterns, f"(?:.*_)?(?:{any_of(suffixes)})"]))
    return f"{{__name__=~{pattern}{',' if within else ''}{within}}}"


def _names_of(meter: Meter) -> set[str]:
    sources = [source for sources in meter.values.values() for source in sources]
    if meter.parts is not None:
        sources += [*meter.parts.memory_used, *meter.parts.memory_total]
    return {name for source in sources for name in source.names}.union(meter.info, *meter.signs)
