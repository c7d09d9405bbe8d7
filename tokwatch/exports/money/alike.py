"""Quarter rows that are paid for alike, added up before they are priced: a week of 64 GPUs has 43 000 rows.

All that a price is applied to is a sum (see `Charges`), so the price of a sum is the sum of the prices, to the
millijoule. Rows whose parts `Pricing` divides by time stay as they are: there a sum would be divided otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable

from tokwatch.exports.gpu_rates import GpuRates
from tokwatch.ledger.accounts import NOBODYS
from tokwatch.store.quarter_rows import GpuQuarter

_NOBODYS = frozenset(state.value for state in NOBODYS)


class Alike:
    """Says which rows of a stretch are paid for alike, and adds them up."""

    def __init__(self, rates: GpuRates, *, each_gpu: bool, each_quarter: bool) -> None:
        """each_gpu, each_quarter: rows of different ones are not added up."""
        self._rates, self._each_gpu, self._each_quarter = rates, each_gpu, each_quarter

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
        """What tells how a row is paid for from how others are; None where prices change within it, and where its box's
        own measured energy belongs to them."""
        segments = self._rates.of(row.entity, row.quarter_ms)
        rate = segments[0].rate
        if len(segments) > 1 or rate.facility.host == "measured":
            return None
        if row.energy_mj is not None and row.idle_energy_mj is None:
            return None
        nobodys = not row.state_ms.keys().isdisjoint(_NOBODYS)
        if nobodys and row.owner and (row.gap_ms or not row.state_ms.keys() <= _NOBODYS):
            return None
        return (
            row.owner,
            nobodys,
            row.energy_mj is None,
            rate,
            self._rates.model(row.entity, row.quarter_ms),
            row.entity if self._each_gpu else 0,
            row.quarter_ms if self._each_quarter or divided(row.owner) else 0,
        )


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
