"""Stacked: parts of a whole over time as filled columns, with real ticks and times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.theme import Look


@dataclass(frozen=True, slots=True)
class Layer:
    """One part; its values are per bucket, None where nothing is known."""

    name: str
    role: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Stacked:
    """Layers from the bottom up; bucket i is (from_ms + i × step_ms, + step_ms].

    A cell holds two colours: where three layers meet in one cell the larger wins and the top edge stays true. Buckets
    of which any layer is unknown are drawn as far as is known, with "·" above when the whole is not.
    """

    layers: tuple[Layer, ...]
    from_ms: int
    step_ms: int
    write: Callable[[float], str]
    utc_offset_s: int = 0
    end: str = "now"
    label_width: int = 6

    def draw(self, width: int, height: int, look: Look) -> list[Line]:
        """Plot, and a last row with the times."""
        raise NotImplementedError
