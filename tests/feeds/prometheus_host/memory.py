"""A Prometheus in memory that knows one host by its instance: scrapes that a test lists, answered for any time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from collectors.prometheus.answers import Matrix, Vector
from collectors.prometheus.query_error import QueryError
from collectors.scrape_error import Failure
from tests.scraped import Sample, Scrape, answers, samples

_RANGE = re.compile(r".*\[(\d+)ms\]")


@dataclass
class MemoryPrometheus:
    """A PrometheusApi."""

    scrapes: list[Scrape] = field(default_factory=list)
    now_s: float = 0.0
    interval_s: float | None = None
    failure: str = ""  # why it does not answer
    warnings: tuple[str, ...] = ()
    most_samples: int | None = None  # of one answer
    asked: list[tuple[float, float]] = field(default_factory=list)  # (from, until] of every query for samples
    closed: bool = False
    url: str = "http://prom:9090"
    _samples: list[Sample] = field(default_factory=list)
    _worked_out: int = 0

    async def instant(self, query: str, at_s: float | None = None) -> Vector:
        assert query == "time()"
        self._answer()
        return Vector(({},), (self.now_s,), self.now_s)

    async def samples(self, query: str, at_s: float) -> Matrix:
        self._answer()
        found = _RANGE.fullmatch(query)
        assert found is not None
        from_s = at_s - int(found[1]) / 1000
        self.asked.append((from_s, at_s))
        everything, ups = answers(sample for sample in self._told() if from_s < sample[1] <= at_s)
        answer = ups if query.startswith("up{") else everything
        if self.most_samples is not None and sum(map(len, answer.values)) > self.most_samples:
            raise QueryError("more than 64 MiB", Failure.TOO_LARGE)
        return Matrix(answer.labels, answer.times_s, answer.values, self.warnings, bytes=1)

    async def range(self, query: str, start_s: float, end_s: float, step_s: float) -> Matrix:
        raise AssertionError("a host is read by its raw samples")

    async def label_values(
        self, label: str, matches: Sequence[str] = (), start_s: float | None = None, end_s: float | None = None
    ) -> tuple[str, ...]:
        self._answer()
        if label == "instance":
            return tuple(sorted({scrape.target["instance"] for scrape in self.scrapes}))
        if label != "__name__" or not matches[0].startswith("{instance=~"):
            return ()
        host = matches[0].removeprefix('{instance=~"').partition("(")[0].replace("\\\\", "")
        told = (sample for sample in self._told() if (start_s or 0) <= sample[1] <= (end_s or 1e12))
        return tuple(
            sorted({dict(labels)["__name__"] for labels, _, _ in told if dict(labels)["instance"].startswith(host)})
        )

    async def scrape_interval_s(self, job_hint: str = "") -> float | None:
        return self.interval_s

    async def close(self) -> None:
        self.closed = True

    def _told(self) -> list[Sample]:
        """Worked out again only when a scrape was added."""
        if self._worked_out != len(self.scrapes):
            self._samples, self._worked_out = list(samples(self.scrapes)), len(self.scrapes)
        return self._samples

    def _answer(self) -> None:
        if self.failure:
            raise QueryError(self.failure, Failure.UNREACHABLE)
