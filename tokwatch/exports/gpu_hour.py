"""The table `gpu_hour`: one row a UTC hour and GPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from tokwatch.exports.background import SCHEMA_VERSION, Background
from tokwatch.exports.hours import HOUR_MS, hour_of, utc
from tokwatch.exports.pricing import Pricing, ids
from tokwatch.ledger.entries import State
from tokwatch.store.quarter_rows import GpuQuarter
from tokwatch.store.quarters import Quarters

_MIB = 1 << 20


class GpuHour(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One GPU in one UTC hour. None is unknown. Columns in this order; Σ s_* = observed_s.

    cost_total = rent + capex + opex + space + energy: fixed parts of observed time, energy wherever it was measured.
    What has no price is told in `unpriced_s` and `unpriced_kwh`, and is not in it. cost_unobserved is what the GPU cost
    while nobody watched it, though it was there before and after; it is in no other column. On reserved rent the two
    add up to an invoice.
    """

    hour_start: str  # YYYY-MM-DDTHH:MM:SSZ, inclusive
    hour_end: str  # exclusive
    node: str
    gpu_index: int | None
    gpu_uuid: str | None
    gpu_model: str | None
    cost_basis: str | None  # "rent" | "own"
    observed_s: float
    coverage: float  # observed_s / 3600, also in the hour that is still running
    energy_board_j: float | None  # also what was drawn while nobody watched
    energy_lost_max_j: float  # the most that was drawn besides while the counter could not be read
    energy_facility_kwh: float | None  # (board + host's share) × PUE, as far as energy_basis says
    energy_basis: str | None  # "board" | "board + host" | "board × PUE" | "facility"; "…, host in part"
    host_share: str | None  # what the host's share is by: "box" | "packages": measured; "per gpu" | "ratio": told
    power_avg_w: float | None  # energy / the time that it was measured over
    power_max_w: float | None
    util_avg: float | None  # 0..1, share of time in which any kernel ran
    mem_used_avg_bytes: int | None
    temp_max_c: int | None
    s_serving: float
    s_underbatched: float
    s_parked: float
    s_misrouted: float
    s_held: float
    s_unallocated: float
    s_loading: float
    s_backlog: float
    s_saturated: float
    s_throttled: float
    s_stalled: float
    s_lost: float
    s_blind: float
    s_other: float
    s_unknown: float
    rate_usd_per_gpu_h: float | None  # fixed parts, in `currency`, like all amounts; weighted by time where it changed
    cost_rent_usd: float | None
    cost_capex_usd: float | None
    cost_opex_usd: float | None
    cost_space_usd: float | None
    cost_energy_usd: float | None  # 0 where electricity is in the rent
    cost_total_usd: float | None
    cost_idle_usd: float | None  # of it: parked, misrouted, held, unallocated
    cost_unobserved_usd: float | None
    tariff_usd_per_kwh_avg: float | None  # by the energy that it was paid for
    unpriced_s: float
    unpriced_kwh: float  # of energy_facility_kwh
    unmetered_s: float  # electricity is paid for by itself and was not measured
    gco2e: float | None
    carbon: str | None  # the factor's label and year
    currency: str | None
    price_version: str | None  # ids in the price book; "3+4" where it changed
    restated: bool  # by a price set after the fact
    simulated: bool
    schema_version: int = SCHEMA_VERSION


def gpu_hours(quarters: Quarters, background: Background, hours: Iterable[int] = ()) -> list[GpuHour]:
    """Hours as sums of quarter rows, by hour, node and GPU.

    hours: their starts; in these, GPUs that were there without being watched have a row too.
    """
    pricing = Pricing(quarters, background)
    by_hour: dict[tuple[int, int], list[GpuQuarter]] = {}
    for quarter in quarters.gpus:
        by_hour.setdefault((hour_of(quarter.quarter_ms), quarter.entity), []).append(quarter)
    for hour_ms in hours:
        for gpu in background.presence.gpus(hour_ms, hour_ms + HOUR_MS):
            by_hour.setdefault((hour_ms, gpu), [])
    found = [_gpu_hour(hour_ms, gpu, rows, pricing, background) for (hour_ms, gpu), rows in by_hour.items()]
    told = [row for row in found if row is not None]
    return sorted(told, key=lambda row: (row.hour_start, row.node, row.gpu_index is None, row.gpu_index or 0))


