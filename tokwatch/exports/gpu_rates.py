"""By what each GPU is paid for in each quarter hour. The price book is asked once for all that is paid for alike."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from tokwatch.exports.background import Background
from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.ledger.prices.gpu_terms import PricedGpu
from tokwatch.ledger.rating import Rate, rate_of, segments
from tokwatch.store.rollup import QUARTER_MS


class Segment(NamedTuple):
    """A stretch of a quarter hour under one rate."""

    from_ms: int
    to_ms: int
    rate: Rate


class _Prices(NamedTuple):
    """A stretch of a quarter hour under one version of the price book and one price of a kilowatt-hour."""

    from_ms: int
    to_ms: int
    version: int  # 0: none was in force
    usd_per_kwh: float | None
    currency: str | None  # of the hour


class GpuRates:
    """Remembers what it has found out: one for each stretch of hours that is read at a time."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._versions = {version.id: version for version in background.book.versions}
        self._prices, self._priced = cache(self._find_prices), cache(self._find_priced)
        self._rate, self._segments = cache(self._find_rate), cache(self._find_segments)

    def of(self, gpu: int, quarter_ms: int) -> tuple[Segment, ...]:
        """The segments of a quarter hour, one after the other; equal rates are one object."""
        return self._segments(self._priced(gpu, hour_of(quarter_ms)), quarter_ms)

    def model(self, gpu: int, quarter_ms: int) -> str:
        """The GPU's model, as it was priced; "" where it is not known."""
        return self._priced(gpu, hour_of(quarter_ms)).model or ""

    def _find_segments(self, gpu: PricedGpu, quarter_ms: int) -> tuple[Segment, ...]:
        return tuple(
            Segment(each.from_ms, each.to_ms, self._rate(gpu, each.version, each.usd_per_kwh, each.currency))
            for each in self._prices(quarter_ms)
        )

    def _find_prices(self, quarter_ms: int) -> tuple[_Prices, ...]:
        currency = self._background.currency(hour_of(quarter_ms))
        return tuple(
            _Prices(from_ms, to_ms, version.id if version else 0, usd_per_kwh, currency)
            for from_ms, to_ms, version, usd_per_kwh in segments(
                self._background.book, quarter_ms, quarter_ms + QUARTER_MS
            )
        )

    def _find_priced(self, gpu: int, hour_ms: int) -> PricedGpu:
        """As it is called when the hour ends: a driver may name it otherwise from some hour on."""
        facts = self._background.names.gpu(gpu, hour_ms + HOUR_MS)
        host = self._background.names.host(gpu)
        return PricedGpu(facts.uuid if facts else None, facts.name if facts else None, host)

    def _find_rate(self, gpu: PricedGpu, version: int, usd_per_kwh: float | None, currency: str | None) -> Rate:
        return rate_of(self._versions.get(version), gpu, usd_per_kwh, currency)
