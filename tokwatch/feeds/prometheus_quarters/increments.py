"""How far counters moved in each quarter hour: differences made by the server, and samples where those say nothing.

The sum over quarter hours is what the counter moved by, exactly: each begins with the sample that the one before it
ended with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from tokwatch.feeds.prometheus_quarters import promql
from tokwatch.feeds.prometheus_quarters.asking import Asking, Labels, Stretch
from tokwatch.feeds.prometheus_quarters.promql import Increments, Selector
from tokwatch.feeds.prometheus_quarters.telescoping import Increment, telescoped
from tokwatch.store.rollup import QUARTER_MS

_TARGETS_AT_ONCE: Final = 50  # read sample by sample: 60 a quarter hour and series

Key = TypeVar("Key", bound=Hashable)
KeyOf = Callable[[Labels], Key | None]  # of the labels that are left of a group, and of all labels; None: not wanted
Found = dict[tuple[Key, int], Increment]  # by key and start of the quarter hour
Sample = tuple[float, float]  # Unix seconds, value


async def of_series(asking: Asking, series: Selector, group: str, key: KeyOf[Key], stretch: Stretch) -> Found[Key]:
    """Counters that restart each by itself, added up by key; one that appears on a page that was read before began at
    zero."""
    query = promql.of_series(series, group)
    return await _Walk(asking, series, query, key, _whole, stretch, True).found()


async def of_thing(
    asking: Asking, series: Selector, group: str, key: KeyOf[Key], stretch: Stretch, *, births: bool = False
) -> Found[Key]:
    """One counter for each key, whatever labels it had.

    births: it begins at zero when it appears on a page that was read before; else nothing is known of that.
    """
    query = promql.of_thing(series, group)
    return await _Walk(asking, series, query, key, key, stretch, births).found()


@dataclass(slots=True)
class _Counter(Generic[Key]):
    """A counter that is read sample by sample."""

    key: Key
    labels: Labels
    samples: list[Sample] = field(default_factory=list)
    previous: float | None = None

    def moved(self, quarter_ms: int, *, from_zero: bool) -> Increment:
        before = [value for at_s, value in self.samples if at_s * 1000 <= quarter_ms]
        within = [value for at_s, value in self.samples if at_s * 1000 > quarter_ms]
        previous = before[-1] if before else self.previous
        return telescoped(previous, within, from_zero=from_zero and previous is None)


@dataclass(frozen=True, slots=True)
class _Walk(Generic[Key]):
    """One counter's name over one stretch."""

    asking: Asking
    series: Selector
    query: Increments
    key: KeyOf[Key]
    same: KeyOf[Hashable]  # what is one counter
    stretch: Stretch
    births: bool

    async def found(self) -> Found[Key]:
        found: Found[Key] = {}
        for labels, quarter_ms, value in await self.asking.quarters(self.query.regular, self.stretch):
            self._add(found, labels, quarter_ms, Increment(value))
        irregular = await self.asking.quarters(self.query.irregular, self.stretch)
        wanted: dict[int, dict[str, set[Hashable]]] = defaultdict(lambda: defaultdict(set))
        for labels, quarter_ms, _ in irregular:
            wanted[quarter_ms][labels.get("instance", "")].add(self.same(labels))
        for quarter_ms, by_target in sorted(wanted.items()):
            for targets in _chunks(sorted(by_target)):
                same = {each for target in targets for each in by_target[target]}
                await self._add_samples(found, quarter_ms, targets, same)
        return found

    def _add(self, found: Found[Key], labels: Labels, quarter_ms: int, increment: Increment) -> None:
        key = self.key(labels)
        if key is not None:
            before = found.get((key, quarter_ms))
            found[key, quarter_ms] = increment if before is None else before.plus(increment)

    async def _add_samples(
        self, found: Found[Key], quarter_ms: int, targets: Sequence[str], same: set[Hashable]
    ) -> None:
        some = self.series.of_targets(targets)
        counters = await self._read(some, quarter_ms, same)
        ups: dict[frozenset[tuple[str, str]], list[Sample]] = {}
        if self.births and any(counter.previous is None for counter in counters):
            up = Selector("up").of_targets(targets)
            ups = {_whole(labels): samples for labels, samples in await self._samples(up, quarter_ms)}
        for counter in counters:
            moved = counter.moved(quarter_ms, from_zero=_appeared(counter, ups))
            self._add(found, counter.labels, quarter_ms, moved)

    async def _read(self, some: Selector, quarter_ms: int, same: set[Hashable]) -> list[_Counter[Key]]:
        counters: dict[Hashable, _Counter[Key]] = {}
        for labels, samples in await self._samples(some, quarter_ms):
            counter, key = self.same(labels), self.key(labels)
            if counter in same and key is not None:
                counters.setdefault(counter, _Counter(key, labels)).samples += samples
        before = await self.asking.instant(promql.last_within_a_day(some), quarter_ms)
        for labels, value in zip(before.labels, before.values, strict=True):
            if (known := counters.get(self.same(labels))) is not None:
                known.previous = max(value, known.previous or 0.0)
        for counter_ in counters.values():
            counter_.samples.sort()
        return list(counters.values())

    async def _samples(self, some: Selector, quarter_ms: int) -> Iterator[tuple[Labels, list[Sample]]]:
        """Of a quarter hour and of the one before it."""
        answer = await self.asking.samples(promql.two_quarters_of_samples(some), quarter_ms + QUARTER_MS)
        series = zip(answer.labels, answer.times_s, answer.values, strict=True)
        return ((labels, list(zip(times_s, values, strict=True))) for labels, times_s, values in series)


def _whole(labels: Labels) -> frozenset[tuple[str, str]]:
    """A series as itself: VictoriaMetrics and Prometheus keep its name in different answers."""
    return frozenset(item for item in labels.items() if item[0] != "__name__")


def _appeared(counter: _Counter[Key], ups: Mapping[frozenset[tuple[str, str]], Sequence[Sample]]) -> bool:
    """Whether its target was read before, without it: by the `up` that was written together with its first sample.

    Not by any `up` of the target: a label that is new in the configuration makes every series appear anew.
    """
    labels, first_s = _whole(counter.labels), counter.samples[0][0]
    return any(
        told <= labels
        and any(at_s == first_s for at_s, _ in samples)
        and any(at_s < first_s and value == 1 for at_s, value in samples)
        for told, samples in ups.items()
    )


def _chunks(targets: Sequence[str]) -> Iterable[Sequence[str]]:
    return (targets[first : first + _TARGETS_AT_ONCE] for first in range(0, len(targets), _TARGETS_AT_ONCE))
