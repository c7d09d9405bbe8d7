"""Two ticks in one: what a backlog that is full makes of its oldest, so that no increment is lost."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Final, TypeVar

from msgspec.structs import replace

from tokwatch.ledger.entries import (
    Absolute,
    Event,
    Flag,
    FlowEntry,
    GpuEntry,
    HistogramEntry,
    HostEntry,
    ServerEntry,
    TickRecord,
)

E = TypeVar("E", GpuEntry, ServerEntry, FlowEntry, HostEntry)

_SUMMED: Final[dict[type, tuple[str, ...]]] = {
    GpuEntry: ("energy_mj", "measured_ms", "lost_mj"),
    ServerEntry: ("progress",),
    FlowEntry: (
        "prompt_tokens",
        "cached_tokens",
        "output_tokens",
        "finished",
        "failed",
        "aborted",
        "preempted",
        "drafted_tokens",
        "accepted_tokens",
    ),
    HostEntry: ("package_energy_mj", "energy_mj", "self_cpu_ms"),
}
_ELSEWHERE: Final = (Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE).value


def merged(earlier: TickRecord, later: TickRecord) -> TickRecord:
    """The later tick, with the earlier one's increments, entities, counters and events that are still in force.

    An entry of both is marked as a gap: its increments are real, what its GPU did when is not known any more.
    """
    told = {(event.kind, event.entity, event.key) for event in later.events}
    events: Iterable[Event] = (
        replace(event, tick_ms=later.tick.tick_ms)
        for event in earlier.events
        if (event.kind, event.entity, event.key) not in told
    )
    absolutes: dict[int, Absolute] = {each.entity: each for each in (*earlier.absolutes, *later.absolutes)}
    return TickRecord(
        replace(later.tick, clock_step_ms=earlier.tick.clock_step_ms + later.tick.clock_step_ms),
        gpus=_merged_entries(earlier.gpus, later.gpus),
        servers=_merged_entries(earlier.servers, later.servers),
        flows=_merged_entries(earlier.flows, later.flows),
        hosts=_merged_entries(earlier.hosts, later.hosts),
        entities=earlier.entities + later.entities,
        events=(*events, *later.events),
        absolutes=tuple(absolutes.values()),
    )


def _merged_entries(earlier: tuple[E, ...], later: tuple[E, ...]) -> tuple[E, ...]:
    before: dict[int, E] = {entry.entity: entry for entry in earlier}
    now: dict[int, E] = {entry.entity: entry for entry in later}
    both = {entity: _merged_entry(before[entity], entry) for entity, entry in now.items() if entity in before}
    return tuple((before | now | both).values())


def _merged_entry(earlier: E, later: E) -> E:
    # A baseline has no increments yet. What is counted elsewhere by turns cannot be one sum; the later one stands.
    if earlier.flags & Flag.BASELINE or (earlier.flags ^ later.flags) & _ELSEWHERE:
        return later
    changes: dict[str, object] = {
        name: _sum(getattr(earlier, name), getattr(later, name)) for name in _SUMMED[type(later)]
    }
    if isinstance(earlier, FlowEntry) and isinstance(later, FlowEntry):
        changes["histograms"] = _merged_histograms(earlier.histograms, later.histograms)
    flags = earlier.flags | later.flags | Flag.GAP.value
    return replace(later, t0_ms=min(earlier.t0_ms, later.t0_ms), flags=flags, **changes)


def _merged_histograms(
    earlier: tuple[HistogramEntry, ...], later: tuple[HistogramEntry, ...]
) -> tuple[HistogramEntry, ...]:
    by_edges: dict[tuple[str, tuple[float, ...]], HistogramEntry] = {}
    for each in chain(earlier, later):
        key = each.name, each.edges
        if (before := by_edges.get(key)) is not None:
            counts = tuple(a + b for a, b in zip(before.counts, each.counts, strict=True))
            each = replace(each, counts=counts, sum_us=before.sum_us + each.sum_us)
        by_edges[key] = each
    return tuple(by_edges.values())


def _sum(earlier: int | None, later: int | None) -> int | None:
    """Of what is known."""
    if earlier is None or later is None:
        return earlier if later is None else later
    return earlier + later
