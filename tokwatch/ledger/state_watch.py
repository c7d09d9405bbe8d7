"""What states are judged by, gathered as a tick is booked: evidence, power floors and the states so far of one host."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from collectors.readings import GpuReading, ServerFacts, ServerReading
from tokwatch.ledger.axis import Axis
from tokwatch.ledger.bodies import FloorBody
from tokwatch.ledger.changes import Changes
from tokwatch.ledger.entries import Event, Flag, FlowEntry, GpuEntry, ServerEntry
from tokwatch.ledger.evidence import Evidence
from tokwatch.ledger.power_floor import PowerFloors
from tokwatch.ledger.roster import Neighbours
from tokwatch.ledger.states import StateBody, StateTracker, Thresholds


class StateWatch:
    """One host's GPUs. Servers' pages are taken before the GPUs of a tick."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._evidence = Evidence(thresholds)
        self._floors = PowerFloors()
        self._states = StateTracker(thresholds)

    def resume(self, past: Event, *, goes_on: bool) -> None:
        """Go on from what an earlier run left in force. goes_on: it ended so lately that its states still hold."""
        if past.kind == "state" and goes_on:
            self._states.resume(past.entity, msgspec.json.decode(past.body, type=StateBody))
        elif past.kind == "floor":
            self._floors.resume(past.entity, msgspec.json.decode(past.body, type=FloorBody))

    def server(self, reading: ServerReading, entry: ServerEntry, flows: Sequence[FlowEntry]) -> None:
        """A server's page was read, or was not to be had."""
        self._evidence.server(reading, entry, flows)

    def gpu(
        self,
        reading: GpuReading,
        entry: GpuEntry,
        servers: Sequence[ServerFacts],
        neighbours: Neighbours,
        load: float | None,
        axis: Axis,
        changes: Changes,
        *,
        foreign: bool = False,
    ) -> StateBody:
        """The state of a GPU with these servers on it. load: see Evidence.signals. foreign: other processes are too."""
        gpu = entry.entity
        self._evidence.gpu(reading, entry, axis.tick_ms)
        work_w = self._floors.work_w(gpu, reading.facts.power_limit_w)
        signals = self._evidence.signals(reading, entry, servers, axis, neighbours, load=load, work_w=work_w)
        signals = replace(signals, foreign=foreign)
        # Nobody saw when in a gap the state began.
        seen_from_ms = entry.t1_ms if entry.flags & Flag.GAP else entry.t0_ms
        state, changed = self._states.step(gpu, signals, axis.tick_ms, seen_from_ms, entry.t1_ms)
        if changed is not None:
            changes.add(changed)
        if floor := self._floors.learn(entry, state.state):
            changes.note("floor", gpu, floor)
        return state
