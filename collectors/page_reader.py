"""One server's pages, one after another: strictly the first time, then by what was learnt of their layout.

The learnt way may never tell anything else than the strict one: any doubt of the layout leads back to it.
"""

from __future__ import annotations

from collectors.exposition import parse_lines, split
from collectors.page_layout import PageLayout
from collectors.readings import ServerFacts, ServerReading
from collectors.scrape import Page
from collectors.vocabularies import not_recognised, recognise
from collectors.vocabularies.plan import Plan, plan_of
from collectors.vocabularies.reader import read

RELEARN_NS = 60_000_000_000  # a layout sees every change of names by itself; this bounds the cost of a mistake in it


class PageReader:
    """Reads the pages of one server."""

    def __init__(self) -> None:
        self._layout: PageLayout | None = None
        self._plan: Plan | None = None
        self._learnt_ns = 0

    def read(self, page: Page, server: ServerFacts) -> ServerReading:
        """The page's reading; not ok where no engine is recognised. Raises ExpositionError on a page of no metrics."""
        layout, plan = self._layout, self._plan
        if layout is not None and plan is not None and page.at_ns - self._learnt_ns < RELEARN_NS:
            values = layout.read(page.body)
            if values is not None:
                return _reading(plan, values, page, server)
        return self._learn(page, server)

    def _learn(self, page: Page, server: ServerFacts) -> ServerReading:
        self._layout = None
        lines = split(page.body)
        vocabulary = recognise(lines.names)
        if vocabulary is None:
            return not_recognised(lines, server, page.at_ns, took_ms=page.took_ms, page_bytes=len(page.body))
        metrics = parse_lines(lines, vocabulary.wanted)
        plan = self._plan
        if plan is None or plan.vocabulary is not vocabulary or plan.series != metrics.series:
            together = plan is not None and plan.vocabulary is vocabulary and plan.together
            plan = plan_of(vocabulary, metrics, together=together)
        self._plan, self._learnt_ns = plan, page.at_ns
        self._layout = PageLayout.learn(page.body, metrics)
        return _reading(plan, metrics.values, page, server)


def _reading(plan: Plan, values: list[float] | tuple[float, ...], page: Page, server: ServerFacts) -> ServerReading:
    return read(
        plan,
        values,
        server,
        page.at_ns,
        headers=page.headers,
        took_ms=page.took_ms,
        page_bytes=len(page.body),
    )
