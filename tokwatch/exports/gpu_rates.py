"""By what each GPU is paid for in each quarter hour. The price book is asked once for all that is paid for alike."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from tokwatch.exports.background import Background
from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.ledger.prices.gpu_terms import Own, PricedGpu, Rent
from tokwatch.ledger.prices.sites import Site
from tokwatch.ledger.rating import Rate, rate_of, segments
from tokwatch.store.rollup import QUARTER_MS


class Segment(NamedTuple):
    """A stretch of a quarter hour under one rate."""

    from_ms: int
    to_ms: int
    rate: Rate


_Terms = tuple[Rent | Own | None, ...]  # in each version of the price book


class GpuRates:
    """Remembers what it has found out: one for each stretch of hours that is read at a time."""

    def __init__(self, background: Background) -> None:
        self._background, self._versions = background, background.book.versions
        self._at_sites: dict[tuple[Site | None, ...], str] = {}
        self._priced, self._terms = cache(self._find_priced), cache(self._find_terms)
        self._segments, self._rate = cache(self._find_segments), cache(self._find_rate)
        self._site = cache(self._find_site)

    def of(self, gpu: int, quarter_ms: int) -> tuple[Segment, ...]:
        """The segments of a quarter hour, one after the other; equal rates are one object."""
        priced = self._priced(gpu, hour_of(quarter_ms))
        return self._segments(self._site(priced.host), self._terms(priced), quarter_ms)

    def model(self, gpu: int, quarter_ms: int) -> str:
        """The GPU's model, as it was priced; "" where it is not known."""
        return self._priced(gpu, hour_of(quarter_ms)).model or ""

    def _find_priced(self, gpu: int, hour_ms: int) -> PricedGpu:
        """As it is called when the hour ends: a driver may name it otherwise from some hour on."""
        facts = self._background.names.gpu(gpu, hour_ms + HOUR_MS)
        host = self._background.names.host(gpu)
        return PricedGpu(facts.uuid if facts else None, facts.name if facts else None, host)

    def _find_terms(self, gpu: PricedGpu) -> _Terms:
        return tuple(version.prices.terms_of(gpu) for version in self._versions)

    def _find_site(self, host: str) -> str:
        """A host that stands for all that are priced alike: the first seen of those at its sites."""
        return self._at_sites.setdefault(tuple(version.prices.site_of(host) for version in self._versions), host)

    def _find_segments(self, host: str, terms: _Terms, quarter_ms: int) -> tuple[Segment, ...]:
        currency = self._background.currency(hour_of(quarter_ms))
        return tuple(
            Segment(from_ms, to_ms, self._rate(host, terms, version.id if version else 0, usd_per_kwh, currency))
            for from_ms, to_ms, version, usd_per_kwh in segments(
                self._background.book, host, quarter_ms, quarter_ms + QUARTER_MS
            )
        )

    def _find_rate(
        self, host: str, terms: _Terms, version: int, usd_per_kwh: float | None, currency: str | None
    ) -> Rate:
        for each, own in zip(self._versions, terms, strict=True):
            if each.id == version:
                return rate_of(each, host, own, usd_per_kwh, currency)
        return rate_of(None, host, None, usd_per_kwh, currency)
