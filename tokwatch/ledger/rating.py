"""By what a GPU is paid for at an instant: one version of the price book, one price of electricity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tokwatch.ledger.prices import electricity
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.facility import Facility
from tokwatch.ledger.prices.gpu_terms import Own, Rent


class Rate(NamedTuple):
    """What one GPU is paid for by, in one version of the price book and at one price of electricity."""

    version: int = 0  # 0: none was in force
    restated: bool = False
    terms: Rent | Own | None = None  # None: no price for this GPU, or in another currency than the period's
    usd_per_kwh: float | None = None
    facility: Facility = Facility()

    @property
    def metered(self) -> bool:
        """Electricity is paid for by itself."""
        return self.terms is not None and not self.terms.power_included


def segments(
    book: PriceBook, host: str, from_ms: int, to_ms: int
) -> Iterator[tuple[int, int, PriceVersion | None, float | None]]:
    """(from, to] cut where the version in force or its price of a kilowatt-hour at the host changes, with both."""
    for start_ms, end_ms, version in book.segments(from_ms, to_ms):
        tariff = version.prices.electricity_at(host) if version else None
        for edge_ms, next_ms, usd_per_kwh in electricity.segments(tariff, start_ms, end_ms):
            yield edge_ms, next_ms, version, usd_per_kwh


def rate_of(
    version: PriceVersion | None, host: str, terms: Rent | Own | None, usd_per_kwh: float | None, currency: str | None
) -> Rate:
    """The rate of a host's GPU under a version, its terms there, and a price of a kilowatt-hour.

    currency: of the period that is added up; amounts in another one have no price.
    """
    if version is None:
        return Rate()
    facility = version.prices.facility_at(host)
    if currency is not None and version.prices.currency != currency:
        return Rate(version.id, version.restates, facility=facility)
    return Rate(version.id, version.restates, terms, usd_per_kwh, facility)
