"""What was answered, figure by figure: the series of several queries, told apart by their label FIGURE."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

from collectors.prometheus.answers import Vector
from collectors.prometheus.expressions import FIGURE
from collectors.prometheus.identity import HOST

NO_HOST: Final = "(no host)"  # series without any label that names one


class Figures:
    """Series by figure. A number that is none (NaN, infinite) is not kept."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[Mapping[str, str], float]]] = {}

    def add(self, answer: Vector) -> None:
        for labels, value in zip(answer.labels, answer.values, strict=True):
            if math.isfinite(value):
                self._rows.setdefault(labels.get(FIGURE, ""), []).append((labels, value))

    def update(self, other: Figures) -> None:
        """Also what `other` has."""
        for figure, rows in other._rows.items():
            self._rows.setdefault(figure, []).extend(rows)

    def rows(self, figure: str) -> Iterator[tuple[Mapping[str, str], float]]:
        return iter(self._rows.get(figure, ()))

    def by_host(self, figure: str) -> dict[str, float]:
        return {labels.get(HOST, NO_HOST): value for labels, value in self._rows.get(figure, ())}
