"""Asks a Prometheus a few queries at once, and keeps count of what they cost and of those that failed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from collectors.prometheus.answers import Matrix, PrometheusApi, Vector
from collectors.prometheus.query_error import QueryError
from tokwatch.feeds.fleet.prometheus_figures import Figures
from tokwatch.feeds.fleet.prometheus_queries import Group
from tokwatch.ledger.fleet.tally import FetchCost

AT_ONCE: Final = 3


@dataclass(slots=True)
class Asking:
    """One look at the fleet. All methods but `groups` raise QueryError."""

    api: PrometheusApi
    queries: int = 0
    bytes: int = 0
    warnings: list[str] = field(default_factory=list)
    failures: dict[str, QueryError] = field(default_factory=dict)  # by name of the group
    _begun_s: float = field(default_factory=time.monotonic)
    _cpu_s: float = field(default_factory=time.process_time)
    _free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    @property
    def cost(self) -> FetchCost:
        """So far. CPU is the whole process'."""
        return FetchCost(
            queries=self.queries,
            bytes=self.bytes,
            took_ms=round((time.monotonic() - self._begun_s) * 1000),
            cpu_ms=round((time.process_time() - self._cpu_s) * 1000),
        )

    async def instant(self, query: str, at_s: float | None) -> Vector:
        async with self._free:
            answer = await self.api.instant(query, at_s)
        self._count(answer)
        return answer

    async def range(self, query: str, start_s: float, end_s: float, step_s: float) -> Matrix:
        async with self._free:
            answer = await self.api.range(query, start_s, end_s, step_s)
        self._count(answer)
        return answer

    async def label_values(
        self, label: str, matches: Sequence[str], start_s: float | None = None, end_s: float | None = None
    ) -> tuple[str, ...]:
        async with self._free:
            self.queries += 1
            return await self.api.label_values(label, matches, start_s, end_s)

    async def groups(self, groups: Iterable[Group], at_s: float) -> dict[str, Figures]:
        """What was answered by group; those that failed are in `failures`."""
        asked = list(groups)
        answers = await asyncio.gather(*(self._group(group, at_s) for group in asked))
        return {group.name: found for group, found in zip(asked, answers, strict=True) if found is not None}

    async def _group(self, group: Group, at_s: float) -> Figures | None:
        found = Figures()
        for query in group.queries:
            try:
                found.add(await self.instant(query, at_s))
            except QueryError as error:
                self.failures[group.name] = error
                return None
        return found

    def _count(self, answer: Vector | Matrix) -> None:
        self.queries += 1
        self.bytes += answer.bytes
        self.warnings += [warning for warning in answer.warnings if warning not in self.warnings]
