"""The table by GPU: `gpu_hour`, a row a UTC hour and GPU, and the same by quarter hour, day and month."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from tokwatch.exports.background import SCHEMA_VERSION, Background
from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.exports.periods import Instant, Period, Periods
from tokwatch.exports.pricing import Pricing, ids
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.entries import State
from tokwatch.store.quarter_rows import GpuQuarter
from tokwatch.store.quarters import Quarters
from tokwatch.store.rollup import QUARTER_MS

_MIB = 1 << 20


class GpuPeriod(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One GPU in one period, a UTC hour unless told otherwise. None is unknown. Columns in this order; Σ s_* =
    observed_s. The first two are named after the grain: hour_start, day_start. Where the currency changed within the
    period there is a row for each.

    cost_total = rent + capex + opex + space + energy: fixed parts of observed time, energy wherever it was measured.
    What has no price is told in `unpriced_s` and `unpriced_kwh`, and is not in it. cost_unobserved is what the GPU cost
    while nobody watched it, though it was there before and after; it is in no other column. On reserved rent the two
    add up to an invoice.
    """

    period_start: Instant  # inclusive
    period_end: Instant  # exclusive
    node: str
    gpu_index: int | None
    gpu_uuid: str | None
    gpu_model: str | None
    cost_basis: str | None  # "rent" | "own"
    observed_s: float
    coverage: float  # observed_s / the period's length, also in the one that is still running
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


class GpuTable:
    """Adds up quarter rows, stretch by stretch, and gives the rows of the periods that are over."""

    def __init__(self, background: Background, periods: Periods, within: Period | None = None) -> None:
        """within: only quarter hours that start in it."""
        self._background, self._periods, self._within = background, periods, within
        self._sums: dict[tuple[Period, int, str | None], _GpuSums] = {}

    def take(self, quarters: Quarters, hours: Iterable[int] = ()) -> None:
        """The quarter rows of whole UTC hours; no other stretch has rows of these.

        hours: their starts; in these, GPUs that were there without being watched count too.
        """
        pricing = Pricing(quarters, self._background)
        by_hour: dict[tuple[int, int], list[GpuQuarter]] = {}
        for quarter in quarters.gpus:
            by_hour.setdefault((hour_of(quarter.quarter_ms), quarter.entity), []).append(quarter)
        for hour_ms in hours:
            for gpu in self._background.presence.gpus(hour_ms, hour_ms + HOUR_MS):
                by_hour.setdefault((hour_ms, gpu), [])
        for (hour_ms, gpu), rows in by_hour.items():
            self._take_hour(hour_ms, gpu, rows, pricing)

    def over(self, before_ms: int | None = None) -> list[tuple[Period, GpuPeriod]]:
        """Rows of the periods that end by then, all without it: by period, node and GPU. They are given once."""
        keys = [key for key in self._sums if before_ms is None or key[0].end_ms <= before_ms]
        found = [(key[0], self._sums.pop(key).row(*key, self._periods, self._background)) for key in keys]
        told = [(period, row) for period, row in found if row is not None]
        return sorted(told, key=lambda each: (each[0], each[1].node, each[1].gpu_index is None, each[1].gpu_index or 0))

    def _take_hour(self, hour_ms: int, gpu: int, rows: list[GpuQuarter], pricing: Pricing) -> None:
        currency = self._background.currency(hour_ms)
        for quarter_ms in range(hour_ms, hour_ms + HOUR_MS, QUARTER_MS):
            if self._within and not self._within.start_ms <= quarter_ms < self._within.end_ms:
                continue
            watched = [row for row in rows if row.quarter_ms == quarter_ms]
            owed = list(pricing.owed(gpu, quarter_ms, watched))
            if not watched and not owed:
                continue
            key = (self._periods.of(quarter_ms), gpu, currency)
            sums = self._sums.get(key)
            if sums is None:
                sums = self._sums[key] = _GpuSums()
            for row in watched:
                sums.add(row, pricing)
            for rate, amount in owed:
                sums.unobserved.book(rate, amount, idle=False)


