"""The histograms of one endpoint's pages → what each latency has observed since the run began.

What cannot be followed is left out: the first page, a rank or process that restarted, a page written while it moved.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from collectors.fleet.samples import FlowName, HistogramName, PageAbout, ServerName
from collectors.readings import Histogram
from tokwatch.ledger.counters import histogram_increment
from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.fleet.latency_totals import LatencyTotal, nothing
from tokwatch.ledger.fleet.report import LatencyAbout, LatencyReport

_MOST_KEPT: Final = 1024  # series of one endpoint; a page may name new ones every time


class _Key(NamedTuple):
    """What is told as one: flows of other roles, tenants and tiers are added up, and so are ranks."""

    server: ServerName
    model: str
    name: str
    edges: tuple[float, ...]


class _Series:
    """What restarts by itself: one rank's histogram of one flow."""

    __slots__ = ("is_known", "stood")

    def __init__(self, *, is_known: bool) -> None:
        self.is_known = is_known  # what it shows first was observed since an earlier page
        self.stood: Histogram | None = None

    def gained(self, name: str, now: Histogram) -> HistogramEntry | None:
        """Since the page before; None where that is not known, or nothing."""
        before, self.stood = self.stood, now
        is_known, self.is_known = self.is_known, True
        if not is_known or now == before:
            return None
        return histogram_increment(name, before, now)


class PageLatencies:
    """Follows one endpoint."""

    def __init__(self) -> None:
        self._about: PageAbout | None = None
        self._all: dict[tuple[_Key, FlowName, str], _Series] = {}  # those that the page does not show now, too
        self._shown: tuple[tuple[_Key, _Series], ...] = ()  # in the order of the page's histograms
        self._totals: dict[_Key, LatencyTotal] = {}  # of those on the page, in the order of `about`
        self._has_forgotten = False

    def add(self, about: PageAbout, histograms: tuple[Histogram | None, ...]) -> None:
        """One page."""
        if about is not self._about:
            self._lay_out(about)
        for (key, series), now in zip(self._shown, histograms, strict=True):
            if now is not None and (gained := series.gained(key.name, now)) is not None:
                self._totals[key] = self._totals[key].plus(gained)

    def about(self, first: int) -> tuple[LatencyAbout, ...]:
        """`first`: the place of the page's first server among the host's."""
        places = {} if self._about is None else {server: place for place, server in enumerate(self._about.servers)}
        return tuple(LatencyAbout(first + places[key.server], *key[1:]) for key in self._totals)

    def reports(self) -> tuple[LatencyReport, ...]:
        """In the order of `about`."""
        return tuple(total.report for total in self._totals.values())

    def _lay_out(self, about: PageAbout) -> None:
        """Other series than before. What is gone is forgotten as an agent forgets it: it begins at 0 when it is back,
        but its series go on from where they stood."""
        is_known = self._about is not None and not self._has_forgotten
        told = [_told(about, name) for name in about.histograms]
        if len(self._all) > _MOST_KEPT:
            self._all, self._has_forgotten = {each: self._all[each] for each in told if each in self._all}, True
        self._shown = tuple((each[0], self._all.setdefault(each, _Series(is_known=is_known))) for each in told)
        before = self._totals
        self._totals = {key: before.get(key) or nothing(key.edges) for key, _ in self._shown}
        self._about = about


def _told(about: PageAbout, name: HistogramName) -> tuple[_Key, FlowName, str]:
    flow = about.flows[name.flow]
    key = _Key(about.servers[flow.server], flow.model, name.latency, name.edges)
    return key, flow._replace(server=0), name.series
