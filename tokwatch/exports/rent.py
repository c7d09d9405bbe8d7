"""What the time of a GPU quarter cost: its milliseconds under the versions of the price book."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.exports.names import Names
from tokwatch.exports.usage import Rate, Usage
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.gpu_terms import PricedGpu
from tokwatch.store.rollup import QUARTER_MS, GpuQuarter, split_counts


class StateTimes(Protocol):
    """Milliseconds a GPU spent in each State within (from_ms, to_ms] of some runs: `Reader.state_ms`."""

    def __call__(
        self, entity: int, from_ms: int, to_ms: int, runs: Collection[int] | None = None
    ) -> dict[int, int]: ...


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

    def usage(self, quarter: GpuQuarter) -> Usage:
        """Energy and priced time of a quarter row."""
        usage, _ = self.divide(quarter, frozenset(State))
        usage.energy_mj = quarter.energy_mj
        return usage

    def divide(self, quarter: GpuQuarter, states: Collection[int]) -> tuple[Usage, Usage]:
        """A quarter row as the part spent in `states`, and the rest.

        A row has one sum of energy: it is shared in proportion to time. The rest also has what was drawn while nobody
        watched.
        """
        inside, outside = Usage(gpus={quarter.entity}), Usage(gpus={quarter.entity})
        for state, ms in quarter.state_ms.items():
            part = inside if state in states else outside
            time = part.idle_ms if State(state).idle else part.busy_ms
            for rate, rate_ms in self._by_rate(quarter, state, ms):
                time[rate] = time.get(rate, 0) + rate_ms
        if quarter.energy_mj is not None:
            lengths_ms = (inside.observed_ms, outside.observed_ms + quarter.gap_ms)
            inside_mj, outside_mj = split_counts(quarter.energy_mj, lengths_ms)
            inside.energy_mj = inside_mj if lengths_ms[0] else None
            outside.energy_mj = outside_mj if lengths_ms[1] or not lengths_ms[0] else None
        return inside, outside

    def _by_rate(self, quarter: GpuQuarter, state: int, ms: int) -> list[tuple[Rate, int]]:
        """Milliseconds of one state under each rate.

        Where the price changes within the quarter, the store knows how long the GPU was in the state before and after;
        owners that shared that quarter get the same proportion.
        """
        segments = list(self._book.segments(quarter.quarter_ms, quarter.quarter_ms + QUARTER_MS))
        rates = [self._rate(quarter, version) for _, _, version in segments]
        if len(segments) == 1:
            return [(rates[0], ms)]
        lengths_ms = [
            self._state_ms(quarter.entity, start, end, [quarter.run]).get(state, 0) for start, end, _ in segments
        ]
        return [pair for pair in zip(rates, split_counts(ms, lengths_ms), strict=True) if pair[1]]

    def _rate(self, quarter: GpuQuarter, version: PriceVersion | None) -> Rate:
        hour_ms = hour_of(quarter.quarter_ms)
        if version is None or version.prices.currency != self.currency(hour_ms):
            return Rate(version.id if version else 0, None)
        facts = self._names.gpu(quarter.entity, hour_ms + HOUR_MS)
        fixed = version.prices.fixed(PricedGpu(facts.uuid, facts.name) if facts else PricedGpu(None, None))
        return Rate(version.id, fixed.total if fixed else None)
