"""What GPUs gave to one row: energy, and milliseconds at the rate they were paid for. Integers until the last step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tokwatch.ledger.prices.book import MS_PER_HOUR, cost
from tokwatch.store.rollup import split_counts


class Rate(NamedTuple):
    """What an hour of one GPU cost under one version of the price book."""

    version: int  # 0: no version was in force
    usd_per_hour: float | None  # None: no price for this GPU, or in another currency than the hour's


@dataclass(slots=True)
class Usage:
    """Energy and observed time of one or several GPUs; sums and splits lose nothing."""

    energy_mj: int | None = None
    busy_ms: dict[Rate, int] = field(default_factory=dict)
    idle_ms: dict[Rate, int] = field(default_factory=dict)  # in an idle State
    gpus: set[int] = field(default_factory=set)

    def add(self, other: Usage) -> None:
        if other.energy_mj is not None:
            self.energy_mj = (self.energy_mj or 0) + other.energy_mj
        for mine, theirs in ((self.busy_ms, other.busy_ms), (self.idle_ms, other.idle_ms)):
            for rate, ms in theirs.items():
                mine[rate] = mine.get(rate, 0) + ms
        self.gpus |= other.gpus

    def split(self, weights: Sequence[int]) -> list[Usage]:
        """Parts in proportion to the weights (largest remainder), which add up to the whole."""
        energies = [None] * len(weights) if self.energy_mj is None else split_counts(self.energy_mj, weights)
        busy, idle = (_split_time(time, weights) for time in (self.busy_ms, self.idle_ms))
        return [
            Usage(energy_mj, busy_part, idle_part, set(self.gpus))
            for energy_mj, busy_part, idle_part in zip(energies, busy, idle, strict=True)
        ]

    @property
    def empty(self) -> bool:
        return self.energy_mj is None and not self.observed_ms

    @property
    def observed_ms(self) -> int:
        return sum(self.busy_ms.values()) + sum(self.idle_ms.values())

    @property
    def unpriced_ms(self) -> int:
        """Observed time that nobody set a price for."""
        return self.observed_ms - sum(self._priced_ms().values())

    @property
    def busy_usd(self) -> float | None:
        """Cost of the time that was not idle; None when no time has a price."""
        return _usd(self.busy_ms) if self._priced_ms() else None

    @property
    def idle_usd(self) -> float | None:
        """Cost of the idle time; None when no time has a price."""
        return _usd(self.idle_ms) if self._priced_ms() else None

    @property
    def total_usd(self) -> float | None:
        """busy_usd + idle_usd."""
        return _usd(self.busy_ms) + _usd(self.idle_ms) if self._priced_ms() else None

    @property
    def usd_per_hour(self) -> float | None:
        """The rate, weighted by time where it changed; None when no time has a price."""
        priced = self._priced_ms()
        rates = {rate.usd_per_hour for rate in priced}
        if len(rates) == 1:
            return rates.pop()
        return _usd(priced) * MS_PER_HOUR / sum(priced.values()) if priced else None

    @property
    def versions(self) -> str | None:
        """Ids of the price versions behind the cost, "3" or "3+4"; None when no time has a price."""
        return "+".join(str(version) for version in sorted({rate.version for rate in self._priced_ms()})) or None

    def _priced_ms(self) -> dict[Rate, int]:
        priced: dict[Rate, int] = {}
        for time in (self.busy_ms, self.idle_ms):
            for rate, ms in time.items():
                if ms and rate.usd_per_hour is not None:
                    priced[rate] = priced.get(rate, 0) + ms
        return priced


def _split_time(time: Mapping[Rate, int], weights: Sequence[int]) -> list[dict[Rate, int]]:
    parts: list[dict[Rate, int]] = [{} for _ in weights]
    for rate, ms in time.items():
        for part, share_ms in zip(parts, split_counts(ms, weights), strict=True):
            if share_ms:
                part[rate] = share_ms
    return parts


def _usd(time: Mapping[Rate, int]) -> float:
    return sum((cost(rate.usd_per_hour, ms) for rate, ms in time.items() if rate.usd_per_hour is not None), 0.0)
