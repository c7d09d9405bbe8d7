"""Models on hosts out of what servers told: each token counted once, at its engine where an engine tells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from collectors.prometheus.dialects import LAYERS
from collectors.prometheus.identity import HOST
from collectors.readings import UNNAMED, Layer
from tokwatch.feeds.fleet.prometheus_figures import NO_HOST, Figures
from tokwatch.feeds.fleet.prometheus_servers import ENGINE, MODEL, REQUESTS, TOKENS
from tokwatch.ledger.fleet.tally import FlowTally

_COUNTS: Final = (*TOKENS, *REQUESTS, "running", "waiting", "servers")
_NOT_SET: Final = frozenset({"", "None", "null"})  # as Python's and Go's clients write a label without a value


@dataclass(slots=True)
class ServersTold:
    """The servers of one engine with one model on one host."""

    host: str
    model: str
    engine: str
    counts: dict[str, float] = field(default_factory=dict)
    kv_usage: float | None = None

    @property
    def layer(self) -> Layer:
        return LAYERS.get(self.engine, Layer.ENGINE)


@dataclass(frozen=True, slots=True)
class Flows:
    by_host: Mapping[str, tuple[FlowTally, ...]]
    elsewhere: tuple[tuple[str, str], ...]  # (host, engine) of gateways and routers whose tokens engines count


def flows(found: Figures) -> Flows:
    """By the rule of ledger/counting.py, at the grain of the fleet: a router counts for models that no engine tells
    output tokens of; a gateway, which may know models by other names, only where neither tells any."""
    told = _told(found)
    counted, elsewhere = _once(told)
    by_host: dict[str, dict[str, list[ServersTold]]] = {}
    for each in counted:
        by_host.setdefault(each.host, {}).setdefault(each.model, []).append(each)
    return Flows(
        {host: tuple(_flow(model, each) for model, each in sorted(models.items())) for host, models in by_host.items()},
        tuple(sorted({(each.host, each.engine) for each in elsewhere})),
    )


def _told(found: Figures) -> Sequence[ServersTold]:
    told: dict[tuple[str, str, str], ServersTold] = {}
    for figure in (*_COUNTS, "kv_usage"):
        for labels, value in found.rows(figure):
            model = labels.get(MODEL, "")
            key = (labels.get(HOST, NO_HOST), UNNAMED if model in _NOT_SET else model, labels.get(ENGINE, ""))
            each = told.setdefault(key, ServersTold(*key))
            if figure == "kv_usage":
                each.kv_usage = max(value, each.kv_usage or 0.0)
            else:
                each.counts[figure] = each.counts.get(figure, 0.0) + value
    return list(told.values())


def _once(told: Sequence[ServersTold]) -> tuple[list[ServersTold], list[ServersTold]]:
    """(what is counted, what is told of tokens that are counted elsewhere)."""
    counted: list[ServersTold] = [each for each in told if each.layer is Layer.ENGINE]
    elsewhere: list[ServersTold] = []
    models = _with_output(counted)
    for each in told:
        if each.layer is Layer.ROUTER:
            (elsewhere if each.model in models else counted).append(each)
    anybody = bool(_with_output(counted))
    for each in told:
        if each.layer is Layer.GATEWAY:
            (elsewhere if anybody else counted).append(each)
    return counted, elsewhere


def _with_output(told: Iterable[ServersTold]) -> frozenset[str]:
    return frozenset(each.model for each in told if "output_tokens" in each.counts)


def _flow(model: str, told: Sequence[ServersTold]) -> FlowTally:
    def total(count: str) -> int | None:
        values = [each.counts[count] for each in told if count in each.counts]
        return round(sum(values)) if values else None

    return FlowTally(
        model=model,
        servers=total("servers") or 0,
        engine=" + ".join(sorted({each.engine for each in told})),
        prompt_tokens=total("prompt_tokens"),
        cached_tokens=total("cached_tokens"),
        output_tokens=total("output_tokens"),
        finished=total("finished"),
        failed=total("failed"),
        running=total("running"),
        waiting=total("waiting"),
        kv_usage=max((each.kv_usage for each in told if each.kv_usage is not None), default=None),
    )
