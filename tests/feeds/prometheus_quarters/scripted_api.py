"""A PrometheusApi that holds samples and answers the differences it is given: it knows no PromQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from collectors.prometheus.answers import Matrix, Vector
from collectors.prometheus.query_error import QueryError
from collectors.scrape_error import Failure

Labels = Mapping[str, str]
Points = Sequence[tuple[float, float]]  # (seconds, value)


@dataclass
class ScriptedApi:
    """`ranges`: answers of range queries by their text; else nothing is found. `series`: what a name has of samples;
    selectors of targets are obeyed, other matchers are not."""

    ranges: Mapping[str, Sequence[tuple[Labels, Points]]] = field(default_factory=dict)
    series: Mapping[str, Sequence[tuple[Labels, Points]]] = field(default_factory=dict)
    busy: int = 0  # so many queries are put off first
    warnings: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return "http://scripted"

    async def instant(self, query: str, at_s: float | None = None) -> Vector:
        """The last sample before."""
        self._ask(query)
        until_s = at_s or 0.0
        found = [(labels, [value for at, value in points if at <= until_s]) for labels, points in self._of(query)]
        known = [(labels, values[-1]) for labels, values in found if values]
        labels, values = zip(*known, strict=True) if known else ((), ())
        return Vector(tuple(labels), tuple(values), until_s, self.warnings, bytes=100)

    async def samples(self, query: str, at_s: float) -> Matrix:
        """All up to then."""
        self._ask(query)
        return self._matrix(
            [(labels, [each for each in points if each[0] <= at_s]) for labels, points in self._of(query)]
        )

    async def range(self, query: str, start_s: float, end_s: float, step_s: float) -> Matrix:
        self._ask(query)
        return self._matrix(self.ranges.get(query, ()))

    async def label_values(
        self, label: str, matches: Sequence[str] = (), start_s: float | None = None, end_s: float | None = None
    ) -> tuple[str, ...]:
        self._ask(label)
        return ()

    async def scrape_interval_s(self, job_hint: str = "") -> float | None:
        return None

    async def close(self) -> None: ...

    def _ask(self, query: str) -> None:
        self.asked.append(query)
        if self.busy:
            self.busy -= 1
            raise QueryError("scripted is too busy", Failure.REFUSED, retry_in_s=2.0)

    def _of(self, query: str) -> list[tuple[Labels, Points]]:
        of_name = [
            found for name, all_ in self.series.items() if f"{name}{{" in query or f"{name}[" in query for found in all_
        ]
        return [(labels, points) for labels, points in of_name if labels.get("instance", "") in query]

    def _matrix(self, found: Sequence[tuple[Labels, Points]]) -> Matrix:
        return Matrix(
            tuple(labels for labels, _ in found),
            tuple(tuple(at_s for at_s, _ in points) for _, points in found),
            tuple(tuple(value for _, value in points) for _, points in found),
            self.warnings,
            bytes=1000,
        )
