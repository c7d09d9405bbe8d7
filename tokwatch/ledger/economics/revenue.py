"""What tokens earn: revenue at a list of token prices, and profit and margin over what they cost."""

from __future__ import annotations

from typing import NamedTuple

from tokwatch.ledger.economics.arithmetic import PER_MILLION, SECONDS_PER_HOUR, bill, ratio
from tokwatch.ledger.economics.token_cost import Tokens

KWH_PER_MWH = 1000.0
KW_PER_MW = 1000.0


class TokenPrices(NamedTuple):
    """$ per 10⁶ tokens sold, by class; None where nobody set one."""

    input: float | None
    cached_input: float | None
    cache_write: float | None
    output: float | None

    def scaled(self, factor: float) -> TokenPrices:
        """Each known price times a factor."""
        return TokenPrices(*(None if price is None else price * factor for price in self))


NO_PRICES = TokenPrices(None, None, None, None)


def revenue_usd(tokens: Tokens, prices: TokenPrices, cache_write_tokens: float = 0) -> float | None:
    """Σ T·p ÷ 10⁶ in dollars (or $/s of tokens a second); for use within a company, the notional value at list prices.

    cache_write_tokens are prompt tokens sold at the price of a cache write, not counted in tokens.uncached. None when a
    class that has tokens has no price, and when no class has one.
    """
    if prices == NO_PRICES:
        return None
    return bill(
        (tokens.uncached, prices.input),
        (tokens.cached, prices.cached_input),
        (cache_write_tokens, prices.cache_write),
        (tokens.output, prices.output),
    )


def blended_usd_per_m(tokens: Tokens, prices: TokenPrices) -> float | None:
    """What 10⁶ tokens of this mix sell for: revenue × 10⁶ ÷ all tokens; None without tokens."""
    revenue = revenue_usd(tokens, prices)
    return ratio(None if revenue is None else revenue * PER_MILLION, tokens.total)


def profit_usd(revenue: float | None, cost: float | None) -> float | None:
    """Revenue − cost, both in dollars of one window or both in $/h."""
    return None if revenue is None or cost is None else revenue - cost


def margin(revenue: float | None, cost: float | None) -> float | None:
    """Profit ÷ revenue, 1 at most; None without revenue."""
    return ratio(profit_usd(revenue, cost), revenue)


def usd_per_hour(usd: float | None, seconds: float | None) -> float | None:
    """Dollars of a window as $/h."""
    each = ratio(usd, seconds)
    return None if each is None else each * SECONDS_PER_HOUR


def usd_per_mwh(usd: float | None, energy_kwh: float | None) -> float | None:
    """Dollars per MWh of the window's energy; say whether it is of boards or of the facility."""
    each = ratio(usd, energy_kwh)
    return None if each is None else each * KWH_PER_MWH


def usd_per_hour_per_mw(usd_per_h: float | None, power_kw: float | None) -> float | None:
    """$/h per MW of power. For provisioned power; over the mean measured power it is usd_per_mwh again."""
    each = ratio(usd_per_h, power_kw)
    return None if each is None else each * KW_PER_MW
