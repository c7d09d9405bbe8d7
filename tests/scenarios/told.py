"""What tokwatch told in a scenario: the snapshot of the moment, and every state and alert up to it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.scenarios.scripted_gpu import ScriptedGpu
from tokwatch.feeds.live import RecorderView
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.bodies import body
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.entries import Flag, GpuEntry, TickRecord
from tokwatch.ledger.gpu_rows import state_name
from tokwatch.ledger.snapshot import AlertRow, GpuRow, Snapshot

UNWATCHED = "unwatched"


class Told:
    """Takes every record of a recorder, after its view did."""

    def __init__(self, view: RecorderView, begins_ms: int, before: Told | None) -> None:
        """begins_ms: second 0 of the scenario. before: what its earlier recorders told."""
        self._view = view
        self._begins_ms = begins_ms
        self.records: list[TickRecord] = [] if before is None else before.records

    def take(self, record: TickRecord) -> None:
        self.records.append(record)

    # --- the moment -----------------------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        """What every screen would show."""
        return snapshot(self._view.view, mode="live")

    def row(self, gpu: ScriptedGpu) -> GpuRow:
        return next(row for row in self.snapshot.gpus if row.index == gpu.index)

    def state(self, gpu: ScriptedGpu) -> str:
        """In lower case, with " (pending)" within its dwell time."""
        row = self.row(gpu)
        return row.state if row.confirmed else f"{row.state} (pending)"

    def since(self, gpu: ScriptedGpu) -> float:
        """The second in which its state began."""
        return self._second(self.row(gpu).since_ms)

    @property
    def alerts(self) -> dict[str, AlertRow]:
        """Those on the screen, by key: firing and resolving ones."""
        return {row.key: row for row in self.snapshot.alerts}

    # --- up to it -------------------------------------------------------------------------------------------------

    def states(self, gpu: ScriptedGpu) -> list[tuple[float, str]]:
        """(second, state) of each change: the seconds up to the next one are booked to it; UNWATCHED to none."""
        changes: list[tuple[float, str]] = []
        for entry in self._entries(gpu):
            spans = [(entry.t0_ms, state_name(entry.state))]
            if entry.flags & Flag.GAP:
                spans = [(entry.t0_ms, UNWATCHED), (entry.t1_ms, state_name(entry.state))]
            for from_ms, name in spans:
                if not changes or changes[-1][1] != name:
                    changes.append((self._second(from_ms), name))
        return changes

    def seconds_in(self, gpu: ScriptedGpu, state: str) -> float:
        """How long it was seen in a state."""
        entries = (entry for entry in self._entries(gpu) if not entry.flags & Flag.GAP)
        return sum(entry.t1_ms - entry.t0_ms for entry in entries if state_name(entry.state) == state) / 1000

    def statuses(self, key: str) -> list[tuple[float, str]]:
        """(second, status) of each change of an alert's status."""
        told = [(second, status) for second, status, _ in self.transitions(key)]
        return [now for before, now in pairwise([(0.0, ""), *told]) if now[1] != before[1]]

    def transitions(self, key: str) -> list[tuple[float, str, str]]:
        """(second, status, severity) of each change of either."""
        changes: list[tuple[float, str, str]] = []
        for record in self.records:
            for event in record.events:
                if event.kind == "alert" and event.key == key:
                    alert = body(event, AlertBody)
                    if not changes or changes[-1][1:] != (alert.status, alert.severity):
                        changes.append((self._second(event.tick_ms), alert.status, alert.severity))
        return changes

    def reached(self) -> frozenset[str]:
        """Every state that a GPU was in, and every status that an alert had."""
        states = {state_name(entry.state) for record in self.records for entry in record.gpus}
        events = (event for record in self.records for event in record.events if event.kind == "alert")
        return frozenset(states | {body(event, AlertBody).status for event in events})

    def _entries(self, gpu: ScriptedGpu) -> Iterator[GpuEntry]:
        keys = self._view.view.entities
        return (entry for record in self.records for entry in record.gpus if keys[entry.entity].key == gpu.uuid)

    def _second(self, at_ms: int) -> float:
        return (at_ms - self._begins_ms) / 1000
