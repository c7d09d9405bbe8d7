"""The table `gpu_hour`: one row a UTC hour and GPU."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tokwatch.exports.background import SCHEMA_VERSION, Background
from tokwatch.exports.hours import HOUR_MS, hour_of, utc
from tokwatch.exports.usage import Usage
from tokwatch.ledger.entries import State
from tokwatch.store.rollup import GpuQuarter

_MIB = 1 << 20


class GpuHour(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU in one UTC hour. None is unknown. Columns in this order; Σ s_* = observed_s.

    Costs are of observed time only. Where a part of it has no price, `unpriced_s` says how long that was.
    """

    hour_start: str  # YYYY-MM-DDTHH:MM:SSZ, inclusive
    hour_end: str  # exclusive
    node: str
    gpu_index: int | None
    gpu_uuid: str | None
    gpu_model: str | None
    cost_basis: str = "rent"
    observed_s: float
    coverage: float  # observed_s / 3600, also in the hour that is still running
    energy_board_j: float | None  # also what was drawn while nobody watched
    energy_lost_max_j: float  # the most that was drawn besides while the counter could not be read
    power_avg_w: float | None  # energy / the time that it was measured over
    power_max_w: float | None
    util_avg: float | None  # 0..1, share of time in which any kernel ran
    mem_used_avg_bytes: int | None
    temp_max_c: int | None
    s_serving: float
    s_parked: float
    s_held: float
    s_unallocated: float
    s_loading: float
    s_stalled: float
    s_lost: float
    s_blind: float
    s_other: float
    s_unknown: float
    rate_usd_per_gpu_h: float | None  # in `currency`, like all amounts; weighted by time where it changed
    cost_total_usd: float | None  # rate × observed hours
    cost_idle_usd: float | None  # of it: parked, held, unallocated
    unpriced_s: float
    currency: str | None
    price_version: str | None  # ids in the price book; "3+4" where it changed
    simulated: bool
    schema_version: int = SCHEMA_VERSION


def gpu_hours(quarters: Iterable[GpuQuarter], background: Background) -> list[GpuHour]:
    """Hours as sums of quarter rows, by hour, node and GPU."""
    by_hour: dict[tuple[int, int], list[GpuQuarter]] = {}
    for quarter in quarters:
        by_hour.setdefault((hour_of(quarter.quarter_ms), quarter.entity), []).append(quarter)
    hours = [_gpu_hour(hour_ms, gpu, rows, background) for (hour_ms, gpu), rows in by_hour.items() if _watched(rows)]
    return sorted(hours, key=lambda row: (row.hour_start, row.node, row.gpu_index is None, row.gpu_index or 0))


def _watched(rows: Iterable[GpuQuarter]) -> bool:
    """A GPU's first reading alone is no interval: it says nothing of the hour."""
    return any(row.observed_ms or row.energy_mj is not None for row in rows)


def _gpu_hour(hour_ms: int, gpu: int, rows: list[GpuQuarter], background: Background) -> GpuHour:
    facts = background.names.gpu(gpu, hour_ms + HOUR_MS)
    usage = Usage()
    for row in rows:
        usage.add(background.rent.usage(row))
    memory_mib = _mean(sum(row.memory_mib_ms for row in rows), sum(row.memory_ms for row in rows))
    utilization = _mean(sum(row.util_permille_ms for row in rows), sum(row.util_ms for row in rows))
    power_max_mw = _largest(row.power_max_mw for row in rows)
    energy_mj = usage.energy_mj
    return GpuHour(
        hour_start=utc(hour_ms),
        hour_end=utc(hour_ms + HOUR_MS),
        node=background.names.host(gpu),
        gpu_index=facts.index if facts else None,
        gpu_uuid=facts.uuid if facts else None,
        gpu_model=facts.name if facts else None,
        observed_s=usage.observed_ms / 1000,
        coverage=usage.observed_ms / HOUR_MS,
        energy_board_j=None if energy_mj is None else energy_mj / 1000,
        energy_lost_max_j=max(0, sum(row.lost_mj for row in rows)) / 1000,
        power_avg_w=None if energy_mj is None else _mean(energy_mj, sum(row.measured_ms for row in rows)),
        power_max_w=None if power_max_mw is None else power_max_mw / 1000,
        util_avg=None if utilization is None else utilization / 1000,
        mem_used_avg_bytes=None if memory_mib is None else round(memory_mib * _MIB),
        temp_max_c=_largest(row.temperature_max_c for row in rows),
        s_serving=_state_s(rows, State.SERVING),
        s_parked=_state_s(rows, State.PARKED),
        s_held=_state_s(rows, State.HELD),
        s_unallocated=_state_s(rows, State.UNALLOCATED),
        s_loading=_state_s(rows, State.LOADING),
        s_stalled=_state_s(rows, State.STALLED),
        s_lost=_state_s(rows, State.LOST),
        s_blind=_state_s(rows, State.BLIND),
        s_other=_state_s(rows, State.OTHER_WORK),
        s_unknown=_state_s(rows, State.UNKNOWN),
        rate_usd_per_gpu_h=usage.usd_per_hour,
        cost_total_usd=usage.total_usd,
        cost_idle_usd=usage.idle_usd,
        unpriced_s=usage.unpriced_ms / 1000,
        currency=background.rent.currency(hour_ms),
        price_version=usage.versions,
        simulated=any(row.run in background.simulated for row in rows),
    )


def _state_s(rows: Iterable[GpuQuarter], state: State) -> float:
    return sum(row.state_ms.get(state, 0) for row in rows) / 1000


def _mean(amount: int, time_ms: int) -> float | None:
    return amount / time_ms if time_ms else None


def _largest(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
