"""What the time of a GPU quarter cost: its milliseconds under the versions of the price book (tokenomics §3.1, rent)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.exports.names import Names
from tokwatch.exports.usage import Rate, Usage
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices import PriceBook, PriceVersion
from tokwatch.store.rollup import QUARTER_MS, GpuQuarter, split_counts


class StateTimes(Protocol):
    """Milliseconds a GPU spent in each State within (from_ms, to_ms] of some runs: `Reader.state_ms`."""

    def __call__(self, entity: int, from_ms: int, to_ms: int, runs: Collection[int] | None = None) -> dict[int, int]: ...


class Rent:
    """Prices quarter rows. Observed time is paid for; time that nobody watched is not."""

    def __init__(self, book: PriceBook, names: Names, state_ms: StateTimes) -> None:
        self._book = book
        self._names = names
        self._state_ms = state_ms

    def currency(self, hour_ms: int) -> str | None:
        """The currency of an hour's amounts: that in force when it ends."""
        version = self._book.at(hour_ms + HOUR_MS - 1)
        return version.prices.currency if version else None

    def usage(self, quarter: GpuQuarter, states: Collection[int] | None = None) -> Usage:
        """Energy and priced time of a quarter row; with `states`, the part of it that was spent in these.

        The energy of a part is the row's in proportion to time; what was drawn while nobody watched belongs to the
        part that `states` leaves out.
        """
        inside_ms = sum(ms for state, ms in quarter.state_ms.items() if states is None or state in states)
        energy_mj = quarter.energy_mj
        if states is not None and energy_mj is not None:
            outside_ms = quarter.observed_ms - inside_ms + quarter.gap_ms
            energy_mj = split_counts(energy_mj, (inside_ms, outside_ms))[0]
        usage = Usage(energy_mj, gpus={quarter.entity})
        for state, ms in quarter.state_ms.items():
            if states is None or state in states:
                time = usage.idle_ms if State(state).idle else usage.busy_ms
                for rate, part_ms in self._by_rate(quarter, state, ms):
                    time[rate] = time.get(rate, 0) + part_ms
        return usage
