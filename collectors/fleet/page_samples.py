"""One endpoint's pages, one after another, as samples: by learnt columns where they tell what the strict readers do."""

from __future__ import annotations

import random
from operator import add, le
from typing import Final

from collectors.exposition import ExpositionError, Lines, Metrics, parse_lines, split
from collectors.fleet.agent_columns import AGENT, NAMES, agent_columns
from collectors.fleet.columns import Columns, Values
from collectors.fleet.engine_columns import engine_columns, engine_sample
from collectors.fleet.meter_columns import gpu_sample, meter_columns
from collectors.fleet.samples import PageAbout, PageSample
from collectors.labels import clean_label
from collectors.meters import METERS
from collectors.meters.reader import meter_names, read_meters
from collectors.page_layout import PageLayout
from collectors.readings import ServerFacts
from collectors.vocabularies import recognise
from collectors.vocabularies.plan import plan_of
from collectors.vocabularies.reader import read
from collectors.vocabularies.vocabulary import Vocabulary

# A layout sees every change of names by itself; this bounds the cost of a mistake in it. Learning a page takes 3 to 5
# ms: each minute, as for one box, that would be a tenth of a core at 2000 hosts. It is the longest; a share of it is
# left to chance: pages that were first learnt in one minute would else take half a core each time, all in one minute.
RELEARN_NS: Final = 600_000_000_000
_NAN: Final = float("nan")


class PageValues:
    """One page, read and found to be as learnt: its numbers, which become a sample when somebody looks at them."""

    __slots__ = ("_columns", "_counters", "_sample", "_values")

    def __init__(self, columns: Columns | None, values: Values, sample: PageSample | None = None) -> None:
        """columns None: the page was read strictly, and `sample` is what came of it."""
        self._columns, self._values, self._sample = columns, values, sample
        self._counters: tuple[float, ...] = () if columns is None else columns.stands(values)

    def sample(self) -> PageSample:
        if self._sample is None:
            assert self._columns is not None
            self._sample = self._columns.sample(self._values)
        return self._sample

    def goes_on_from(self, earlier: PageValues) -> bool:
        """Whether an earlier page can be left unlooked at: the same series, and no counter fell or vanished since."""
        same = self._columns is not None and self._columns is earlier._columns
        return same and all(map(le, earlier._counters, self._counters))


class PageSamples:
    """Reads the pages of one endpoint. `about` of its samples is mostly one object while labels stay as they are."""

    def __init__(self, address: str) -> None:
        """address: host:port, which a server on it is known by."""
        self._address = address
        self._layout: PageLayout | None = None
        self._columns: Columns | None = None
        self._learn_again_ns = 0

    def read(self, page: bytes, at_ns: int) -> PageValues:
        """What the page holds. Raises ExpositionError on a page of no metrics, or of none that is known."""
        layout, columns = self._layout, self._columns
        if layout is not None and columns is not None and at_ns < self._learn_again_ns:
            values = layout.read(page)
            if values is not None:
                values.append(_NAN)
                return PageValues(columns, values)
        return PageValues(None, (), self._learn(page, at_ns))

    def _learn(self, page: bytes, at_ns: int) -> PageSample:
        self._layout = self._columns = None
        lines = split(page)
        if AGENT.page_names(lines.names):
            sample = self._learn_agent(page, lines)
        elif (vocabulary := recognise(lines.names)) is not None:
            sample = self._learn_engine(page, lines, vocabulary, at_ns)
        elif names := meter_names(lines.names):
            sample = self._learn_meter(page, lines, names, at_ns)
        else:
            some = clean_label(", ".join(sorted(lines.names)[:3]), 120) or "no series"
            raise ExpositionError(f"a metrics page of nothing that tokwatch knows (it has {some})")
        self._learn_again_ns = at_ns + round(RELEARN_NS * random.uniform(0.5, 1.0))
        return sample

    def _learn_agent(self, page: bytes, lines: Lines) -> PageSample:
        metrics = parse_lines(lines, NAMES)
        columns = agent_columns(metrics)
        if columns is None:
            raise ExpositionError("a tokwatch agent's page that tells the same twice")
        self._keep(page, metrics, columns)
        return columns.sample((*metrics.values, _NAN))

    def _learn_engine(self, page: bytes, lines: Lines, vocabulary: Vocabulary, at_ns: int) -> PageSample:
        wide = parse_lines(lines, vocabulary.wanted)
        plan = plan_of(vocabulary, wide)
        strict = engine_sample(read(plan, wide.values, ServerFacts(self._address, vocabulary.engine), at_ns))
        columns = engine_columns(plan, self._address)
        if columns is None:
            return strict
        metrics = parse_lines(lines, columns.names)
        narrow = engine_columns(plan_of(vocabulary, metrics, together=plan.together), self._address)
        return self._agreed(page, metrics, narrow, strict)

    def _learn_meter(self, page: bytes, lines: Lines, names: frozenset[str], at_ns: int) -> PageSample:
        wide = parse_lines(lines, names)
        told = read_meters(wide, at_ns, origin=self._address, host="")
        about = PageAbout(" and ".join(told.meters), gpus=tuple(gpu.facts for gpu in told.gpus))
        strict = PageSample(about, tuple(map(gpu_sample, told.gpus)), (), ())
        of_gpus = [meter for meter in METERS if meter.page_names(lines.names)]
        if len(of_gpus) != 1 or (columns := meter_columns(of_gpus[0], wide, told.gpus)) is None:
            return strict
        metrics = parse_lines(lines, columns.names)
        return self._agreed(page, metrics, meter_columns(of_gpus[0], metrics, told.gpus), strict)

    def _agreed(self, page: bytes, metrics: Metrics, columns: Columns | None, strict: PageSample) -> PageSample:
        """The sample by columns, which are kept, where they tell what the strict reader does; else the strict one."""
        if columns is None:
            return strict
        values: Values = (*metrics.values, _NAN)
        sample = columns.sample(values)
        if sample.gpus != strict.gpus or sample.servers != strict.servers or _sums(sample) != _sums(strict):
            return strict
        if _observed(sample) != _observed(strict):
            return strict
        self._keep(page, metrics, columns)
        return sample

    def _keep(self, page: bytes, metrics: Metrics, columns: Columns) -> None:
        layout = PageLayout.learn(page, metrics)
        if layout is not None:
            self._layout, self._columns = layout, columns


def _sums(sample: PageSample) -> dict[tuple[object, int], int]:
    """Counters by flow and kind."""
    sums: dict[tuple[object, int], int] = {}
    for name, value in zip(sample.about.counters, sample.counters, strict=True):
        if value is not None:
            key = (sample.about.flows[name.flow], name.counter)
            sums[key] = sums.get(key, 0) + value
    return sums


def _observed(sample: PageSample) -> dict[tuple[object, str, tuple[float, ...]], list[int]]:
    """Cumulative counts by flow, latency and edges."""
    found: dict[tuple[object, str, tuple[float, ...]], list[int]] = {}
    for name, histogram in zip(sample.about.histograms, sample.histograms, strict=True):
        if histogram is not None:
            key = (sample.about.flows[name.flow], name.latency, name.edges)
            found[key] = [*map(add, found[key], histogram.counts)] if key in found else [*histogram.counts]
    return found
