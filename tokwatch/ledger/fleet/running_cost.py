"""Running cost: what the GPUs of a box have cost since the run began, by part, at the prices in force then. Pure.

Watched time is paid for, energy wherever it was measured, as in exports. The counter is what was owed when it passed:
a price that is restated later changes exports and screens, and not what was counted. Energy is the boards' and what the
price book adds to it by itself; the share of a host that is measured (`host = "measured"`) is not in it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from tokwatch.ledger.bodies import GpuBody
from tokwatch.ledger.charges import Amount, Charges
from tokwatch.ledger.entries import Flag, GpuEntry, State, TickRecord
from tokwatch.ledger.prices.gpu_terms import Parts, PricedGpu
from tokwatch.ledger.rating import rate_of, segments
from tokwatch.ledger.view import View
from tokwatch.ledger.weights import split_counts

_GAP: Final = Flag.GAP.value


class RunningCost:
    """Dollars by currency and part; nothing where no price was set."""

    def __init__(self) -> None:
        self._parts: dict[str, Parts] = {}

    @property
    def parts(self) -> tuple[tuple[str, Parts], ...]:
        """(currency, what it adds up to)."""
        return tuple(sorted(self._parts.items()))

    def add(self, record: TickRecord, view: View) -> None:
        """Count one tick in; `view`: with the tick folded in, so that it has the facts and prices of then."""
        if not view.book.versions:
            return
        charges: dict[str, Charges] = defaultdict(Charges)
        for gpu in record.gpus:
            facts = view.in_force.get(("facts", gpu.entity, ""))
            if isinstance(facts, GpuBody):
                _charge(gpu, PricedGpu(facts.uuid, facts.name, view.run.host), view, charges)
        for currency, charged in charges.items():
            if (parts := charged.parts) is not None:
                self._parts[currency] = self._parts.get(currency, Parts()).plus(parts)


def _charge(entry: GpuEntry, gpu: PricedGpu, view: View, charges: dict[str, Charges]) -> None:
    pieces = list(segments(view.book, gpu.host, entry.t0_ms, entry.t1_ms))
    lengths_ms = [to_ms - from_ms for from_ms, to_ms, _, _ in pieces]
    energies = split_counts(entry.energy_mj or 0, lengths_ms)
    measured = split_counts(entry.measured_ms, lengths_ms)
    idle, watched = State(entry.state).idle, not entry.flags & _GAP
    for (_, _, version, usd_per_kwh), length_ms, energy_mj, measured_ms in zip(
        pieces, lengths_ms, energies, measured, strict=True
    ):
        if version is None:
            continue
        rate = rate_of(version, gpu.host, version.prices.terms_of(gpu), usd_per_kwh, None)
        amount = Amount(length_ms if watched else 0, length_ms, measured_ms, energy_mj)
        charges[version.prices.currency].book(rate, amount, idle=idle and watched)
