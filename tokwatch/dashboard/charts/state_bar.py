"""State bar: one row of states over time; calm is thin, waste is thick."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from tokwatch.dashboard import glyphs
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
        lines = [Line(width, look) for _ in range(height)]
        if lines and width > 0 and self.to_ms > self.from_ms:
            put_states(lines[0], 0, longest_states(self.spans, self.from_ms, self.to_ms, width))
        return lines


def longest_states(spans: Iterable[StateSpan], from_ms: int, to_ms: int, cells: int) -> list[str]:
    """The state that holds longest in each of `cells` equal parts of (from_ms, to_ms]; "" where nobody watched."""
    length_ms = to_ms - from_ms
    longest = [""] * cells
    held: dict[int, dict[str, int]] = {}  # of the cells that a span begins or ends in: it fills those between
    for span in spans:
        first = max(0, (span.from_ms - from_ms) * cells // length_ms)
        last = min(cells - 1, (span.to_ms - from_ms) * cells // length_ms)
        if last < first:
            continue
        if last > first:
            longest[first + 1 : last] = [span.state] * (last - first - 1)
        for cell in {first, last}:
            begin_ms = from_ms + cell * length_ms // cells
            end_ms = from_ms + (cell + 1) * length_ms // cells
            overlap_ms = min(span.to_ms, end_ms) - max(span.from_ms, begin_ms)
            if overlap_ms > 0:
                states = held.setdefault(cell, {})
                states[span.state] = states.get(span.state, 0) + overlap_ms
    for cell, states in held.items():
        longest[cell] = max(states, key=states.__getitem__)
    return longest


def put_states(line: Line, x: int, states: Sequence[str], role: str | None = None) -> None:
    """A cell for each state, from column `x`; runs of one state are written together. role: instead of their own."""
    for state, run in groupby(states):
        look = glyphs.look_of_state(state) if state else None
        length = len(list(run))
        own = look.mark_role if look else "faint"
        line.put(x, (look.mark if look else glyphs.UNWATCHED) * length, role or own)
        x += length
