"""What reading a metrics page costs: prometheus-client's parser, tokwatch's strict parser, and its learnt layout.

Run it from a checkout with the dev extra installed:

    python bench/parsing.py [--rounds 15]

Pages are the tests' own. All three must give equal values before anything is timed; then they take turns, round by
round on one core, so that all see the same machine. Medians are printed, and the median of each round's ratio.

prometheus-client  text_string_to_metric_families, every sample made; it cannot leave out what is not wanted
strict             collectors.exposition.parse: the first page of a server, and every one that its layout does not fit
layout             collectors.page_layout.PageLayout.read: all the others
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from real_pages import PAGES, four_engines, vllm_under_load

from collectors.exposition import ExpositionError, SeriesLabels, names_on, parse
from collectors.page_layout import PageLayout
from collectors.vocabularies import recognise

BATCH_S = 0.005  # one turn of one reader: long enough for the clock, short enough that the machine stays the same


@dataclass(frozen=True, slots=True)
class Subject:
    """Pages of one server, and what is wanted of them."""

    name: str
    pages: list[bytes]
    wanted: frozenset[str]


def subjects() -> Iterator[Subject]:
    """vLLM under load as the series has it, and the largest page of each engine."""
    vllm = vllm_under_load()
    yield _subject("vLLM 0.32 under load", vllm)
    yield _subject("the same, 4 engines", list(map(four_engines, vllm)))
    largest: dict[str, Path] = {}
    for path in sorted(PAGES.rglob("*.prom"), key=lambda path: path.stat().st_size):
        try:
            vocabulary = recognise(names_on(path.read_bytes()))
        except ExpositionError:
            continue  # a page of the kind that is refused
        if vocabulary is not None:
            largest[vocabulary.engine] = path
    for path in largest.values():
        yield _subject(path.stem, [path.read_bytes()])


def _subject(name: str, pages: list[bytes]) -> Subject:
    vocabulary = recognise(names_on(pages[0]))
    assert vocabulary is not None
    return Subject(name, pages, vocabulary.wanted)


def reference(page: bytes) -> list[Sample]:
    return [sample for family in text_string_to_metric_families(page.decode()) for sample in family.samples]


def check(subject: Subject, layout: PageLayout) -> None:
    """Equal values by all three, or the end."""
    for page in subject.pages:
        metrics = parse(page, subject.wanted)
        values = layout.read(page)
        theirs: dict[tuple[str, frozenset[tuple[str, str]]], float] = {
            (sample.name, frozenset(sample.labels.items())): sample.value for sample in reference(page)
        }
        assert values is not None, f"{subject.name}: its layout does not fit its next page"
        for series, strict, learnt in zip(metrics.series, metrics.values, values, strict=True):
            expected = _theirs(theirs, series)
            assert strict == learnt == expected or all(map(math.isnan, (strict, learnt, expected))), series


def _theirs(theirs: dict[tuple[str, frozenset[tuple[str, str]]], float], series: SeriesLabels) -> float:
    """By prometheus-client, which adds `_total` to the samples of counters that lack it."""
    labels = frozenset(series.labels.items())
    return theirs[(series.name, labels) if (series.name, labels) in theirs else (f"{series.name}_total", labels)]


def time_us(read: Callable[[bytes], object], pages: Iterator[bytes]) -> float:
    """Microseconds of CPU a page, over at least BATCH_S of it."""
    count, started = 0, time.process_time()
    while (elapsed := time.process_time() - started) < BATCH_S or not count:
        for _ in range(8 if count else 1):
            read(next(pages))
        count += 8 if count else 1
    return elapsed / count * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(f"{'page':<42}{'bytes':>8}{'wanted':>8}{'prometheus-client':>19}{'strict':>10}{'layout':>10}{'ratio':>8}")
    for subject in subjects():
        metrics = parse(subject.pages[0], subject.wanted)
        layout = PageLayout.learn(subject.pages[0], metrics)
        assert layout is not None, f"{subject.name}: cannot be learnt"
        check(subject, layout)
        pages = itertools.cycle(subject.pages)

        def strict(page: bytes, wanted: frozenset[str] = subject.wanted) -> object:
            return parse(page, wanted)

        readers: tuple[Callable[[bytes], object], ...] = (reference, strict, layout.read)
        times: dict[int, list[float]] = defaultdict(list)
        for _ in range(rounds):
            for number, read in enumerate(readers):
                times[number].append(time_us(read, pages))
        theirs, stricts, layouts = (statistics.median(times[number]) for number in range(3))
        ratio = statistics.median(left / right for left, right in zip(times[0], times[2], strict=True))
        size, wanted = len(subject.pages[0]), len(metrics.series)
        print(
            f"{subject.name:<42}{size:>8}{wanted:>8}{theirs:>16.0f} µs{stricts:>7.0f} µs{layouts:>7.1f} µs{ratio:>8.0f}"
        )


if __name__ == "__main__":
    main()