def gpu_hours(quarters: Quarters, background: Background, hours: Iterable[int] = ()) -> list[GpuPeriod]:
    """The table of UTC hours from quarter rows that are all at hand; `hours`: as in `GpuTable.take`."""
    table = GpuTable(background, Periods())
    table.take(quarters, hours)
    return [row for _, row in table.over()]


class _GpuSums:
    """What the quarter rows of a GPU add up to in one period."""

    def __init__(self) -> None:
        self.charges, self.unobserved = Charges(), Charges()
        self.state_ms: Counter[int] = Counter()
        self.lost_mj = self.measured_ms = 0
        self.memory_mib_ms = self.memory_ms = self.util_permille_ms = self.util_ms = 0
        self.power_max_mw: int | None = None
        self.temperature_max_c: int | None = None
        self.runs: set[int] = set()

    def add(self, row: GpuQuarter, pricing: Pricing) -> None:
        pricing.book(row, self.charges)
        for state, ms in row.state_ms.items():
            self.state_ms[state] += ms
        self.lost_mj += row.lost_mj
        self.measured_ms += row.measured_ms
        self.memory_mib_ms += row.memory_mib_ms
        self.memory_ms += row.memory_ms
        self.util_permille_ms += row.util_permille_ms
        self.util_ms += row.util_ms
        self.power_max_mw = _larger(self.power_max_mw, row.power_max_mw)
        self.temperature_max_c = _larger(self.temperature_max_c, row.temperature_max_c)
        self.runs.add(row.run)

    def row(
        self, period: Period, gpu: int, currency: str | None, periods: Periods, background: Background
    ) -> GpuPeriod | None:
        """None where nothing is known of the period: a GPU's first reading alone is no interval."""
        charges, unobserved, state_ms = self.charges, self.unobserved, self.state_ms
        if charges.empty and unobserved.empty:
            return None
        facts = background.names.gpu(gpu, period.end_ms)
        memory_mib = _mean(self.memory_mib_ms, self.memory_ms)
        utilization = _mean(self.util_permille_ms, self.util_ms)
        energy_mj, parts = charges.energy_mj, charges.parts
        simulated = not self.runs.isdisjoint(background.simulated)
        return GpuPeriod(
            period_start=periods.written(period.start_ms),
            period_end=periods.written(period.end_ms),
            node=background.names.host(gpu),
            gpu_index=facts.index if facts else None,
            gpu_uuid=facts.uuid if facts else None,
            gpu_model=facts.name if facts else None,
            cost_basis=charges.basis or unobserved.basis,
            observed_s=charges.held_ms / 1000,
            coverage=charges.held_ms / period.length_ms,
            energy_board_j=None if energy_mj is None else energy_mj / 1000,
            energy_lost_max_j=max(0, self.lost_mj) / 1000,
            energy_facility_kwh=charges.facility_kwh,
            energy_basis=charges.energy_basis,
            host_share=charges.host_share,
            power_avg_w=None if energy_mj is None else _mean(energy_mj, self.measured_ms),
            power_max_w=None if self.power_max_mw is None else self.power_max_mw / 1000,
            util_avg=None if utilization is None else utilization / 1000,
            mem_used_avg_bytes=None if memory_mib is None else round(memory_mib * _MIB),
            temp_max_c=self.temperature_max_c,
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
            currency=currency,
            price_version=ids(charges.versions | unobserved.versions),
            restated=charges.restated or unobserved.restated,
            simulated=simulated if self.runs else background.presence.simulated(gpu),
        )


def _mean(amount: int, time_ms: int) -> float | None:
    return amount / time_ms if time_ms else None


def _larger(largest: int | None, value: int | None) -> int | None:
    if value is None:
        return largest
    return value if largest is None else max(largest, value)
