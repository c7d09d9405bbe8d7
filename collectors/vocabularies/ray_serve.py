"""Ray Serve LLM: vLLM's own metrics, which Ray's agent publishes for all replicas of a node under `ray_vllm_*`.

vLLM hands its stats to Ray (vllm/v1/metrics/ray_wrappers.py), which puts `ray_` in front, turns ':' into '_' (older
releases kept it) and adds `ReplicaId`, `WorkerId` and the like. A counter appears once it is not zero, and twice: with
`_total` and, for old dashboards, without (python/ray/_private/metrics_agent.py); one spelling is read. Counters move
when a worker reports, every 10 s by default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from collectors.vocabularies.vllm import VLLM
from collectors.vocabularies.vocabulary import AllOf, Info, Role, Series


def _series(series: Series) -> Series:
    return replace(series, name=f"ray_{series.name}")


def _candidate(candidate: Series | AllOf) -> Series | AllOf:
    if isinstance(candidate, AllOf):
        return AllOf(tuple(map(_series, candidate.series)))
    return _series(candidate)


def _roles(roles: Mapping[str, Role]) -> dict[str, Role]:
    return {name: replace(role, candidates=tuple(map(_candidate, role.candidates))) for name, role in roles.items()}


RAY_SERVE = replace(
    VLLM,
    engine="ray-serve",
    signs=tuple(frozenset(f"ray_{name}" for name in sign) for sign in VLLM.signs),
    counters=_roles(VLLM.counters),
    gauges=_roles(VLLM.gauges),
    histograms=_roles(VLLM.histograms),
    moves_by={f"ray_{name}": moves for name, moves in VLLM.moves_by.items()},
    infos=tuple(Info(_series(info.series), info.facts) for info in VLLM.infos),
    start_series="",  # the page's process is Ray's agent, which outlives the replicas
)
