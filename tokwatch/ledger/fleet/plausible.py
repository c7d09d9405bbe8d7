"""What cannot be: figures of a tally that are below 0, not finite or beyond all bounds become unknown.

A source passes on what boxes say of themselves. One that is broken or lies must not spoil the sums of all the others,
nor end the screens that show them.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from msgspec.structs import replace

from tokwatch.ledger.fleet.report import MOST
from tokwatch.ledger.fleet.tally import FlowTally, HostTally, TrendPoint

T = TypeVar("T", FlowTally, HostTally, TrendPoint)

_OF_HOST: Final = ("gpus", "power_w", "energy_mj", "memory_used_mib", "memory_total_mib", "utilization")
_OF_FLOW: Final = (
    *("prompt_tokens", "cached_tokens", "output_tokens", "finished", "failed"),
    *("running", "waiting", "kv_usage"),
)
_OF_TREND: Final = ("output_tok_s", "power_w", "gpus_idle")


def plausible(host: HostTally) -> HostTally:
    """Without what cannot be; the same object where all of it can."""
    changes: dict[str, Any] = {
        name: 0 for name in ("t1_ms", "length_ms", "measured_ms") if not _is(getattr(host, name))
    }
    if host.clock_skew_ms is not None and not _is(abs(host.clock_skew_ms)):
        changes["clock_skew_ms"] = None
    if not all(_is(count) for _, count in host.states):
        changes["states"] = tuple(each for each in host.states if _is(each[1]))
    flows = tuple(_without(flow, _OF_FLOW) for flow in host.flows)
    if any(new is not old for new, old in zip(flows, host.flows, strict=True)):
        changes["flows"] = flows
    host = _without(host, _OF_HOST)
    return replace(host, **changes) if changes else host


def plausible_point(point: TrendPoint) -> TrendPoint:
    """Likewise of a point of the trend."""
    return _without(point, _OF_TREND)


def _without(struct: T, names: tuple[str, ...]) -> T:
    wrong = [name for name in names if (value := getattr(struct, name)) is not None and not _is(value)]
    return replace(struct, **dict.fromkeys(wrong)) if wrong else struct


def _is(value: float) -> bool:
    return 0 <= value <= MOST  # false of NaN
