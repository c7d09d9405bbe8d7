"""What is asked of a Prometheus about latencies: buckets added up over servers, by model and engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from collectors.prometheus.dialects import Dialects
from collectors.prometheus.expressions import Ask, either, restarted, steady_increment
from collectors.vocabularies.vocabulary import Series, Vocabulary, parts_of
from tokwatch.feeds.fleet.prometheus_servers import ENGINE, MODEL, label_matchers, model_labels, named

# Buckets are most of an engine's series. Intervals between tokens stand for the time per token of engines without it.
LATENCIES: Final = ("ttft", "tpot", "itl")
_INSTEAD: Final = {"itl": "tpot"}


@dataclass(frozen=True, slots=True)
class LatencyQuestions:
    """Figures by model and engine. Added up by the labels as they are and named then: there may be 100 000 buckets."""

    dialects: Dialects
    window_s: float
    interval_s: float

    def moved(self, kind: str) -> Iterator[Ask]:
        """Increments of the buckets and of the sum, of servers that ran through the window: enough for a quantile."""
        yield from self._asks(kind, "buckets", self._buckets, ",le")
        yield from self._asks(kind, "sum", self._sum)

    def layouts(self) -> Iterator[Ask]:
        """How many servers have each bucket: those of two versions may differ."""
        for kind in LATENCIES:
            yield from self._asks(kind, "layout", self._layout, ",le")

    def _asks(self, kind: str, figure: str, of: Callable[[str, str, str], str], le: str = "") -> Iterator[Ask]:
        for vocabulary in self.dialects.vocabularies:
            labels = ",".join(model_labels(vocabulary))
            texts = [
                f"sum by({MODEL},{ENGINE}{le}) ({named(vocabulary, of(*self._selectors(name, series), labels))})"
                for series in self._histograms(vocabulary, kind)
                for name in self.dialects.spellings(f"{series.name}_bucket")
            ]
            if texts:
                yield Ask(f"{kind} {figure}", either(texts))

    def _histograms(self, vocabulary: Vocabulary, kind: str) -> tuple[Series, ...]:
        """All that are on the server, the newest name first: each server has one of them."""
        if kind in _INSTEAD and self._histograms(vocabulary, _INSTEAD[kind]):
            return ()
        role = vocabulary.histograms.get(kind)
        found = (series for candidate in (role.candidates if role else ()) for series in parts_of(candidate))
        return tuple(series for series in found if self.dialects.spellings(f"{series.name}_bucket"))

    def _selectors(self, bucket: str, series: Series) -> tuple[str, str]:
        """Of the buckets, and of the sum."""
        matchers = label_matchers(series)
        total = bucket.removesuffix("_bucket") + "_sum"
        return self.dialects.series(bucket, *matchers), self.dialects.series(total, *matchers)

    def _buckets(self, bucket: str, total: str, labels: str) -> str:
        went = steady_increment(bucket, self.window_s)
        return f"sum by(le,{labels}) (({went}) unless ignoring(le) ({self._fell(total)}))"

    def _sum(self, bucket: str, total: str, labels: str) -> str:
        return f"sum by({labels}) (({steady_increment(total, self.window_s)}) unless ({self._fell(total)}))"

    def _layout(self, bucket: str, total: str, labels: str) -> str:
        return f"count by(le,{labels}) ({bucket})"

    def _fell(self, total: str) -> str:
        return restarted(total, self.window_s, self.interval_s)
