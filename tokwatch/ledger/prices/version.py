"""The content of one version of the price book: everything that turns quantities into money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from tokwatch.ledger.prices.electricity import Electricity
from tokwatch.ledger.prices.facility import MJ_PER_KWH, Facility, facility_energy
from tokwatch.ledger.prices.gpu_terms import Own, Parts, PricedGpu, Rent, TermsFor
from tokwatch.ledger.prices.sites import Site
from tokwatch.ledger.prices.token_prices import Tokens


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[prices]` of the config, as the store keeps it. Amounts are in `currency`, whatever a name says."""

    currency: str = "USD"
    usd_per_gpu_hour: float | None = None  # rent of every GPU that nothing else names
    gpu: Mapping[str, float] = {}  # rent by UUID or model name
    terms: tuple[TermsFor, ...] = ()
    electricity: Electricity | None = None
    facility: Facility = Facility()
    tokens: Tokens = Tokens()
    sites: tuple[Site, ...] = ()

    def site_of(self, host: str) -> Site | None:
        """Where a host stands: the first site that has it."""
        return next((site for site in self.sites if site.has(host)), None)

    def electricity_at(self, host: str) -> Electricity | None:
        """What a kilowatt-hour costs where a host stands."""
        site = self.site_of(host)
        return (site.electricity if site else None) or self.electricity

    def facility_at(self, host: str) -> Facility:
        """From board power to the meter of the building that a host is in."""
        site = self.site_of(host)
        if site is None or not (site.facility or site.carbon):
            return self.facility
        carbon = site.carbon or self.facility.carbon
        return msgspec.structs.replace(site.facility or self.facility, carbon=carbon)

    def terms_of(self, gpu: PricedGpu) -> Rent | Own | None:
        """The terms of one GPU: the most particular of all that fit it; of equally particular ones `terms`."""
        fitting = max(
            (each for each in self._all_terms(gpu) if each.fits(gpu)), key=lambda each: each.rank, default=None
        )
        return fitting.terms if fitting else None

    def _all_terms(self, gpu: PricedGpu) -> Iterator[TermsFor]:
        yield from self.terms
        if gpu.uuid is not None and gpu.uuid in self.gpu:
            yield TermsFor(Rent(self.gpu[gpu.uuid]), gpu=gpu.uuid)
        if gpu.model is not None and gpu.model in self.gpu:
            yield TermsFor(Rent(self.gpu[gpu.model]), model=gpu.model)
        site = self.site_of(gpu.host)
        rent = self.usd_per_gpu_hour if site is None or site.usd_per_gpu_hour is None else site.usd_per_gpu_hour
        if rent is not None:
            yield TermsFor(Rent(rent))

    def rented_at(self, usd_per_gpu_hour: float) -> Prices:
        """The same with one rent for every GPU."""
        sites = tuple(msgspec.structs.replace(site, usd_per_gpu_hour=None) for site in self.sites)
        return msgspec.structs.replace(self, usd_per_gpu_hour=usd_per_gpu_hour, gpu={}, terms=(), sites=sites)

    def fixed(self, gpu: PricedGpu) -> Parts | None:
        """Dollars an hour that are owed whether it works or not; None when nobody set a price."""
        terms = self.terms_of(gpu)
        return terms.hourly if terms else None

    def metered(self, gpu: PricedGpu) -> bool:
        """Its electricity is paid for by itself."""
        terms = self.terms_of(gpu)
        return terms is not None and not terms.power_included

    def energy_usd(
        self, board_mj: float, held_ms: float, host_mj: float | None, usd_per_kwh: float | None
    ) -> tuple[float | None, bool]:
        """(dollars of what was drawn, whether all of it is in them); None without a price of electricity."""
        if usd_per_kwh is None:
            return None, False
        drawn = facility_energy(self.facility, board_mj, held_ms, host_mj)
        return drawn.energy_mj / MJ_PER_KWH * usd_per_kwh, drawn.whole
