"""Pages of one model: what each says, and what was counted and observed between two of them."""

from __future__ import annotations

from collectors.readings import FlowReading, ServerFacts, ServerReading
from collectors.vocabularies import read_page
from tests.collectors.vocabularies.increments import COUNTERS, PAGES

_COUNTERS = (*COUNTERS, "drafted_tokens", "accepted_tokens")


def engine_page(name: str) -> bytes:
    return (PAGES / f"{name}.prom").read_bytes()


def read(page: bytes | str) -> ServerReading:
    """The reading of a page, or of the saved page of that name; the server was named by its address alone."""
    content = engine_page(page) if isinstance(page, str) else page
    return read_page(content, ServerFacts("127.0.0.1:8000", ""), 7)


def only_flow(page: bytes | str) -> FlowReading:
    (flow,) = read(page).flows
    return flow


def increments(before: bytes | str, after: bytes | str) -> dict[str, int]:
    """What was counted between two pages of one flow, without counters that either page lacks."""
    first, second = only_flow(before), only_flow(after)
    told = {name: (getattr(first, name), getattr(second, name)) for name in _COUNTERS}
    return {name: new - old for name, (old, new) in told.items() if old is not None and new is not None}


def observed(before: bytes | str, after: bytes | str) -> dict[str, tuple[int, float]]:
    """How many observations each histogram took between two pages, and their sum."""
    first, second = dict(only_flow(before).histograms), dict(only_flow(after).histograms)
    return {
        name: (second[name].counts[-1] - first[name].counts[-1], round(second[name].sum - first[name].sum, 6))
        for name in first.keys() & second.keys()
    }


def lost(page: bytes | str) -> set[str]:
    """The roles that the page has nothing for."""
    return {role for role, _ in read(page).missing}
