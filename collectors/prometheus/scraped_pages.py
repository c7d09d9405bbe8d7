"""Samples as a server scraped them → the pages they came from: one target's samples of one instant, its own labels."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from collectors.exposition import Metrics, SeriesLabels
from collectors.prometheus.answers import Matrix

UP = "up"
_MOST_SERIES = 100_000  # whose place is remembered
_EXPORTED = "exported_"  # before a page's label that clashes with one of the server's

Labels = Mapping[str, str]
_Rows = list[tuple[SeriesLabels, Sequence[float], Sequence[float]]]  # (series, times s, values)


@dataclass(frozen=True, slots=True)
class Target:
    """One page that a server scrapes, by the labels it gives to all samples of it."""

    labels: tuple[tuple[str, str], ...]  # sorted; job and instance among them
    server: str = ""  # where it is what an agent tells of one server: that server's address …
    engine: str = ""  # … and engine

    def label(self, name: str) -> str:
        return next((value for label, value in self.labels if label == name), "")

    @property
    def address(self) -> str:
        return self.server or self.scraped_at

    @property
    def scraped_at(self) -> str:
        return self.label("instance") or self.label("job") or "(no instance)"

    @property
    def pod(self) -> str:
        """As ServerFacts.pod; an agent's own pod is not its servers'."""
        if self.server:
            return ""
        namespace = self.label("namespace") or self.label("kubernetes_namespace")
        pod = self.label("pod") or self.label("kubernetes_pod_name")
        return f"{namespace}/{pod}" if namespace and pod else pod


@dataclass(frozen=True, slots=True)
class ScrapedPage:
    """What came of one scrape: the series that were asked for, with the labels that stood on the page."""

    target: Target
    at_ms: int  # of the scrape, by the server's clock
    up: bool  # the server could read the page
    metrics: Metrics


class PageMaker:
    """Makes pages of answers that follow each other in time; a page is made once, however often it is answered.

    The samples of `up` tell when a target was scraped and what the server adds to its labels. Where there is none
    (blocks that were made from files), any sample's time is a scrape.
    """

    def __init__(self) -> None:
        self._made_ms: dict[Target, int] = {}  # the newest page of each
        self._ups: dict[tuple[str, str], list[Target]] = defaultdict(list)  # by job and instance
        self._series: dict[int, tuple[Labels, Target, SeriesLabels]] = {}  # by identity of a label set, which is kept

    def pages(self, samples: Matrix, ups: Matrix) -> list[ScrapedPage]:
        """All pages that were not made before, oldest first. `ups`: the samples of `up` of the same targets."""
        scrapes: dict[Target, tuple[Sequence[float], Sequence[float]]] = {}
        for labels, times_s, values in zip(ups.labels, ups.times_s, ups.values, strict=True):
            scrapes[self._scraped(labels)] = (times_s, values)
        rows: dict[Target, _Rows] = {target: [] for target in scrapes}
        for labels, times_s, values in zip(samples.labels, samples.times_s, samples.values, strict=True):
            target, series = self._place(labels)
            rows.setdefault(target, []).append((series, times_s, values))
        pages = [page for target in rows for page in self._of_target(target, rows[target], scrapes.get(target))]
        return sorted(pages, key=lambda page: (page.at_ms, page.target.labels))

    # --- whose ------------------------------------------------------------------------------------------------------

    def _scraped(self, up: Labels) -> Target:
        target = Target(tuple(sorted((name, value) for name, value in up.items() if name != "__name__")))
        known = self._ups[_job_and_instance(up)]
        if target not in known:
            known.append(target)
            self._series.clear()  # a series may be of this one
        return target

    def _place(self, labels: Labels) -> tuple[Target, SeriesLabels]:
        found = self._series.get(id(labels))
        if found is None:
            target = self._target_of(labels)
            series = SeriesLabels(labels.get("__name__", ""), _on_page(labels, dict(target.labels)))
            if len(self._series) >= _MOST_SERIES:
                self._series.clear()
            found = self._series[id(labels)] = (labels, target, series)
        return found[1], found[2]

    def _target_of(self, labels: Labels) -> Target:
        ups = self._ups.get(_job_and_instance(labels))
        if not ups:
            return Target(tuple((name, labels[name]) for name in ("instance", "job") if name in labels))
        # Two Prometheus servers of which each scrapes all give samples a label of their own.
        return max(ups, key=lambda up: sum(labels.get(name) == value for name, value in up.labels))

    # --- when -------------------------------------------------------------------------------------------------------

    def _of_target(
        self, target: Target, rows: _Rows, scrapes: tuple[Sequence[float], Sequence[float]] | None
    ) -> Iterator[ScrapedPage]:
        rows.sort(key=_page_order)
        times_s = scrapes[0] if scrapes else sorted({time_s for _, times_s, _ in rows for time_s in times_s})
        ups = scrapes[1] if scrapes else [1.0] * len(times_s)
        series = tuple(series for series, _, _ in rows)
        columns = [_column(times_s, *row[1:]) for row in rows]
        by_time: Iterable[tuple[float | None, ...]] = zip(*columns, strict=True) if columns else [()] * len(times_s)
        whole = _metrics(series, ())
        for time_s, up, values in zip(times_s, ups, by_time, strict=True):
            at_ms = round(time_s * 1000)
            if at_ms <= self._made_ms.get(target, -1):
                continue
            self._made_ms[target] = at_ms
            # Most pages have all series, and share them.
            metrics = replace(whole, values=values) if _has_all(values) else _present(series, values)
            yield ScrapedPage(target, at_ms, up > 0, metrics)


def _job_and_instance(labels: Labels) -> tuple[str, str]:
    return labels.get("job", ""), labels.get("instance", "")


def _on_page(labels: Labels, of_server: Labels) -> dict[str, str]:
    """A sample's labels as they stood on the page."""
    on_page = {}
    for name, value in labels.items():
        bare = name.removeprefix(_EXPORTED)
        if name == "__name__" or of_server.get(name) == value:
            continue
        on_page[bare if bare in of_server else name] = value
    return on_page


def _page_order(row: tuple[SeriesLabels, Sequence[float], Sequence[float]]) -> tuple[str, list[tuple[str, str]], float]:
    """By name and labels, buckets by their edges: a plan reads buckets that stand in a row faster."""
    labels = row[0].labels
    rest = sorted(item for item in labels.items() if item[0] != "le")
    try:
        return row[0].name, rest, float(labels.get("le", "0"))
    except ValueError:
        return row[0].name, rest, math.inf


def _column(
    times_s: Sequence[float], own_s: Sequence[float], values: Sequence[float]
) -> Sequence[float] | Sequence[float | None]:
    """One series' value at each scrape; None where it was not on the page. A sample with a time of the exporter's own
    belongs to the scrape that brought it, the first one after."""
    if own_s == times_s:
        return values
    column: list[float | None] = [None] * len(times_s)
    for time_s, value in zip(own_s, values, strict=True):
        place = bisect_left(times_s, time_s)
        if place < len(column):
            column[place] = value
    return column


def _has_all(values: tuple[float | None, ...]) -> TypeGuard[tuple[float, ...]]:
    return None not in values


def _present(series: Sequence[SeriesLabels], values: Sequence[float | None]) -> Metrics:
    kept = [(one, value) for one, value in zip(series, values, strict=True) if value is not None]
    return _metrics(tuple(one for one, _ in kept), tuple(value for _, value in kept))


def _metrics(series: tuple[SeriesLabels, ...], values: tuple[float, ...]) -> Metrics:
    return Metrics(series, values, tuple(range(len(series))), frozenset(one.name for one in series))
