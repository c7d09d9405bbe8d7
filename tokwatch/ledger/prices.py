"""The price book: what a GPU-hour costs, in versions that take effect in time. Dollars are computed, never stored."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import msgspec

MS_PER_HOUR = 3_600_000


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version's content: `[prices]` of the config."""

    currency: str = "USD"
    usd_per_gpu_hour: float | None = None  # every GPU that `gpu` does not name; amounts are in `currency`
    gpu: Mapping[str, float] = {}  # GPU name or UUID → price of a GPU-hour

    def rate(self, uuid: str | None, name: str | None) -> float | None:
        """Price of one GPU-hour: by UUID, else by name, else the general one; None when nobody set it."""
        for key in (uuid, name):
            if key is not None and key in self.gpu:
                return self.gpu[key]
        return self.usd_per_gpu_hour


class PriceVersion(msgspec.Struct, frozen=True):
    """A price book version, in force from effective_from_ms until the next one."""

    id: int
    effective_from_ms: int
    recorded_ms: int
    source: str  # "config" | "command line" | "set by you" | "demo"
    prices: Prices


class PriceBook:
    """All versions; of two with the same start the later recorded one holds."""

    def __init__(self, versions: tuple[PriceVersion, ...] = ()) -> None:
        self.versions = tuple(sorted(versions, key=lambda v: (v.effective_from_ms, v.id)))

    def at(self, at_ms: int) -> PriceVersion | None:
        """The version in force at an instant: effective_from ≤ at < the next one's."""
        found = None
        for version in self.versions:
            if version.effective_from_ms > at_ms:
                break
            found = version
        return found

    def segments(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, int, PriceVersion | None]]:
        """(from, to] cut where the version changes; the version is None before the first."""
        edges = [v.effective_from_ms for v in self.versions if from_ms < v.effective_from_ms < to_ms]
        cuts = [from_ms, *dict.fromkeys(edges), to_ms]
        for start, end in itertools.pairwise(cuts):
            yield start, end, self.at(start)

    def with_version(self, version: PriceVersion) -> PriceBook:
        """A book that holds one version more."""
        return PriceBook((*self.versions, version))


def cost(rate_per_hour: float, length_ms: int) -> float:
    """Rent of one GPU for a time: rate × hours."""
    return rate_per_hour * length_ms / MS_PER_HOUR
