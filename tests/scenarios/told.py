"""What tokwatch told in a scenario: the snapshot of the moment, and every state and alert up to it."""

from __future__ import annotations

from tests.scenarios.scripted_gpu import ScriptedGpu
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.bodies import body
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.entries import State, TickRecord
from tokwatch.ledger.snapshot import AlertRow, GpuRow, Snapshot
from tokwatch.ledger.view import View


class Told:
    """Takes every record of a recorder; `before` is what earlier recorders of the scenario told."""

    def __init__(self, view: View, noon_ms: int, before: Told | None = None) -> None:
        self._view = view
        self._noon_ms = noon_ms
        self.records: list[TickRecord] = [] if before is None else before.records

    def take(self, record: TickRecord) -> None:
        self._view.apply(record)
        self.records.append(record)

    # --- the moment -----------------------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        """What every screen would show."""
        return snapshot(self._view, mode="live")

    def row(self, gpu: ScriptedGpu) -> GpuRow:
        return next(row for row in self.snapshot.gpus if row.index == gpu.index)

    def state(self, gpu: ScriptedGpu) -> str:
        """In lower case, with " (pending)" within its dwell time."""
        row = self.row(gpu)
        return row.state if row.confirmed else f"{row.state} (pending)"

    def since(self, gpu: ScriptedGpu) -> float:
        """The second in which its state began."""
        return self._second(self.row(gpu).since_ms)

    def alert(self, key: str) -> AlertRow:
        """The alert of this key. It must stand."""
        return self.alerts[key]

    @property
    def alerts(self) -> dict[str, AlertRow]:
        """Those that stand, by key."""
        return {row.key: row for row in self.snapshot.alerts}

    # --- up to it -------------------------------------------------------------------------------------------------

    def states(self, gpu: ScriptedGpu) -> list[tuple[float, str]]:
        """(second, state) of each change: the seconds before the next one are booked to it."""
        changes: list[tuple[float, str]] = []
        for record in self.records:
            for entry in record.gpus:
                if self._view.entities[entry.entity].key.endswith(f"{gpu.index:012d}"):
                    name = State(entry.state).name.lower().replace("_", " ")
                    if not changes or changes[-1][1] != name:
                        changes.append((self._second(entry.t0_ms), name))
        return changes

    def transitions(self, key: str) -> list[tuple[float, str, str]]:
        """(second, status, severity) of each change of an alert."""
        changes: list[tuple[float, str, str]] = []
        for record in self.records:
            for event in record.events:
                if event.kind == "alert" and event.key == key:
                    alert = body(event, AlertBody)
                    if not changes or changes[-1][1:] != (alert.status, alert.severity):
                        changes.append((self._second(event.tick_ms), alert.status, alert.severity))
        return changes

    def _second(self, at_ms: int) -> float:
        return (at_ms - self._noon_ms) / 1000
