"""Running totals: TickRecords → what every GPU, flow and the box have counted since the run began. Pure.

The sums are those of the store's entries: what passed while nobody watched is in the first entry after it, energy and
tokens alike, and so in the totals; states of that time are not known and are in none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec

from tokwatch.ledger.axis import NS_PER_MS
from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, State, Tick, TickRecord
from tokwatch.ledger.fleet.report import FlowReport
from tokwatch.ledger.sums import counted

_GAP: Final = Flag.GAP.value  # a plain int: `&` with an IntFlag costs a microsecond
_IDLE: Final = frozenset(state.value for state in State if state.idle)


class GpuTotals(msgspec.Struct, frozen=True, gc=False):
    """One GPU."""

    energy_mj: int | None = None
    idle_energy_mj: int | None = None  # of it, what was drawn in an idle State
    measured_ms: int = 0  # what energy_mj speaks for
    state_ms: tuple[tuple[int, int], ...] = ()  # (State, ms), no zeros

    @property
    def observed_ms(self) -> int:
        return sum(ms for _, ms in self.state_ms)

    def plus(self, entry: GpuEntry) -> GpuTotals:
        """With one entry more."""
        watched = not entry.flags & _GAP
        idle_mj = entry.energy_mj if entry.energy_mj is None or (watched and entry.state in _IDLE) else 0
        states, length_ms = self.state_ms, entry.t1_ms - entry.t0_ms
        if watched and length_ms:
            by_state = dict(states)
            by_state[entry.state] = by_state.get(entry.state, 0) + length_ms
            states = tuple(sorted(by_state.items()))
        return GpuTotals(
            _plus(self.energy_mj, entry.energy_mj),
            _plus(self.idle_energy_mj, idle_mj),
            self.measured_ms + entry.measured_ms,
            states,
        )


class RunningTotals:
    """The totals of one run; `add` each of its records once, in their order.

    What is no longer there is to be forgotten (`keep`): its counters begin at 0 when it comes back.
    """

    def __init__(self, since: Tick | None = None) -> None:
        """since: the tick that they begin with, whose own record is not added; None: with the first record's."""
        self.gpus: dict[int, GpuTotals] = {}
        self.flows: dict[int, FlowReport] = {}  # as each server tells them
        self.counted: dict[int, FlowReport] = {}  # of these, what may be added up over servers: each token once
        self.host_energy_mj: int | None = None  # of the whole box by its own sensors
        self.self_cpu_ms = 0  # of the recorder
        self.ticks = 0
        self._first = self._last = since

    @property
    def watched_ms(self) -> int:
        """By CLOCK_BOOTTIME, from the first tick to the last."""
        if self._first is None or self._last is None:
            return 0
        return (self._last.boottime_ns - self._first.boottime_ns) // NS_PER_MS

    def add(self, record: TickRecord) -> None:
        """Count one tick in."""
        self._first, self._last = self._first or record.tick, record.tick
        self.ticks += 1
        for gpu in record.gpus:
            self.gpus[gpu.entity] = self.gpus.get(gpu.entity, GpuTotals()).plus(gpu)
        for flow in record.flows:
            self.flows[flow.entity] = _with(self.flows.get(flow.entity), flow)
            self.counted[flow.entity] = _with(self.counted.get(flow.entity), counted(flow))
        for host in record.hosts:
            self.host_energy_mj = _plus(self.host_energy_mj, host.energy_mj)
            self.self_cpu_ms += host.self_cpu_ms

    def keep(self, gpus: Collection[int], flows: Collection[int]) -> None:
        """Forget all others."""
        for entity in self.gpus.keys() - gpus:
            del self.gpus[entity]
        for entity in self.flows.keys() - flows:
            del self.flows[entity], self.counted[entity]


def _with(before: FlowReport | None, entry: FlowEntry) -> FlowReport:
    totals = before or FlowReport(0)
    covered = entry.prompt_tokens is not None or entry.output_tokens is not None
    return FlowReport(
        totals.covered_ms + (entry.t1_ms - entry.t0_ms if covered else 0),
        _plus(totals.prompt_tokens, entry.prompt_tokens),
        _plus(totals.cached_tokens, entry.cached_tokens),
        _plus(totals.output_tokens, entry.output_tokens),
        _plus(totals.finished, entry.finished),
        _plus(totals.failed, entry.failed),
        _plus(totals.aborted, entry.aborted),
    )


def _plus(total: int | None, more: int | None) -> int | None:
    """Unknown adds nothing, and a sum of unknowns only is unknown."""
    if more is None:
        return total
    return more if total is None else total + more
