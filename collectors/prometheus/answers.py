"""What a query answers: vectors and matrices with label sets that are shared between answers. Shapes only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Vector:
    """An instant vector: `labels[i]` has `values[i]` at `at_s`. Equal label sets are one object in all answers."""

    labels: tuple[Mapping[str, str], ...]  # cleaned; __name__ among them where the query kept it
    values: tuple[float, ...]  # NaN and infinities as they came
    at_s: float
    warnings: tuple[str, ...] = ()
    bytes: int = 0  # of the reply as it came over the wire
    took_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Matrix:
    """A range: `labels[i]` has `values[i][j]` at `times_s[i][j]`."""

    labels: tuple[Mapping[str, str], ...]
    times_s: tuple[Sequence[float], ...]
    values: tuple[Sequence[float], ...]
    warnings: tuple[str, ...] = ()
    bytes: int = 0
    took_s: float = 0.0


class PrometheusApi(Protocol):
    """What is asked of a server; `client.PrometheusClient` is one. All raise QueryError (`client.py`)."""

    @property
    def url(self) -> str:
        """The base URL, for words: without user or password."""
        ...

    async def instant(self, query: str, at_s: float | None = None) -> Vector:
        """POST /api/v1/query. A matrix selector (`x[5m]`) is asked with `samples`."""
        ...

    async def samples(self, query: str, at_s: float) -> Matrix:
        """POST /api/v1/query of a matrix selector: raw samples as they were scraped."""
        ...

    async def range(self, query: str, start_s: float, end_s: float, step_s: float) -> Matrix:
        """POST /api/v1/query_range."""
        ...

    async def label_values(
        self, label: str, matches: Sequence[str] = (), start_s: float | None = None, end_s: float | None = None
    ) -> tuple[str, ...]:
        """/api/v1/label/<label>/values."""
        ...

    async def scrape_interval_s(self, job_hint: str = "") -> float | None:
        """As its configuration tells (or the samples of `up` show); None where neither does."""
        ...

    async def close(self) -> None: ...
