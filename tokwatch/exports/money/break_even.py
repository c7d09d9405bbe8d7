"""Where one way of paying started to win over another in a period: owning over elastic rent, own GPUs over an API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tokwatch.exports.money.account import Account, Who
from tokwatch.exports.money.report import RentOrOwn, SelfOrApi
from tokwatch.ledger.capacity.capacity import DeclaredCapacity, declared
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.economics import break_even
from tokwatch.ledger.economics.arithmetic import ratio
from tokwatch.ledger.economics.revenue import blended_usd_per_m, revenue_usd
from tokwatch.ledger.economics.token_cost import Tokens, added
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import NO_PRICE, known, unknown
from tokwatch.ledger.money.earnings import NO_API_PRICE
from tokwatch.ledger.prices.book import MS_PER_HOUR
from tokwatch.ledger.prices.gpu_terms import Own, Rent
from tokwatch.ledger.prices.token_prices import Tokens as TokenList

NO_OWN = "no GPU of one's own in the price book"
NO_RENT = "no elastic rent in the price book: give one with --rent"
NEVER_IDLE = "an own GPU was never idle: all of its electricity counts as added by use"
NO_CAPACITY = "no capacity within the SLO declared"


def rent_or_own(of_gpu_model: Mapping[str, Charges], rent_usd_per_gpu_hour: float | None = None) -> RentOrOwn:
    """From which share of hours in use the period's own GPUs were cheaper than a rent.

    Without a rent that is told: than the period's elastic ones, each GPU model against its own.
    """
    own = {model: _own(charges) for model, charges in of_gpu_model.items()}
    own = {model: charges for model, charges in own.items() if charges.held_ms}
    if not own:
        nothing = unknown(NO_OWN)
        return RentOrOwn(nothing, nothing, nothing, nothing, known(rent_usd_per_gpu_hour, NO_RENT))
    rents = {model: rent for model in own if model and (rent := _elastic(of_gpu_model[model])) is not None}
    if rent_usd_per_gpu_hour is not None:
        rents = dict.fromkeys(own, rent_usd_per_gpu_hour)
    compared, without = own.keys() & rents.keys() or own.keys(), sorted(own.keys() - rents.keys())
    no_rent = NO_RENT if without in ([], [""]) else f"no elastic rent of {' or '.join(without)}: give one with --rent"
    whole = Charges()
    for model in compared:
        whole.add(own[model])
    held_ms = whole.held_ms
    rent = sum(each * own[model].held_ms for model, each in rents.items()) / held_ms if rents else None
    busy, idle = Charges(busy=whole.busy), Charges(idle=whole.idle)
    fixed = ((whole.total_usd or 0.0) - (whole.energy_usd or 0.0)) / held_ms * MS_PER_HOUR
    idle_energy, busy_energy = _energy_per_hour(idle), _energy_per_hour(busy)
    added_by_use = max(0.0, (busy_energy or 0.0) - (idle_energy or 0.0))
    found = break_even.rent_or_own(fixed + (idle_energy or 0.0), rent, added_by_use)
    left_out = (f"only of {' and '.join(sorted(rents))}: {no_rent}",) if rents and without else ()
    return RentOrOwn(
        utilisation=known(found.utilisation, no_rent if rent is None else found.why_none),
        in_use=Figure(busy.held_ms / held_ms),
        own_fixed_usd_per_gpu_hour=Figure(fixed + (idle_energy or 0.0)),
        busy_energy_usd_per_gpu_hour=Figure(added_by_use),
        rent_usd_per_gpu_hour=known(rent, no_rent),
        assumptions=(*found.assumptions, *(() if idle.held_ms else (NEVER_IDLE,)), *left_out),
    )


def _own(charges: Charges) -> Charges:
    """The part of charges that is of own GPUs."""
    busy, idle = (
        {rate: amount for rate, amount in booked.items() if isinstance(rate.terms, Own)}
        for booked in (charges.busy, charges.idle)
    )
    return Charges(busy, idle)


def _elastic(charges: Charges) -> float | None:
    """The mean elastic rent, by time."""
    rented = {
        rate: amount for rate, amount in charges.by_rate.items() if isinstance(rate.terms, Rent) and rate.terms.elastic
    }
    return Charges(busy=rented).usd_per_hour


def _energy_per_hour(charges: Charges) -> float | None:
    return ratio(charges.energy_usd, charges.held_ms / MS_PER_HOUR)


class _Model(NamedTuple):
    """The accounts of one model together."""

    usd: float | None
    gpu_hours: float
    tokens: Tokens
    deployments: frozenset[str]


def self_or_api(
    accounts: Mapping[Who, Account], token_list: TokenList, hours: float, capacities: tuple[DeclaredCapacity, ...] = ()
) -> tuple[SelfOrApi, ...]:
    """One row a model with tokens: at which load its GPUs cost as much as an API would ask for the same tokens."""
    models = sorted({who.model for who in accounts} - {""})
    rows = [_row(model, _of_model(model, accounts), token_list, hours, capacities) for model in models]
    return tuple(row for row in rows if row is not None)


def _of_model(model: str, accounts: Mapping[Who, Account]) -> _Model:
    of_model = {who: account for who, account in accounts.items() if who.model == model}
    charges = Charges()
    for account in of_model.values():
        charges.add(account.charges)
    tokens = added(account.made.all_tokens for account in of_model.values())
    deployments = frozenset(who.deployment for who in of_model if not who.left_over)
    return _Model(charges.total_usd, charges.held_ms / MS_PER_HOUR, tokens, deployments)


def _row(
    model: str, of: _Model, token_list: TokenList, hours: float, capacities: tuple[DeclaredCapacity, ...]
) -> SelfOrApi | None:
    if not of.tokens.total or not hours:
        return None
    offer = token_list.api_price(model)
    api = None if offer is None else blended_usd_per_m(of.tokens, offer)
    usd_per_hour = ratio(of.usd, hours)
    capacity = declared(capacities, [model], of.deployments)
    tok_s_at_most = None if capacity is None else capacity.tok_s_per_gpu * of.gpu_hours / hours
    found = break_even.self_or_api(usd_per_hour, api, tok_s_at_most)
    why = NO_PRICE if usd_per_hour is None else NO_API_PRICE if api is None else found.why_none
    return SelfOrApi(
        model=model,
        usd_per_hour=known(usd_per_hour, NO_PRICE),
        api_usd_per_m_blended=known(api, NO_API_PRICE),
        tok_s=known(found.tok_per_s, why),
        tok_s_had=Figure(of.tokens.total / hours / 3600),
        utilisation=known(found.utilisation, why or NO_CAPACITY),
        assumptions=(*found.assumptions, *((f"capacity as declared: {capacity.source}",) if capacity else ())),
    )


def api_usd_per_m(tokens: Mapping[Who, Tokens], token_list: TokenList) -> float | None:
    """What an API asks for 10⁶ tokens of this mix of models and classes; None where one of the models has no price."""
    dollars = 0.0
    for who, each in tokens.items():
        offer = token_list.api_price(who.model)
        asked = revenue_usd(each, offer) if offer else None
        if asked is None and each.total:
            return None
        dollars += asked or 0.0
    every = added(tokens.values()).total
    return dollars * 1e6 / every if every else None
