"""Dollars of time that was booked under price versions: what a GPU's idle day, or an alert, cost so far."""

from __future__ import annotations

from collections.abc import Mapping

from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import NO_PRICE, unknown
from tokwatch.ledger.prices.book import PriceBook, cost
from tokwatch.ledger.prices.gpu_terms import PricedGpu


def spent_usd(book: PriceBook, gpu: PricedGpu, spent: Mapping[int, int]) -> Figure:
    """spent: milliseconds by price version, 0 before the first.

    Marked "part" where some of the time has no price, and where electricity is paid for by itself, which is in the
    hourly figures and not in these.
    """
    versions = {version.id: version for version in book.versions}
    dollars, unpriced_ms, metered = 0.0, 0, False
    for key in sorted(spent):
        prices = versions[key].prices if key in versions else None
        fixed = prices.fixed(gpu) if prices else None
        metered |= prices is not None and prices.metered(gpu)
        if fixed is None:
            unpriced_ms += spent[key]
        else:
            dollars += cost(fixed.total, spent[key])
    booked_ms = sum(spent.values())
    if unpriced_ms == booked_ms:
        return unknown(NO_PRICE)
    marks = ("part",) if unpriced_ms or metered else ()
    return Figure(dollars, coverage=1 - unpriced_ms / booked_ms, marks=marks)
