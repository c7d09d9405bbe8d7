"""What a host is paid for by at an instant: its site, the terms of its GPUs, its tariff, its building."""

from __future__ import annotations

from typing import NamedTuple

from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import NO_PRICE, unknown
from tokwatch.ledger.prices.electricity import Electricity
from tokwatch.ledger.prices.facility import Facility, facility_energy
from tokwatch.ledger.prices.gpu_terms import Own, PricedGpu, Rent
from tokwatch.ledger.prices.sites import Site
from tokwatch.ledger.prices.version import Prices

_NO_GPUS = "the number of its GPUs is not told"
_W_PER_KW = 1000.0
_MJ_PER_J = 1000.0
_MS_PER_S = 1000.0


class HostPrice(NamedTuple):
    """By what one host is paid for. Without prices nothing has a price, and the building adds nothing."""

    site: Site | None = None
    terms: Rent | Own | None = None
    usd_per_kwh: float | None = None
    facility: Facility = Facility()

    def facility_w(self, board: Figure, gpus: int | None) -> Figure:
        """(board + host) × PUE. Where neither the host's share nor a PUE is told it is the boards alone: "part"."""
        if board.value is None:
            return board
        drawn = facility_energy(self.facility, board.value * _MJ_PER_J, (gpus or 0) * _MS_PER_S, None)
        whole = drawn.whole and self.facility.basis != "board"
        return Figure(drawn.energy_mj / _MJ_PER_J, coverage=board.coverage, marks=_marks(board, part=not whole))

    def usd_per_hour(self, gpus: int | None, facility_w: Figure) -> Figure:
        """What all its GPUs cost, with their electricity where that is paid for by itself; "part" where it is not known
        what was drawn or what it costs."""
        if self.terms is None:
            return unknown(NO_PRICE)
        if gpus is None:
            return unknown(_NO_GPUS)
        fixed = self.terms.hourly.total * gpus
        if self.terms.power_included or not gpus:
            return Figure(fixed)
        if self.usd_per_kwh is None or facility_w.value is None:
            return Figure(fixed, marks=("part",))
        energy = facility_w.value / _W_PER_KW * self.usd_per_kwh
        return Figure(fixed + energy, coverage=facility_w.coverage, marks=facility_w.marks)

    def idle_usd_per_hour(self, gpus_idle: int) -> Figure:
        """The fixed cost of its idle GPUs. Their own share of the electricity is not known: "part" where it is paid."""
        if self.terms is None:
            return unknown(NO_PRICE)
        part = gpus_idle > 0 and not self.terms.power_included
        return Figure(self.terms.hourly.total * gpus_idle, marks=("part",) if part else ())


class HostPrices:
    """The prices of one version at one instant, host by host."""

    def __init__(self, prices: Prices | None, at_ms: int) -> None:
        self._prices = prices
        self._at_ms = at_ms
        self._tariffs: dict[int, float | None] = {}  # by identity: hosts of a site share theirs
        self._alike: dict[tuple[Site | None, str], HostPrice] = {}  # by site and GPU, where no terms are a host's own
        self._is_by_host = prices is not None and any(each.host for each in prices.terms)

    def of(self, host: str, gpu_model: str) -> HostPrice:
        """gpu_model: "" where it is not told."""
        prices = self._prices
        if prices is None:
            return HostPrice()
        site = prices.site_of(host)
        alike = site, gpu_model
        if alike not in self._alike or self._is_by_host:
            self._alike[alike] = self._find(prices, site, host, gpu_model)
        return self._alike[alike]

    def _find(self, prices: Prices, site: Site | None, host: str, gpu_model: str) -> HostPrice:
        tariff = (site.electricity if site else None) or prices.electricity
        facility = (site.facility if site else None) or prices.facility
        terms = prices.terms_of(PricedGpu(None, gpu_model or None, host))
        return HostPrice(site, terms, self._usd_per_kwh(tariff), facility)

    def at_site(self, site: Site) -> HostPrice:
        """What holds at a site, whoever stands there."""
        prices = self._prices or Prices()
        usd_per_kwh = self._usd_per_kwh(site.electricity or prices.electricity)
        return HostPrice(site, None, usd_per_kwh, site.facility or prices.facility)

    def _usd_per_kwh(self, tariff: Electricity | None) -> float | None:
        if tariff is None:
            return None
        if id(tariff) not in self._tariffs:
            self._tariffs[id(tariff)] = tariff.at(self._at_ms)
        return self._tariffs[id(tariff)]


def _marks(figure: Figure, *, part: bool) -> tuple[str, ...]:
    return tuple(sorted({*figure.marks, "part"})) if part else figure.marks
