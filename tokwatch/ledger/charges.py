"""What GPUs took and what it costs: whole milliseconds and millijoules under each rate, dollars only when asked for.

Sums and splits of charges lose nothing, so the money of models adds up to that of GPUs, and minutes to months.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tokwatch.ledger.prices.book import MS_PER_HOUR
from tokwatch.ledger.prices.facility import MJ_PER_KWH, facility_energy
from tokwatch.ledger.prices.gpu_terms import Own, Parts
from tokwatch.ledger.rating import Rate
from tokwatch.ledger.weights import split_counts

_HOST_KNOWN_FROM = 0.99  # of the time: a recorder's first tick has no host energy yet


class Amount(NamedTuple):
    """What was taken under one rate; everything adds up."""

    held_ms: int = 0  # observed: the time that fixed parts are owed for
    drawn_ms: int = 0  # … and the time that nobody watched but whose energy may be known
    measured_ms: int = 0  # the time that board_mj speaks for, and any host's share
    board_mj: int = 0
    host_mj: int = 0  # the GPU's share of what its box was measured to draw besides boards
    host_ms: int = 0  # the time that host_mj speaks for

    def plus(self, other: Amount) -> Amount:
        """Number by number."""
        return Amount(*map(int.__add__, self, other))

    def split(self, weights: Sequence[int]) -> list[Amount]:
        """Parts in proportion to the weights (largest remainder), which add up to the whole."""
        return [Amount(*each) for each in zip(*(split_counts(number, weights) for number in self), strict=True)]


@dataclass(slots=True)
class Charges:
    """Energy and time of one or several GPUs, of any period."""

    busy: dict[Rate, Amount] = field(default_factory=dict)
    idle: dict[Rate, Amount] = field(default_factory=dict)  # in an idle State
    gpus: set[int] = field(default_factory=set)
    host_sources: set[str] = field(default_factory=set)  # "box" | "packages": what host_mj was measured by

    # --- sums and parts -------------------------------------------------------------------------------------------

    def book(self, rate: Rate, amount: Amount, *, idle: bool) -> None:
        """Add an amount at a rate."""
        booked = self.idle if idle else self.busy
        before = booked.get(rate)
        booked[rate] = amount if before is None else before.plus(amount)

    def add(self, other: Charges) -> None:
        """Add all of it."""
        for idle, booked in ((False, other.busy), (True, other.idle)):
            for rate, amount in booked.items():
                self.book(rate, amount, idle=idle)
        self.gpus |= other.gpus
        self.host_sources |= other.host_sources

    def split(self, weights: Sequence[int]) -> list[Charges]:
        """Parts in proportion to the weights, which add up to the whole."""
        parts = [Charges(gpus=set(self.gpus), host_sources=set(self.host_sources)) for _ in weights]
        for idle, booked in ((False, self.busy), (True, self.idle)):
            for rate, amount in booked.items():
                for part, share in zip(parts, amount.split(weights), strict=True):
                    if any(share):
                        part.book(rate, share, idle=idle)
        return parts

    @property
    def by_rate(self) -> Mapping[Rate, Amount]:
        """Busy and idle together."""
        if not self.idle:
            return self.busy
        both = dict(self.busy)
        for rate, amount in self.idle.items():
            both[rate] = both[rate].plus(amount) if rate in both else amount
        return both

    # --- quantities -----------------------------------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        return not any(any(amount) for amount in self.by_rate.values())

    @property
    def held_ms(self) -> int:
        return self._sum("held_ms")

    @property
    def energy_mj(self) -> int | None:
        """Of the boards; None when nothing of it was measured."""
        return self._sum("board_mj") if self._sum("measured_ms") or self._sum("board_mj") else None

    @property
    def busy_energy_mj(self) -> int:
        """Of the boards, while not idle."""
        return sum(amount.board_mj for amount in self.busy.values())

    @property
    def facility_kwh(self) -> float | None:
        """(boards + hosts) × PUE, as far as the price book names them: see `energy_basis`."""
        if self.energy_mj is None and not self._sum("host_mj"):
            return None
        return sum(_facility_mj(rate, amount) for rate, amount in self.by_rate.items()) / MJ_PER_KWH

    @property
    def energy_basis(self) -> str | None:
        """What facility_kwh covers: "board", "board + host", "board × PUE", "facility"; "+ …" where it changed.

        ", host in part" where the host's share should be in it and was not known all of the time.
        """
        return (
            " + ".join(sorted({_basis(rate, each) for rate, each in self.by_rate.items() if each.measured_ms})) or None
        )

    @property
    def host_share(self) -> str | None:
        """What the host's share of the energy is by; None where it is not in it.

        "box" or "packages" where it was measured, "per gpu" or "ratio" where it was told.
        """
        told = {rate.facility.host for rate, amount in self.by_rate.items() if amount.measured_ms}
        measured = self.host_sources if "measured" in told else set()
        return " + ".join(sorted(measured | told - {"", "measured"})) or None

    @property
    def gco2e(self) -> float | None:
        """Grams of facility_kwh, as far as it has a carbon factor: see `carbon`."""
        known = [
            _facility_mj(rate, amount) / MJ_PER_KWH * rate.facility.carbon.g_per_kwh
            for rate, amount in self.by_rate.items()
            if rate.facility.carbon and any(amount)
        ]
        return sum(known) if known and self.facility_kwh is not None else None

    @property
    def carbon(self) -> str | None:
        """Labels and years of the carbon factors; ", in part" where some of the energy has none."""
        factors = [rate.facility.carbon for rate, amount in self.by_rate.items() if _facility_mj(rate, amount)]
        labels = sorted({f"{factor.label} {factor.year}" for factor in factors if factor})
        return " + ".join(labels) + (", in part" if None in factors else "") if labels else None

    # --- money ----------------------------------------------------------------------------------------------------

    @property
    def parts(self) -> Parts | None:
        """The cost by part, as far as it has prices; None when no time has one."""
        return _cost(self.by_rate) if self._priced() else None

    @property
    def busy_usd(self) -> float | None:
        """Cost of what was not idle."""
        return _cost(self.busy).total if self._priced() else None

    @property
    def idle_usd(self) -> float | None:
        """Cost of the idle time, its energy included."""
        return _cost(self.idle).total if self._priced() else None

    @property
    def total_usd(self) -> float | None:
        """busy_usd + idle_usd; all of the cost only where it is `complete`."""
        parts = self.parts
        return None if parts is None else parts.total

    @property
    def energy_usd(self) -> float | None:
        """Cost of the electricity that is paid for by itself: 0 where it is in the rent, None where it has no price."""
        parts, metered = self.parts, [rate for rate, amount in self.by_rate.items() if rate.metered and any(amount)]
        if parts is None or (metered and all(rate.usd_per_kwh is None for rate in metered)):
            return None
        return parts.energy

    @property
    def metered(self) -> bool:
        """Electricity is paid for by itself, for all of the GPUs."""
        priced = self._priced()
        return bool(priced) and all(rate.metered for rate in priced)

    @property
    def complete(self) -> bool:
        """Everything has a price."""
        return not self.unpriced_ms and not self.unpriced_kwh

    @property
    def unpriced_ms(self) -> int:
        """Held time that nobody set a price for."""
        return self.held_ms - sum(amount.held_ms for amount in self._priced().values())

    @property
    def unpriced_kwh(self) -> float:
        """Energy that is paid for by itself at a price nobody set."""
        unpriced = (
            _facility_mj(rate, each) for rate, each in self.by_rate.items() if rate.metered and rate.usd_per_kwh is None
        )
        return sum(unpriced, 0.0) / MJ_PER_KWH

    @property
    def unmetered_ms(self) -> int:
        """Time of GPUs whose energy is paid for by itself and was not measured."""
        metered = [amount for rate, amount in self.by_rate.items() if rate.metered]
        return max(0, sum(each.drawn_ms - each.measured_ms for each in metered))

    @property
    def usd_per_hour(self) -> float | None:
        """Fixed parts of one GPU-hour, weighted by time where they changed."""
        priced = {rate: amount.held_ms for rate, amount in self._priced().items() if amount.held_ms}
        hourly = {rate.terms.hourly.total for rate in priced if rate.terms}
        if len(hourly) == 1:
            return hourly.pop()
        dollars = sum(rate.terms.hourly.total * ms for rate, ms in priced.items() if rate.terms)
        return dollars / sum(priced.values()) if priced else None

    @property
    def usd_per_kwh(self) -> float | None:
        """The mean price of the metered energy."""
        charged = {rate: each for rate, each in self.by_rate.items() if rate.metered and rate.usd_per_kwh is not None}
        prices = {rate.usd_per_kwh for rate, each in charged.items() if any(each)}
        if len(prices) == 1:
            return prices.pop()
        drawn_kwh = sum(_facility_mj(rate, each) for rate, each in charged.items()) / MJ_PER_KWH
        return _cost(charged).energy / drawn_kwh if drawn_kwh else None

    @property
    def basis(self) -> str | None:
        """How the GPUs are paid for: "rent", "own", "own+rent"; None without a price."""
        kinds = {"own" if isinstance(rate.terms, Own) else "rent" for rate in self._priced()}
        return "+".join(sorted(kinds)) or None

    @property
    def versions(self) -> frozenset[int]:
        """Of the price book, those behind the cost."""
        return frozenset(rate.version for rate in self._priced())

    @property
    def restated(self) -> bool:
        """A restatement is behind the cost."""
        return any(rate.restated for rate in self._priced())

    def _priced(self) -> dict[Rate, Amount]:
        """Where there is something to pay: held time, or energy that is paid for by itself."""
        return {
            rate: amount
            for rate, amount in self.by_rate.items()
            if (rate.terms and amount.held_ms) or (rate.metered and rate.usd_per_kwh is not None and any(amount))
        }

    def _sum(self, name: str) -> int:
        return sum(getattr(amount, name) for booked in (self.busy, self.idle) for amount in booked.values())


def _cost(booked: Mapping[Rate, Amount]) -> Parts:
    parts = Parts()
    for rate, amount in booked.items():
        if rate.terms is None:
            continue
        parts = parts.plus(rate.terms.hourly.times(amount.held_ms / MS_PER_HOUR))
        if rate.metered and rate.usd_per_kwh is not None:
            parts = parts.plus(Parts(energy=_facility_mj(rate, amount) / MJ_PER_KWH * rate.usd_per_kwh))
    return parts


def _facility_mj(rate: Rate, amount: Amount) -> float:
    return facility_energy(rate.facility, amount.board_mj, amount.measured_ms, amount.host_mj).energy_mj


def _basis(rate: Rate, amount: Amount) -> str:
    if rate.facility.host != "measured" or amount.host_ms >= amount.measured_ms * _HOST_KNOWN_FROM:
        return rate.facility.basis
    if amount.host_ms:
        return f"{rate.facility.basis}, host in part"
    return "board" if rate.facility.pue is None else "board × PUE"
