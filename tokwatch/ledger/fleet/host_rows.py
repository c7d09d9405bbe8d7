"""Host rows: one host's tally divided into its figures. Every figure knows why it is unknown and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tokwatch.ledger.entries import State
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import (
    FEW_TOKENS,
    RATIO_FROM_MS,
    WARMING_UP,
    known,
    tokens_per_joule,
    unknown,
    usd_per_million,
)
from tokwatch.ledger.fleet.host_price import HostPrice
from tokwatch.ledger.fleet.snapshot import HostRow
from tokwatch.ledger.fleet.tally import FlowTally, HostTally

STALE_AFTER: Final = 3  # intervals of its source
DOWN: Final = "does not answer"
NO_SERVER: Final = "no inference server"
_KNOWN: Final = frozenset(State)
_NOT_TOLD: Final = "not told by its source"
_NOT_PRICED: Final = "no money is made of simulated hosts"
_MIB_PER_GIB: Final = 1024
# What needs to be seen first; anything else is told by what most GPUs do.
FAULTS: Final = (State.LOST, State.STALLED, State.THROTTLED, State.SATURATED, State.BACKLOG)
IDLE: Final = (State.MISROUTED, State.PARKED, State.HELD, State.UNALLOCATED)


def host_row(tally: HostTally, price: HostPrice, at_ms: int, interval_s: float, window_ms: int) -> HostRow:
    """at_ms: the moment of the fleet, by which its age is told."""
    age_s = max(0.0, (at_ms - tally.t1_ms) / 1000)
    stale = age_s > STALE_AFTER * interval_s
    old = ("stale",) if stale and tally.up else ()
    tokens = token_rates(tally, window_ms, old)
    tok_s, prompt_tok_s = tokens
    power_w = _power(tally, old)
    states = known_states(tally.states)
    idle = sum(count for state, count in states if state in IDLE) if tally.up else 0
    facility_w = price.facility_w(power_w, tally.gpus)
    usd_per_hour = unknown(_NOT_PRICED) if tally.unpriced else price.usd_per_hour(tally.gpus, facility_w)
    warm, few = tally.length_ms >= RATIO_FROM_MS, _few(tally)
    site = price.site
    return HostRow(
        key=tally.key,
        host=tally.host,
        label=tally.host,
        up=tally.up,
        stale=stale,
        age_s=age_s,
        problem=tally.problem,
        region=tally.region or (site.region if site else ""),
        cluster=tally.cluster or (site.cluster if site else ""),
        site=site.name if site else "",
        hardware=_hardware(tally),
        gpus=tally.gpus,
        states=states,
        gpus_idle=idle,
        state=worst_state(states) if tally.up else State.UNKNOWN,
        models=models_of(tally.flows),
        running=_whole(flow.running for flow in tally.flows) if tally.up else None,
        waiting=_whole(flow.waiting for flow in tally.flows) if tally.up else None,
        tok_s=tok_s,
        prompt_tok_s=prompt_tok_s,
        tok_per_j=_tokens_per_joule(tally, tok_s, power_w, warm=warm, few=few),
        power_w=power_w,
        facility_w=facility_w,
        memory_used_gib=_gauge(tally, None if tally.memory_used_mib is None else tally.memory_used_mib / _MIB_PER_GIB),
        memory_total_gib=None if tally.memory_total_mib is None else tally.memory_total_mib / _MIB_PER_GIB,
        utilization=_gauge(tally, tally.utilization),
        usd_per_hour=usd_per_hour,
        usd_per_m_output=usd_per_million(usd_per_hour, tok_s, few=few, warm=warm),
        idle_usd_per_hour=_idle_usd_per_hour(tally, price, idle),
        clock_skew_s=None if tally.clock_skew_ms is None else tally.clock_skew_ms / 1000,
        agent=tally.agent,
    )


def known_states(states: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """(State, GPUs) as this version knows them: what an agent of a later one calls otherwise is unknown."""
    if all(state in _KNOWN for state, _ in states):
        return states
    counts: dict[int, int] = {}
    for state, count in states:
        known_as = state if state in _KNOWN else State.UNKNOWN.value
        counts[known_as] = counts.get(known_as, 0) + count
    return tuple(sorted(counts.items()))


def worst_state(states: Iterable[tuple[int, int]]) -> int:
    """Of (State, GPUs): a fault, else idleness, else what most GPUs do."""
    counts = dict(states)
    urgent = next((state for state in (*FAULTS, *IDLE) if counts.get(state)), None)
    if urgent is not None:
        return urgent
    return max(counts, key=lambda state: (counts[state], -state), default=State.UNKNOWN)


def models_of(flows: Iterable[FlowTally]) -> tuple[str, ...]:
    """The models of a host, the one with the most output first."""
    ranked = sorted(flows, key=lambda flow: (-(flow.output_tokens or 0), flow.model))
    return tuple(dict.fromkeys(flow.model for flow in ranked))


def token_rates(tally: HostTally, window_ms: int, marks: tuple[str, ...]) -> tuple[Figure, Figure]:
    """Output and prompt tokens per second; "part" where some of its models do not tell."""
    if not tally.up:
        return unknown(DOWN), unknown(DOWN)
    if not tally.flows:
        return unknown(NO_SERVER), unknown(NO_SERVER)
    output = rate([flow.output_tokens for flow in tally.flows], tally.length_ms, window_ms, marks)
    return output, rate([flow.prompt_tokens for flow in tally.flows], tally.length_ms, window_ms, marks)


def rate(amounts: list[int | None], length_ms: int, window_ms: int, marks: tuple[str, ...] = ()) -> Figure:
    """Σ ÷ time of what is told."""
    told = [amount for amount in amounts if amount is not None]
    if not told:
        return unknown(_NOT_TOLD)
    if not length_ms:
        return unknown(WARMING_UP)
    coverage = min(1.0, length_ms / window_ms) if window_ms else 1.0
    borne = marks if len(told) == len(amounts) else tuple(sorted({*marks, "part"}))
    return Figure(sum(told) * 1000 / length_ms, coverage=coverage, marks=borne)


def _power(tally: HostTally, marks: tuple[str, ...]) -> Figure:
    """The mean of the window by its energy, else as it is now; "part" where not all boards tell."""
    if not tally.up:
        return unknown(DOWN)
    speaking = tally.power_gpus or tally.gpus or 0
    partly = tally.gpus is not None and 0 < tally.power_gpus < tally.gpus
    borne = tuple(sorted({*marks, "part"})) if partly else marks
    if tally.energy_mj is not None and tally.measured_ms and speaking:
        coverage = min(1.0, tally.measured_ms / (speaking * tally.length_ms)) if tally.length_ms else 1.0
        return Figure(tally.energy_mj / tally.measured_ms * speaking, coverage=coverage, marks=borne)
    return known(tally.power_w, _NOT_TOLD, borne)


def _tokens_per_joule(tally: HostTally, tok_s: Figure, power_w: Figure, *, warm: bool, few: bool) -> Figure:
    if not warm and tok_s.value is not None:
        return unknown(WARMING_UP)
    if tok_s.value == 0:
        return unknown("no tokens")
    found = tokens_per_joule(tok_s, power_w, few=few)
    if found.value is None or tally.energy_mj is not None:
        return found
    return Figure(found.value, coverage=found.coverage, marks=tuple(sorted({*found.marks, "est"})))


def _idle_usd_per_hour(tally: HostTally, price: HostPrice, idle: int) -> Figure:
    """Of a host that does not answer it is not known what its GPUs do: not 0."""
    if tally.unpriced:
        return unknown(_NOT_PRICED)
    return price.idle_usd_per_hour(idle) if tally.up else unknown(DOWN)


def _few(tally: HostTally) -> bool:
    return sum(flow.output_tokens or 0 for flow in tally.flows) < FEW_TOKENS


def _whole(counts: Iterable[int | None]) -> int | None:
    """Σ, None where one is not known or there are none."""
    told = list(counts)
    return None if not told or None in told else sum(count or 0 for count in told)


def _gauge(tally: HostTally, value: float | None) -> Figure:
    return known(value, _NOT_TOLD) if tally.up else unknown(DOWN)


def _hardware(tally: HostTally) -> str:
    if tally.gpus is None:
        return tally.gpu_model.replace("NVIDIA ", "")
    return f"{tally.gpus}× {tally.gpu_model.replace('NVIDIA ', '') or 'unknown GPU'}" if tally.gpus else ""