def _gpu_hour(
    hour_ms: int, gpu: int, rows: list[GpuQuarter], pricing: Pricing, background: Background
) -> GpuHour | None:
    """None where nothing is known of the hour: a GPU's first reading alone is no interval."""
    unobserved = pricing.unobserved(gpu, hour_ms, rows)
    charges, state_ms = pricing.charges(*rows), Counter[int]()
    for row in rows:
        state_ms.update(row.state_ms)
    if charges.empty and unobserved.empty:
        return None
    facts = background.names.gpu(gpu, hour_ms + HOUR_MS)
    memory_mib = _mean(sum(row.memory_mib_ms for row in rows), sum(row.memory_ms for row in rows))
    utilization = _mean(sum(row.util_permille_ms for row in rows), sum(row.util_ms for row in rows))
    power_max_mw = _largest(row.power_max_mw for row in rows)
    energy_mj, parts = charges.energy_mj, charges.parts
    return GpuHour(
        hour_start=utc(hour_ms),
        hour_end=utc(hour_ms + HOUR_MS),
        node=background.names.host(gpu),
        gpu_index=facts.index if facts else None,
        gpu_uuid=facts.uuid if facts else None,
        gpu_model=facts.name if facts else None,
        cost_basis=charges.basis or unobserved.basis,
        observed_s=charges.held_ms / 1000,
        coverage=charges.held_ms / HOUR_MS,
        energy_board_j=None if energy_mj is None else energy_mj / 1000,
        energy_lost_max_j=max(0, sum(row.lost_mj for row in rows)) / 1000,
        energy_facility_kwh=charges.facility_kwh,
        energy_basis=charges.energy_basis,
        host_share=charges.host_share,
        power_avg_w=None if energy_mj is None else _mean(energy_mj, sum(row.measured_ms for row in rows)),
        power_max_w=None if power_max_mw is None else power_max_mw / 1000,
        util_avg=None if utilization is None else utilization / 1000,
        mem_used_avg_bytes=None if memory_mib is None else round(memory_mib * _MIB),
        temp_max_c=_largest(row.temperature_max_c for row in rows),
        s_serving=state_ms[State.SERVING] / 1000,
        s_underbatched=state_ms[State.UNDERBATCHED] / 1000,
        s_parked=state_ms[State.PARKED] / 1000,
        s_misrouted=state_ms[State.MISROUTED] / 1000,
        s_held=state_ms[State.HELD] / 1000,
        s_unallocated=state_ms[State.UNALLOCATED] / 1000,
        s_loading=state_ms[State.LOADING] / 1000,
        s_backlog=state_ms[State.BACKLOG] / 1000,
        s_saturated=state_ms[State.SATURATED] / 1000,
        s_throttled=state_ms[State.THROTTLED] / 1000,
        s_stalled=state_ms[State.STALLED] / 1000,
        s_lost=state_ms[State.LOST] / 1000,
        s_blind=state_ms[State.BLIND] / 1000,
        s_other=state_ms[State.OTHER_WORK] / 1000,
        s_unknown=state_ms[State.UNKNOWN] / 1000,
        rate_usd_per_gpu_h=charges.usd_per_hour if charges.held_ms else unobserved.usd_per_hour,
        cost_rent_usd=parts.rent if parts else None,
        cost_capex_usd=parts.capex if parts else None,
        cost_opex_usd=parts.opex if parts else None,
        cost_space_usd=parts.space if parts else None,
        cost_energy_usd=charges.energy_usd,
        cost_total_usd=parts.total if parts else None,
        cost_idle_usd=charges.idle_usd,
        cost_unobserved_usd=unobserved.total_usd,
        tariff_usd_per_kwh_avg=charges.usd_per_kwh,
        unpriced_s=charges.unpriced_ms / 1000,
        unpriced_kwh=charges.unpriced_kwh,
        unmetered_s=charges.unmetered_ms / 1000,
        gco2e=charges.gco2e,
        carbon=charges.carbon,
        currency=background.currency(hour_ms),
        price_version=ids(charges.versions | unobserved.versions),
        restated=charges.restated or unobserved.restated,
        simulated=any(row.run in background.simulated for row in rows) if rows else background.presence.simulated(gpu),
    )


def _mean(amount: int, time_ms: int) -> float | None:
    return amount / time_ms if time_ms else None


def _largest(values: Iterable[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)
