"""Numbers as they are written: plain decimals, so that what a reader multiplies is what was multiplied here."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from tokwatch.exports.hours import HOUR_MS
from tokwatch.ledger.charges import Charges

# More digits than a cent needs: thousands of rows add up to the cost of `gpu_hour` to the cent, and 2.35 stays 2.35.
_PRICE_PLACES = 9
_PLACES = 12


def plain(number: Decimal) -> Decimal:
    """Without zeros at the end and without an exponent: 2.35, 100."""
    whole = number.to_integral_value()
    return whole if whole == number else number.normalize()


def rounded(amount: float, places: int = _PLACES) -> Decimal:
    """To so many decimal places."""
    return plain(round(Decimal(amount), places))


def told(amount: float | None) -> Decimal | None:
    """None stays None."""
    return None if amount is None else rounded(amount)


class Price(NamedTuple):
    """A quantity and what one of its unit costs."""

    quantity: Decimal
    unit: str
    unit_price: Decimal

    @property
    def cost(self) -> Decimal:
        """The product of the two as they are written, exactly."""
        return plain(self.quantity * self.unit_price)


def price_of(charges: Charges) -> Price | None:
    """By the priced hours; by kilowatt-hours where there is only energy. None where nothing has a price."""
    cost_usd = charges.total_usd
    if cost_usd is None:
        if not charges.complete or not any(rate.terms for rate in charges.by_rate):
            return None
        cost_usd = 0.0  # energy that is in the rent, drawn while nobody watched
    hours, kwh = (charges.held_ms - charges.unpriced_ms) / HOUR_MS, charges.facility_kwh
    if hours:
        return Price(rounded(hours), "Hours", rounded(cost_usd / hours, _PRICE_PLACES))
    if kwh:
        return Price(rounded(kwh), "kWh", rounded(cost_usd / kwh, _PRICE_PLACES))
    return None
