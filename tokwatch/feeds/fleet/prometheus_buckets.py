"""What is asked of a Prometheus about latencies: buckets added up over servers, by model and engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from collectors.prometheus.dialects import AGENT, AGENT_LATENCIES, Dialects
from collectors.prometheus.expressions import Ask, either, matches, restarted, steady_increment
from collectors.prometheus.identity import HOST, HostIdentity
from collectors.vocabularies.vocabulary import Series, Vocabulary, parts_of
from tokwatch.feeds.fleet.prometheus_servers import ENGINE, MODEL, label_matchers, model_labels, named

# Buckets are most of an engine's series. Intervals between tokens stand for the time per token of engines without it.
LATENCIES: Final = ("ttft", "tpot", "itl")
_INSTEAD: Final = {"itl": "tpot"}


@dataclass(frozen=True, slots=True)
class LatencyQuestions:
    """Figures by model and engine. Added up by the labels as they are and named then: there may be 100 000 buckets.

    What a host's agent tells is asked of no other there. Only where a server has both must the engines' series be named
    by host, which takes 15 µs each.
    """

    dialects: Dialects
    identity: HostIdentity
    window_s: float
    interval_s: float

    def moved(self, kind: str) -> Iterator[Ask]:
        """Increments of the buckets and of the sum, of servers that ran through the window: enough for a quantile."""
        yield from self._asks(kind, "buckets", "sum", self._went, ",le")
        yield from self._asks(kind, "sum", "sum", self._summed)

    def layouts(self) -> Iterator[Ask]:
        """How many servers have each bucket: those of two versions may differ."""
        for kind in LATENCIES:
            yield from self._asks(kind, "layout", "count", lambda bucket, total: bucket, ",le")

    def _asks(self, kind: str, figure: str, sums: str, of: Callable[[str, str], str], le: str = "") -> Iterator[Ask]:
        """sums: "sum" or "count". of: selectors of the buckets and of the sum → what is added up."""
        told = self._of_agents(kind)
        for vocabulary in self.dialects.vocabularies:
            is_agent = vocabulary.engine == AGENT
            labels = ",".join((*model_labels(vocabulary), *(["engine"] if is_agent else [])))
            texts = []
            for series in self._histograms(vocabulary, kind):
                for name in self.dialects.spellings(f"{series.name}_bucket"):
                    text = of(*self._selectors(name, series))
                    if told and not is_agent:
                        text = f"{self.identity.hosted(text)} unless on({HOST}) ({told})"
                    added = named(vocabulary, f"{sums} by({labels}{le}) ({text})")
                    texts.append(f"sum by({MODEL},{ENGINE}{le}) ({added})")
            if texts:
                yield Ask(f"{kind} {figure}", either(texts))

    def _of_agents(self, kind: str) -> str:
        """Hosts whose agents tell it; "" where none does."""
        name = f"{AGENT_LATENCIES[kind]}_bucket"
        if name not in self.dialects.names:
            return ""
        whole = self.dialects.series(name, matches("le", ["+Inf"]))
        return f"count by({HOST}) ({self.identity.hosted(whole)})"

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

    def _went(self, bucket: str, total: str) -> str:
        return f"({steady_increment(bucket, self.window_s)}) unless ignoring(le) ({self._fell(total)})"

    def _summed(self, bucket: str, total: str) -> str:
        return f"({steady_increment(total, self.window_s)}) unless ({self._fell(total)})"

    def _fell(self, total: str) -> str:
        return restarted(total, self.window_s, self.interval_s)
