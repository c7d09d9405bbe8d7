"""How long things were watched within each quarter hour, by how many samples they have."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from collectors.prometheus.expressions import matches
from collectors.prometheus.scrape_interval import spacing_s
from tokwatch.feeds.prometheus_quarters import promql
from tokwatch.feeds.prometheus_quarters.asking import Asking, Labels, Point, Stretch
from tokwatch.feeds.prometheus_quarters.promql import Selector
from tokwatch.store.rollup import QUARTER_MS

Key = TypeVar("Key", bound=Hashable)


class Observed:
    """Finds out how often each job is scraped: by the samples of one of its series in one quarter hour."""

    def __init__(self, asking: Asking, stretch: Stretch) -> None:
        self._asking = asking
        self._stretch = stretch

    async def of(self, series: Selector, group: str, key: Callable[[Labels], Key | None]) -> dict[tuple[Key, int], int]:
        """Milliseconds by key and start of the quarter hour; a single missed sample is no gap.

        Several groups of one key follow one another: pods that had a GPU.
        """
        points = await self._asking.quarters(promql.samples(series, group), self._stretch)
        spacing_ms = await self._spacing_ms(series, points)
        found: dict[tuple[Key, int], int] = {}
        for labels, quarter_ms, count in points:
            thing = key(labels)
            if thing is not None:
                ms = round(count * spacing_ms[_job(labels)])
                found[thing, quarter_ms] = found.get((thing, quarter_ms), 0) + ms
                slack_ms = 1.5 * spacing_ms[_job(labels)]
                if found[thing, quarter_ms] >= QUARTER_MS - slack_ms:
                    found[thing, quarter_ms] = QUARTER_MS
        return found

    async def _spacing_ms(self, series: Selector, points: list[Point]) -> dict[str, float]:
        """By job: of the series that has most samples in a quarter hour."""
        best: dict[str, Point] = {}
        for point in points:
            known = best.setdefault(_job(point.labels), point)
            if point.value > known.value:
                best[_job(point.labels)] = point
        found: dict[str, float] = {}
        for job, point in best.items():
            one = Selector(series.name, (*series.matchers, *_of(point.labels)))
            samples = await self._asking.samples(promql.quarter_of_samples(one), point.quarter_ms + QUARTER_MS)
            spacing = spacing_s(samples)
            found[job] = QUARTER_MS / point.value if spacing is None else spacing * 1000
        return found


def _job(labels: Labels) -> str:
    return labels.get("job", "")


def _of(labels: Labels) -> list[str]:
    return [matches(name, (value,)) for name, value in labels.items() if name != "__name__"]
