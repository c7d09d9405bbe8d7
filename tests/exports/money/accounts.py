"""Accounts by hand: so many GPU-hours at a rate, so many tokens."""

from __future__ import annotations

from tokwatch.exports.money.account import Account, Made, Who
from tokwatch.exports.money.statement import Terms
from tokwatch.ledger.charges import Amount, Charges
from tokwatch.ledger.economics.token_cost import Tokens
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices.facility import Facility
from tokwatch.ledger.prices.gpu_terms import Own, Rent
from tokwatch.ledger.prices.token_prices import TokenPrice
from tokwatch.ledger.prices.token_prices import Tokens as TokenList
from tokwatch.ledger.rating import Rate

HOUR_MS = 3_600_000
MODEL = Who("prod", "deepseek", "standard", "assumed", "(untagged)")
DEEPSEEK = TokenList(prices=(TokenPrice(2.19, 0.55, cached_input=0.14),), api=(TokenPrice(2.19, 0.55),))
OWN = Own(
    server_usd=320_000,
    gpus_per_server=8,
    years=4,
    cost_of_capital=0.1,
    depreciation="capital-recovery",
    opex_rate=0.05,
    colocation_usd_per_kw_month=184.06,
    provisioned_kw=1.275,
    power_included=True,
)


def rate(
    terms: Rent | Own | None, usd_per_kwh: float | None = None, facility: Facility | None = None, version: int = 1
) -> Rate:
    return Rate(version, False, terms, usd_per_kwh, facility or Facility())


def amount(hours: float, watts: float = 0.0) -> Amount:
    ms = round(hours * HOUR_MS)
    return Amount(ms, ms, ms, round(watts * ms))


def account(
    terms: Rate,
    *,
    busy_hours: float = 0.0,
    idle_hours: float = 0.0,
    watts: float = 0.0,
    idle_watts: float = 0.0,
    state: State = State.PARKED,
    made: Made | None = None,
) -> Account:
    """GPU-hours of one rate."""
    found = Account(made=made or Made())
    charges, idle = Charges(), Charges()
    if busy_hours:
        charges.book(terms, amount(busy_hours, watts), idle=False)
    if idle_hours:
        idle.book(terms, amount(idle_hours, idle_watts), idle=True)
    charges.add(idle)
    found.book(charges, [(state.value, idle)] if idle_hours else [])
    return found


def made(
    uncached: float = 0, cached: float = 0, output: float = 0, *, finished: float | None = None, who: Who = MODEL
) -> Made:
    return Made(
        tokens={who: Tokens(uncached, cached, output)}, prompt_counted=True, output_counted=True, finished=finished
    )


def terms(hours: float = 24.0, token_list: TokenList = DEEPSEEK, provisioned_kw: float | None = None) -> Terms:
    return Terms(hours, token_list, provisioned_kw)
