"""How many flows one server may have, ever: each is an entity, and names on a page cost whoever writes it nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from collectors.readings import FlowReading, ServerReading
from tokwatch.ledger.counters import COUNTERS
from tokwatch.ledger.registry import Registry, flow_key, flow_labels

MOST_FLOWS: Final = 1024  # four times as many as one page may have
OTHERS: Final = "(others)"
_LOST: Final = ("flows", f"models and tenants: more than {MOST_FLOWS} so far, so new ones are added up as {OTHERS}")


class FlowLimit:
    """Adds up the flows of a server that are too many."""

    def __init__(self, registry: Registry, most: int = MOST_FLOWS) -> None:
        self._registry = registry
        self._most = most

    def of(self, reading: ServerReading, server: int) -> ServerReading:
        """The reading with its new flows, where there is no room for all of them, as one of each known model.

        A sum falls when one of its flows goes: then what the others gained is a lower bound. Latencies are left out:
        buckets of what comes and goes cannot be compared.
        """
        known = self._registry.flows_of(server)
        is_new = [_key(server, flow) not in known for flow in reading.flows]
        if not any(is_new):
            return reading
        labels = [flow_labels(key) for key in known]
        began = any(tenant == OTHERS for _, _, _, tenant, _ in labels)  # what was added up once is never counted apart
        if not began and len(known) + sum(is_new) <= self._most:
            return reading
        models = {model for _, model, _, _, _ in labels}
        kept: list[FlowReading] = []
        others: dict[tuple[str, str], list[FlowReading]] = defaultdict(list)
        for flow, new in zip(reading.flows, is_new, strict=True):
            if new or flow.tenant == OTHERS:  # the latter: a page may have that name itself
                others[flow.model if flow.model in models else OTHERS, flow.role].append(flow)
            else:
                kept.append(flow)
        added_up = [_together(model, role, flows) for (model, role), flows in others.items()]
        return replace(reading, flows=(*kept, *added_up), missing=(*reading.missing, _LOST))


def _key(server: int, flow: FlowReading) -> str:
    return flow_key(server, flow.model, flow.role, flow.tenant, flow.tier)


def _together(model: str, role: str, flows: Sequence[FlowReading]) -> FlowReading:
    told = {name: [value for flow in flows if (value := getattr(flow, name)) is not None] for name in COUNTERS}
    return FlowReading(model, role, OTHERS, **{name: sum(values) for name, values in told.items() if values})
