"""State bar: one row of states over time; calm is thin, waste is thick."""

from __future__ import annotations

from dataclasses import dataclass

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.theme import Look
from tokwatch.ledger.snapshot import StateSpan


@dataclass(frozen=True, slots=True)
class StateBar:
    """The state that holds longest in each cell of [from_ms, to_ms]; "·" where nobody watched."""

    spans: tuple[StateSpan, ...]
    from_ms: int
    to_ms: int

    def draw(self, width: int, height: int, look: Look) -> list[Line]:
        raise NotImplementedError
