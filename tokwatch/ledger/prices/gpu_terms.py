"""What holding a GPU costs an hour, by part: rented, or owned. Energy is apart, see `electricity`."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Literal, NamedTuple

import msgspec

HOURS_PER_YEAR = 8760.0
HOURS_PER_MONTH = HOURS_PER_YEAR / 12


class PricedGpu(NamedTuple):
    """Which GPU a price is asked for."""

    uuid: str | None
    model: str | None
    host: str = ""


class Parts(NamedTuple):
    """Dollars, or dollars an hour, by what they are paid for. The parts add up to the cost."""

    rent: float = 0.0
    capex: float = 0.0
    opex: float = 0.0
    space: float = 0.0
    energy: float = 0.0

    @property
    def total(self) -> float:
        return self.rent + self.capex + self.opex + self.space + self.energy

    def times(self, factor: float) -> Parts:
        """Each part times a number."""
        return Parts(
            self.rent * factor, self.capex * factor, self.opex * factor, self.space * factor, self.energy * factor
        )

    def plus(self, other: Parts) -> Parts:
        """Part by part."""
        return Parts(
            self.rent + other.rent,
            self.capex + other.capex,
            self.opex + other.opex,
            self.space + other.space,
            self.energy + other.energy,
        )


class Rent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, cache_hash=True, tag_field="basis", tag="rent"):
    """A GPU rented by the hour: reserved ones are paid for whether they work or not, elastic ones while held."""

    usd_per_gpu_hour: float
    elastic: bool = False
    power_included: bool = True

    @property
    def hourly(self) -> Parts:
        return Parts(rent=self.usd_per_gpu_hour)


class Own(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    cache_hash=True,
    dict=True,
    tag_field="basis",
    tag="own",
):
    """A GPU of one's own server."""

    server_usd: float  # what the server cost, its part of network and installation included
    gpus_per_server: int
    years: float  # economic life
    residual: float = 0.0  # share of the price that it is worth at the end
    cost_of_capital: float = 0.0  # a year
    depreciation: Literal["straight-line", "capital-recovery"] = "straight-line"
    opex_rate: float = 0.0  # support, spares, staff: share of the price a year
    colocation_usd_per_kw_month: float | None = None
    provisioned_kw: float | None = None  # per GPU; colocation is paid for it
    power_included: bool = False  # in the colocation

    @cached_property
    def hourly(self) -> Parts:
        """Fixed dollars an hour of one GPU.

        Straight line: P·(1 − residual)/(years·8760), which leaves the cost of capital out. Capital recovery: the
        annuity of P less the present value of the residual at the hourly rate i = (1 + r)^(1/8760) − 1.
        """
        price = self.server_usd / self.gpus_per_server
        space = (self.colocation_usd_per_kw_month or 0.0) * (self.provisioned_kw or 0.0) / HOURS_PER_MONTH
        return Parts(capex=self._capex(price), opex=self.opex_rate * price / HOURS_PER_YEAR, space=space)

    def _capex(self, price: float) -> float:
        if self.depreciation == "straight-line" or not self.cost_of_capital:
            return price * (1 - self.residual) / (self.years * HOURS_PER_YEAR)
        growth = math.log1p(self.cost_of_capital)
        discount, lost = math.exp(-growth * self.years), -math.expm1(-growth * self.years)
        # expm1: the hourly rate is near 1e-5, and subtracting 1 from a power would leave it few digits.
        return price * (1 - self.residual * discount) * math.expm1(growth / HOURS_PER_YEAR) / lost


class TermsFor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which GPUs some terms are for. Empty matches all; the most particular of several holds: GPU, host, model."""

    terms: Rent | Own
    gpu: str = ""  # UUID
    model: str = ""  # as the driver names it
    host: str = ""

    def fits(self, gpu: PricedGpu) -> bool:
        asked = (self.gpu, gpu.uuid), (self.model, gpu.model), (self.host, gpu.host)
        return all(wanted in ("", found) for wanted, found in asked)

    @property
    def rank(self) -> tuple[bool, bool, bool]:
        """Of the terms that fit, those of the highest rank hold."""
        return bool(self.gpu), bool(self.host), bool(self.model)
