"""What was counted between two readings of a server with several flows: models, tenants."""

from __future__ import annotations

from pathlib import Path

from collectors.readings import FlowReading, ServerReading

PAGES = Path(__file__).parents[2] / "pages" / "engines"
COUNTERS = ("prompt_tokens", "cached_tokens", "output_tokens", "finished", "failed", "aborted", "preempted", "progress")
Gained = dict[tuple[str, str], dict[str, int]]  # (model, tenant) → counter, or observations of a histogram → increment


def gained(first: ServerReading, second: ServerReading) -> Gained:
    """For every flow of both readings; without the counters that either reading does not know."""
    before = {(flow.model, flow.tenant): _counts(flow) for flow in first.flows}
    after = {(flow.model, flow.tenant): _counts(flow) for flow in second.flows}
    return {
        key: {name: counts[name] - before[key][name] for name in counts if name in before[key]}
        for key, counts in after.items()
        if key in before
    }


def _counts(flow: FlowReading) -> dict[str, int]:
    told = {name: getattr(flow, name) for name in COUNTERS}
    observations = {name: histogram.counts[-1] for name, histogram in flow.histograms}
    return {name: count for name, count in told.items() if count is not None} | observations
