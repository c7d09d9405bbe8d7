"""What GPUs cost over a stretch of time, bucket by bucket: idle, at work, and the electricity of those at work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from tokwatch.ledger.charges import Charges
from tokwatch.ledger.money.shapes import CostPerHour
from tokwatch.ledger.prices.book import MS_PER_HOUR
from tokwatch.ledger.prices.gpu_terms import Parts


class CostByPart(NamedTuple):
    """Dollars, or dollars an hour; the three add up to the cost."""

    idle: float  # of GPUs in an idle state, with what they draw
    at_work: float  # rent, capital, operation and space of all others
    energy: float  # … and their electricity, where it is paid for by itself

    @property
    def total(self) -> float:
        """All three."""
        return self.idle + self.at_work + self.energy


@dataclass(frozen=True, slots=True)
class CostBucket:
    """What was charged in one bucket; `watched_ms` of it, by any GPU."""

    usd: CostByPart | None  # None: nobody watched, or nothing has a price
    watched_ms: int

    @property
    def usd_per_hour(self) -> CostByPart | None:
        """Over the time that was watched: a bucket that has only begun, or has a gap in it, is not cheaper for that."""
        if self.usd is None or not self.watched_ms:
            return None
        return CostByPart(*(usd * MS_PER_HOUR / self.watched_ms for usd in self.usd))


@dataclass(frozen=True, slots=True)
class CostHistory:
    """Bucket i is (from_ms + i × step_ms, + step_ms]."""

    from_ms: int
    step_ms: int
    buckets: tuple[CostBucket, ...]

    @property
    def known(self) -> bool:
        """Some bucket has a cost."""
        return any(bucket.usd_per_hour is not None for bucket in self.buckets)

    def since_known(self, least: int) -> CostHistory:
        """Without the buckets before the first with a cost, down to the last `least` ones."""
        first = next((i for i, bucket in enumerate(self.buckets) if bucket.usd_per_hour is not None), 0)
        first = max(0, min(first, len(self.buckets) - least))
        return CostHistory(self.from_ms + first * self.step_ms, self.step_ms, self.buckets[first:])


def by_part(charges: Charges) -> CostByPart | None:
    """Charges as dollars by part; None where nothing of them has a price."""
    whole, idle_usd = charges.parts, charges.idle_usd
    if whole is None or idle_usd is None:
        return None
    busy = Charges(busy=charges.busy).parts or Parts()
    return CostByPart(idle_usd, busy.total - busy.energy, busy.energy)


def present_by_part(cost: CostPerHour) -> CostByPart | None:
    """A Snapshot's cost an hour by the same parts; None where it has none."""
    total, energy, idle, idle_energy = (
        figure.value for figure in (cost.total, cost.energy, cost.idle, cost.idle_energy)
    )
    if total is None or energy is None or idle is None or idle_energy is None:
        return None
    busy_energy = energy - idle_energy
    return CostByPart(idle, total - idle - busy_energy, busy_energy)


def watched_ms(observed: Iterable[tuple[int, int, int]]) -> dict[int, int]:
    """Of (quarter_ms, gpu, observed_ms): by quarter, how long the GPU that was watched longest was watched."""
    of_gpu: dict[tuple[int, int], int] = {}
    for quarter_ms, gpu, ms in observed:
        of_gpu[quarter_ms, gpu] = of_gpu.get((quarter_ms, gpu), 0) + ms
    longest: dict[int, int] = {}
    for (quarter_ms, _), ms in of_gpu.items():
        longest[quarter_ms] = max(longest.get(quarter_ms, 0), ms)
    return longest
