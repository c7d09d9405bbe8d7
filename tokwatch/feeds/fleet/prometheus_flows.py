"""Models on hosts out of what servers told: each token counted once, at its engine where an engine tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from collectors.prometheus.dialects import LAYERS
from collectors.prometheus.identity import HOST, host_place
from collectors.prometheus.server_roles import NAMESPACE_LABEL, ROLES
from collectors.readings import UNNAMED, Layer
from tokwatch.feeds.fleet.prometheus_figures import NO_HOST, Figures
from tokwatch.feeds.fleet.prometheus_servers import ENGINE, MODEL, REQUESTS, ROLE, TOKENS
from tokwatch.ledger.fleet.counted_once import CountedOnce, Kind
from tokwatch.ledger.fleet.tally import FlowTally
from tokwatch.ledger.sums import taken

_COUNTS: Final = (*TOKENS, *REQUESTS, "running", "waiting", "servers")
_NOT_SET: Final = frozenset({"", "None", "null"})  # as Python's and Go's clients write a label without a value


@dataclass(slots=True)
class ServersTold:
    """The servers of one kind on one host."""

    host: str  # a value of the label HOST
    kind: Kind
    counts: dict[str, float] = field(default_factory=dict)
    kv_usage: float | None = None


@dataclass(frozen=True, slots=True)
class Flows:
    by_host: Mapping[str, tuple[FlowTally, ...]]
    elsewhere: tuple[tuple[str, str], ...]  # (host, engine) of gateways and routers whose tokens engines count


def flows(found: Figures) -> Flows:
    """By the rule of ledger/fleet/counted_once.py."""
    told = _told(found)
    once = CountedOnce(each.kind for each in told if "output_tokens" in each.counts)
    by_host: dict[str, dict[str, list[ServersTold]]] = {}
    elsewhere: list[ServersTold] = []
    for each in told:
        counting = once.counting(each.kind)
        if not (counting.prompt or counting.output):
            elsewhere.append(each)
            continue
        for name in taken(counting.flags):
            each.counts.pop(name, None)
        by_host.setdefault(each.host, {}).setdefault(each.kind.model, []).append(each)
    return Flows(
        {host: tuple(_flow(model, each) for model, each in sorted(models.items())) for host, models in by_host.items()},
        tuple(sorted({(host_place(each.host).host, each.kind.engine) for each in elsewhere})),
    )


def _told(found: Figures) -> Sequence[ServersTold]:
    told: dict[tuple[str, Kind], ServersTold] = {}
    for figure in (*_COUNTS, "kv_usage"):
        for labels, value in found.rows(figure):
            key = (labels.get(HOST, NO_HOST), _kind(labels))
            each = told.setdefault(key, ServersTold(*key))
            if figure == "kv_usage":
                each.kv_usage = max(value, each.kv_usage or 0.0)
            else:
                each.counts[figure] = each.counts.get(figure, 0.0) + value
    return list(told.values())


def _kind(labels: Mapping[str, str]) -> Kind:
    model, engine = labels.get(MODEL, ""), labels.get(ENGINE, "")
    named = UNNAMED if model in _NOT_SET else model
    layer = LAYERS.get(engine, Layer.ENGINE)
    role = labels.get(ROLE, "")
    return Kind(layer, engine, named, role if role in ROLES else "", labels.get(NAMESPACE_LABEL, ""))


def _flow(model: str, told: Sequence[ServersTold]) -> FlowTally:
    def total(count: str) -> int | None:
        values = [each.counts[count] for each in told if count in each.counts]
        return round(sum(values)) if values else None

    return FlowTally(
        model=model,
        servers=total("servers") or 0,
        engine=" + ".join(sorted({each.kind.engine for each in told})),
        prompt_tokens=total("prompt_tokens"),
        cached_tokens=total("cached_tokens"),
        output_tokens=total("output_tokens"),
        finished=total("finished"),
        failed=total("failed"),
        running=total("running"),
        waiting=total("waiting"),
        kv_usage=max((each.kv_usage for each in told if each.kv_usage is not None), default=None),
    )
