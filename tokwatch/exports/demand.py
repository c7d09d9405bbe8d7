"""When tokens were asked for, from quarter hours: the local hours of the day, by model or by tenant; prompt lengths."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo

from tokwatch.exports.names import FlowName
from tokwatch.exports.showback import FlowPart
from tokwatch.ledger.demand import LengthBucket, by_prompt_length
from tokwatch.ledger.economics.demand import Asked, HourOfDay, demand_curve
from tokwatch.ledger.economics.token_cost import Tokens
from tokwatch.store.quarter_rows import FlowQuarter

By = Callable[[FlowName], str]


def by_model(flow: FlowName) -> str:
    return flow.model


def by_tenant(flow: FlowName) -> str:
    return flow.tenant


def hours_of_day(flows: Iterable[FlowPart], zone: tzinfo, by: By = by_model) -> dict[str, tuple[HourOfDay, ...]]:
    """24 hours of the local day for each model (or tenant), over all days of the flows.

    A quarter hour lies within one local hour: every zone's offset is a multiple of it. It was watched as long as its
    best covered flow: tenants come and go within a page that is read all the time.
    """
    grouped: dict[str, dict[int, list[FlowQuarter]]] = defaultdict(lambda: defaultdict(list))
    for name, quarter, _ in flows:
        grouped[by(name)][quarter.quarter_ms].append(quarter)
    return {
        key: demand_curve(_asked(quarter_ms, quarters, zone) for quarter_ms, quarters in sorted(of_quarter.items()))
        for key, of_quarter in sorted(grouped.items())
    }


def _asked(quarter_ms: int, flows: Iterable[FlowQuarter], zone: tzinfo) -> Asked:
    flows = list(flows)
    prompt, cached, output = (
        sum(getattr(flow, name) or 0 for flow in flows) for name in ("prompt_tokens", "cached_tokens", "output_tokens")
    )
    finished = [flow.finished for flow in flows if flow.finished is not None]
    return Asked(
        hour=datetime.fromtimestamp(quarter_ms / 1000, zone).hour,
        seconds=max(flow.covered_ms for flow in flows) / 1000,
        # Never more cached than prompt tokens: each was rounded by itself at a quarter's edge.
        tokens=Tokens(prompt - min(cached, prompt), min(cached, prompt), output),
        requests=sum(finished) if finished else None,
    )


def prompt_lengths(flows: Iterable[FlowPart], by: By = by_model) -> dict[str, tuple[LengthBucket, ...]]:
    """Requests and prompt tokens by prompt length for each model (or tenant)."""
    grouped: dict[str, list[FlowQuarter]] = defaultdict(list)
    for name, quarter, _ in flows:
        grouped[by(name)].append(quarter)
    return {
        key: by_prompt_length(histogram for quarter in quarters for histogram in quarter.histograms)
        for key, quarters in sorted(grouped.items())
    }
