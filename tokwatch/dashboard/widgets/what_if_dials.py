"""Dials: what can be supposed to be otherwise, from where to where, in which steps, and how it is written."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tokwatch.dashboard import formats
from tokwatch.ledger.money.at_other_terms import Present, Terms

_STEPS_OF_NOW: Final = 20
IN_THE_RENT: Final = "in the rent"


@dataclass(frozen=True, slots=True)
class Dial:
    """One row of the panel."""

    field: str  # of Terms
    label: str
    now: float | None  # None: not set
    low: float
    high: float
    step: float
    write: Callable[[float], str]
    why_fixed: str = ""  # why turning it would change nothing, or what would set it
    scale: float = 1.0  # what is typed ÷ this is the value: 100 for per cent

    def then(self, terms: Terms) -> float | None:
        """What it is supposed to be; as it is unless turned."""
        chosen: float | None = getattr(terms, self.field)
        return self.now if chosen is None else chosen

    def turned(self, terms: Terms, steps: int) -> Terms:
        """By so many steps, to the next multiple of one, and no further than its end."""
        if self.why_fixed:
            return terms
        value = self.then(terms)
        at = (self.low if value is None else value) / self.step
        # A value between two multiples goes to the next one on its way first.
        whole = round(at, 9)
        number = (math.floor(whole) if steps > 0 else math.ceil(whole)) + steps
        return self.set(terms, float(Decimal(str(self.step)) * number))

    def set(self, terms: Terms, value: float) -> Terms:
        """To a value within its ends; as it is where that is the same."""
        value = min(max(value, self.low), self.high)
        return terms._replace(**{self.field: None if value == self.now else value})

    def read(self, text: str) -> float:
        """What was typed. Raises ValueError with a sentence."""
        try:
            value = float(text.strip().removesuffix("%").strip()) / self.scale
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high:
            raise ValueError(f"Write a number from {self.low * self.scale:g} to {self.high * self.scale:g}.")
        return value


def dials(present: Present) -> tuple[Dial, ...]:
    """Every row, in the order of the panel."""
    now, rented = present.terms, "" if present.metered else IN_THE_RENT
    no_tariff = "[prices.electricity]" if now.usd_per_kwh is None else rented
    no_prices = "[[prices.tokens]]" if now.usd_per_m_sold is None else ""
    most = max(1.0, now.load or 0.0) if present.load_of_capacity else 2.0
    return (
        _money("usd_per_gpu_hour", "GPU price", now.usd_per_gpu_hour, formats.amount),
        _money("usd_per_kwh", "tariff", now.usd_per_kwh, _tariff, no_tariff),
        Dial("pue", "PUE", now.pue, 1.0, max(2.0, now.pue or 0.0), 0.05, formats.ratio, rented),
        Dial(
            "load",
            "utilisation" if present.load_of_capacity else "load",
            now.load,
            0.05,
            most,
            0.05,
            _percent,
            scale=100,
        ),
        _money("usd_per_m_sold", "token price", now.usd_per_m_sold, formats.per_million, no_prices),
    )


def _money(field: str, label: str, now: float | None, write: Callable[[float], str], why_fixed: str = "") -> Dial:
    step = _nice((now or 1.0) / _STEPS_OF_NOW)
    return Dial(
        field, label, now, 0.0, step * 2 * _STEPS_OF_NOW if not now else _ceil(2 * now, step), step, write, why_fixed
    )


def _nice(step: float) -> float:
    """1, 2 or 5 × 10ⁿ, at or below."""
    power = Decimal(10) ** Decimal(repr(step)).adjusted()
    return float(max(power * each for each in (1, 2, 5) if float(power * each) <= step or each == 1))


def _ceil(value: float, step: float) -> float:
    return float(Decimal(str(step)) * math.ceil(round(value / step, 9)))


def _percent(share: float) -> str:
    return f"{formats.percent(share)} %"


def _tariff(usd: float) -> str:
    return f"{usd:.3f}".removesuffix("0")
