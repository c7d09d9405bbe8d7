"""Saved pages of engines: what each says, and what was counted and observed between two of them."""

from __future__ import annotations

from pathlib import Path

from collectors.readings import FlowReading, ServerFacts, ServerReading
from collectors.vocabularies import read_page
from tokwatch.ledger.counters import COUNTERS

PAGES = Path(__file__).parents[2] / "pages"
Gained = dict[tuple[str, str], dict[str, int]]  # (model, tenant) → counter, or observations of a histogram → increment


def engine_page(name: str) -> bytes:
    """The saved page of that name; no two have one name."""
    (path,) = PAGES.rglob(f"{name}.prom")
    return path.read_bytes()


def read(page: bytes | str) -> ServerReading:
    """The reading of a page, or of the saved page of that name; the server was named by its address alone."""
    content = engine_page(page) if isinstance(page, str) else page
    return read_page(content, ServerFacts("127.0.0.1:8000", ""), 7)


def only_flow(page: bytes | str) -> FlowReading:
    (flow,) = read(page).flows
    return flow


def counts(flow: FlowReading) -> dict[str, int]:
    """The counters that are known."""
    told = {name: getattr(flow, name) for name in COUNTERS}
    return {name: count for name, count in told.items() if count is not None}


def increments(before: bytes | str, after: bytes | str) -> dict[str, int]:
    """What was counted between two pages of one flow, without counters that either page lacks."""
    return _gained(counts(only_flow(before)), counts(only_flow(after)))


def observed(before: bytes | str, after: bytes | str) -> dict[str, tuple[int, float]]:
    """How many observations each histogram took between two pages, and their sum."""
    first, second = dict(only_flow(before).histograms), dict(only_flow(after).histograms)
    return {
        name: (second[name].counts[-1] - first[name].counts[-1], round(second[name].sum - first[name].sum, 6))
        for name in first.keys() & second.keys()
    }


def gained(first: ServerReading, second: ServerReading) -> Gained:
    """What was counted and observed in every flow of both readings, without what either reading does not know."""
    before = {(flow.model, flow.tenant): flow for flow in first.flows}
    return {
        key: _gained(_counts_and_observations(before[key]), _counts_and_observations(flow))
        for flow in second.flows
        if (key := (flow.model, flow.tenant)) in before
    }


def lost(page: bytes | str) -> set[str]:
    """The roles that the page has nothing for."""
    return {role for role, _ in read(page).missing}


def _counts_and_observations(flow: FlowReading) -> dict[str, int]:
    return counts(flow) | {name: histogram.counts[-1] for name, histogram in flow.histograms}


def _gained(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: count - before[name] for name, count in after.items() if name in before}
