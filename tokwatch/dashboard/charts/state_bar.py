"""State bar: a row of states over time, as a part of the Line that it stands in; calm is thin, waste is thick."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from tokwatch.dashboard import glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.ledger.snapshot import StateSpan


def longest_states(spans: Iterable[StateSpan], from_ms: int, to_ms: int, cells: int) -> list[str]:
    """The state that holds longest in each of `cells` equal parts of (from_ms, to_ms]; "" where nobody watched.

    Nothing where there is no time to show.
    """
    length_ms = to_ms - from_ms
    if cells <= 0 or length_ms <= 0:
        return []
    edges = [from_ms + cell * length_ms // cells for cell in range(cells + 1)]
    held: list[dict[str, int]] = [{} for _ in range(cells)]
    for span in spans:
        first = max(0, (span.from_ms - from_ms) * cells // length_ms)
        last = min(cells - 1, (span.to_ms - from_ms) * cells // length_ms)
        for cell in range(first, last + 1):
            # No min and max: a screen asks this for a thousand cells at every tick.
            begin_ms = edges[cell] if edges[cell] > span.from_ms else span.from_ms
            end_ms = edges[cell + 1] if edges[cell + 1] < span.to_ms else span.to_ms
            if end_ms > begin_ms:
                held[cell][span.state] = held[cell].get(span.state, 0) + end_ms - begin_ms
    return [max(states, key=states.__getitem__) if states else "" for states in held]


def put_states(line: Line, x: int, states: Sequence[str], role: str | None = None) -> None:
    """A cell for each state, from column `x`; runs of one state are written together. role: instead of their own."""
    for state, run in groupby(states):
        look = glyphs.look_of_state(state) if state else None
        length = len(list(run))
        own = look.mark_role if look else "faint"
        mark = look.mark_in(colourless=line.colourless) if look else glyphs.UNWATCHED
        line.put(x, mark * length, role or own)
        x += length
