"""Quarter rows that are paid for alike, added up before they are priced: a week of 64 GPUs has 43 000 rows.

All that a price is applied to is a sum (see `Charges`), so the price of a sum is the sum of the prices, to the
millijoule. Rows whose parts `Pricing` divides by time stay as they are: there a sum would be divided otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from functools import cache

from tokwatch.exports.background import Background
from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.ledger.accounts import NOBODYS
from tokwatch.ledger.prices import electricity
from tokwatch.ledger.prices.gpu_terms import PricedGpu
from tokwatch.store.quarter_rows import GpuQuarter
from tokwatch.store.rollup import QUARTER_MS

_NOBODYS = frozenset(state.value for state in NOBODYS)


class Alike:
    """Says which rows are paid for alike, and adds them up."""

    def __init__(self, background: Background, *, each_gpu: bool, each_quarter: bool) -> None:
        """each_gpu, each_quarter: rows of different ones are not added up."""
        self._background = background
        self._each_gpu, self._each_quarter = each_gpu, each_quarter
        self._prices = cache(self._find_prices)
        self._priced = cache(self._find_priced)
        self._terms = cache(self._find_terms)

    def added(self, rows: Iterable[GpuQuarter], divided: Callable[[int], bool]) -> list[GpuQuarter]:
        """Fewer rows with the same sums of time and energy. `divided`: an owner's GPUs are shared out by the tokens of
        each quarter hour."""
        groups: dict[Hashable, list[GpuQuarter]] = defaultdict(list)
        alone: list[GpuQuarter] = []
        for row in rows:
            key = self._key(row, divided)
            if key is None:
                alone.append(row)
            else:
                groups[key].append(row)
        return alone + [group[0] if len(group) == 1 else _sum(group) for group in groups.values()]

    def _key(self, row: GpuQuarter, divided: Callable[[int], bool]) -> Hashable | None:
        prices = self._prices(row.quarter_ms)
        if prices is None or (row.energy_mj is not None and row.idle_energy_mj is None):
            return None
        nobodys = not row.state_ms.keys().isdisjoint(_NOBODYS)
        if nobodys and row.owner and (row.gap_ms or not row.state_ms.keys() <= _NOBODYS):
            return None
        return (
            row.owner,
            nobodys,
            row.energy_mj is None,
            prices,
            row.entity if self._each_gpu else 0,
            self._terms(self._priced(row.entity, hour_of(row.quarter_ms))),
            row.quarter_ms if self._each_quarter or divided(row.owner) else 0,
        )

    def _find_prices(self, quarter_ms: int) -> Hashable | None:
        """What tells the prices of a quarter hour from those of another; None where they change within it, and where
        each box's own measured energy belongs to them."""
        [*segments] = self._background.book.segments(quarter_ms, quarter_ms + QUARTER_MS)
        version = segments[0][2]
        if len(segments) > 1 or (version and version.prices.facility.host == "measured"):
            return None
        tariff = version.prices.electricity if version else None
        [*prices] = electricity.segments(tariff, quarter_ms, quarter_ms + QUARTER_MS)
        if len(prices) > 1:
            return None
        return version.id if version else 0, prices[0][2], self._background.currency(hour_of(quarter_ms))

    def _find_priced(self, gpu: int, hour_ms: int) -> PricedGpu:
        """As `Pricing` asks for its price: a driver may name it otherwise from some hour on."""
        names = self._background.names
        facts = names.gpu(gpu, hour_ms + HOUR_MS)
        return PricedGpu(facts.uuid if facts else None, facts.name if facts else None, names.host(gpu))

    def _find_terms(self, gpu: PricedGpu) -> Hashable:
        """What tells how a GPU is paid for from how others are, in every version."""
        return tuple(version.prices.terms_of(gpu) for version in self._background.book.versions)


def _sum(rows: list[GpuQuarter]) -> GpuQuarter:
    state_ms: dict[int, int] = {}
    gap_ms = energy_mj = idle_energy_mj = measured_ms = 0
    for row in rows:
        for state, ms in row.state_ms.items():
            state_ms[state] = state_ms.get(state, 0) + ms
        gap_ms += row.gap_ms
        energy_mj += row.energy_mj or 0
        idle_energy_mj += row.idle_energy_mj or 0
        measured_ms += row.measured_ms
    first = rows[0]
    return GpuQuarter(
        quarter_ms=first.quarter_ms,
        run=first.run,
        entity=first.entity,
        owner=first.owner,
        state_ms=state_ms,
        gap_ms=gap_ms,
        energy_mj=None if first.energy_mj is None else energy_mj,
        idle_energy_mj=None if first.energy_mj is None else idle_energy_mj,
        measured_ms=measured_ms,
        # Charges ask for none of these.
        power_max_mw=None,
        power_mw_ms=0,
        power_ms=0,
        util_permille_ms=0,
        util_ms=0,
        memory_mib_ms=0,
        memory_ms=0,
        temperature_max_c=None,
        entries=0,
        flags=0,
    )
