"""The token counters of one endpoint's pages → what each flow counted since the run began.

A series that falls counts from 0: its rank or process restarted. So a Prometheus counts, and so their sums agree.
A flow that leaves the page is forgotten, as an agent forgets it: it begins at 0 when it is back, but its series go on
from where they stood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from collectors.fleet.samples import COUNTERS, FlowName, PageAbout
from tokwatch.ledger.fleet.report import FlowReport

FlowKey = tuple[str, FlowName]  # the server's address, and the flow with 0 for its place
_MOST_KEPT: Final = 4096  # series of one endpoint; a page may name new ones every time


class _Sums(NamedTuple):
    """One flow."""

    since_ms: int
    counts: list[int | None]  # by place in COUNTERS


class PageFlows:
    """Follows one endpoint."""

    def __init__(self) -> None:
        self._about: PageAbout | None = None
        self._stood: tuple[int | None, ...] = ()  # in the order of the page's counters
        # Of each counter: the counts of its flow, and its place in them.
        self._places: tuple[tuple[list[int | None], int], ...] = ()
        self._known: dict[tuple[FlowKey, int, str], int] = {}  # series that the page does not show now
        self._sums: dict[FlowKey, _Sums] = {}  # of the flows on the page
        self._of_place: tuple[_Sums, ...] = ()

    def add(self, about: PageAbout, counters: tuple[int | None, ...], at_ms: int) -> bool:
        """One page; whether any token or request was counted."""
        if about is not self._about:
            self._lay_out(about, counters, at_ms)
        elif counters == self._stood:
            return False
        moved = False
        stood = list(self._stood)
        for place, (now, before) in enumerate(zip(counters, self._stood, strict=True)):
            if now is None or now == before:
                continue
            stood[place] = now
            sums, counter = self._places[place]
            gained = now if before is None or now < before else now - before
            sums[counter] = (sums[counter] or 0) + gained
            moved |= gained > 0
        self._stood = tuple(stood)
        return moved

    def report(self, place: int, at_ms: int) -> FlowReport:
        """Of the flow at a place of the page's, which came at `at_ms`."""
        sums = self._of_place[place]
        return FlowReport(at_ms - sums.since_ms, *sums.counts)

    def _lay_out(self, about: PageAbout, counters: Sequence[int | None], at_ms: int) -> None:
        """Other series than before, or the first ones, of which nothing was seen before: they are baselines."""
        is_first = self._about is None
        if not is_first:
            self._remember()
        keys = [(about.servers[flow.server].address, flow._replace(server=0)) for flow in about.flows]
        known = self._sums
        self._sums = {key: known.get(key) or _Sums(at_ms, [None] * len(COUNTERS)) for key in dict.fromkeys(keys)}
        self._of_place = tuple(self._sums[key] for key in keys)
        self._places = tuple((self._of_place[name.flow].counts, name.counter) for name in about.counters)
        for (sums, counter), value in zip(self._places, counters, strict=True):
            if value is not None and sums[counter] is None:
                sums[counter] = 0
        self._stood = (
            tuple(counters)
            if is_first
            else tuple(self._known.pop((keys[n.flow], n.counter, n.series), 0) for n in about.counters)
        )
        self._about = about

    def _remember(self) -> None:
        assert self._about is not None
        about = self._about
        for name, value in zip(about.counters, self._stood, strict=True):
            if value is not None and len(self._known) < _MOST_KEPT:
                flow = about.flows[name.flow]
                key = (about.servers[flow.server].address, flow._replace(server=0))
                self._known[key, name.counter, name.series] = value
