"""The figures of one account: its bill, its energy, what its tokens and requests cost, and what they earned.

Pure: sums in, figures out, all arithmetic that of `ledger.economics` and `ledger.charges`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from tokwatch.exports.money.account import Account
from tokwatch.exports.money.report import Bill, Earnings, Energy, IdleState, Request, Served, Statement, TokenCosts
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.economics import energy
from tokwatch.ledger.economics.arithmetic import SECONDS_PER_HOUR, ratio
from tokwatch.ledger.economics.demand import cached_prompt_share, per_request
from tokwatch.ledger.economics.revenue import margin, profit_usd, usd_per_hour_per_mw, usd_per_mwh
from tokwatch.ledger.economics.token_cost import (
    idle_tax,
    saved_by_speculation,
    usd_per_million,
    useful_interval,
)
from tokwatch.ledger.entries import State
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.figures import NO_PRICE, unknown
from tokwatch.ledger.goodput import FEW
from tokwatch.ledger.money.earnings import NO_CARBON, NO_LIMITS, NO_VALUE
from tokwatch.ledger.money.economy import ODD
from tokwatch.ledger.money.rates import NO_TARIFF
from tokwatch.ledger.money.tallies import Flow, split_of, weighing_of
from tokwatch.ledger.prices.book import MS_PER_HOUR
from tokwatch.ledger.prices.facility import MJ_PER_KWH, facility_energy
from tokwatch.ledger.prices.gpu_terms import Parts
from tokwatch.ledger.prices.token_prices import NO_TOKEN_PRICES
from tokwatch.ledger.prices.token_prices import Tokens as TokenList

NOTHING_HELD = "no observed GPU time"
NOT_METERED = "no energy was measured"
NOTHING_SERVED = "nothing served"
NO_TOKENS = "no tokens"
_J_PER_MJ = 1000.0  # millijoules


class Terms(NamedTuple):
    """What all accounts of a period are read against."""

    hours: float  # that were watched
    token_list: TokenList  # in force when the period ends: its standard prices weigh classes and models
    provisioned_kw: float | None = None  # power limits of the account's boards
    no_limits: str = NO_LIMITS  # why there are none


def statement(name: str, account: Account, terms: Terms, tier_source: str = "") -> Statement:
    """Everything that an account's sums say."""
    of = _Of(account, terms)
    return Statement(
        name=name,
        tier_source=tier_source,
        bill=_bill(of),
        energy=_energy(of),
        served=_served(of),
        costs=_costs(of),
        earned=_earned(of),
        request=_request(of),
    )


class _Of:
    """An account, and figures made of it."""

    def __init__(self, account: Account, terms: Terms) -> None:
        self.account, self.terms = account, terms
        self.charges, self.made = account.charges, account.made
        self.tokens = self.made.all_tokens
        self.total_usd = self.charges.total_usd
        self.kwh = self.charges.facility_kwh
        self.energy_j = None if self.kwh is None else self.kwh * energy.J_PER_KWH
        energy_mj = self.charges.energy_mj
        self.board_j = None if energy_mj is None else energy_mj / _J_PER_MJ
        self._no_cost = NO_PRICE if self.charges.held_ms else NOTHING_HELD
        incomplete = not self.charges.complete or self.charges.unmetered_ms > self.charges.held_ms / 100
        self._marks = tuple(mark for mark, borne in (("allocated", account.allocated), ("part", incomplete)) if borne)

    def usd(self, value: float | None, why: str = "") -> Figure:
        """Dollars of the account's GPUs."""
        return _figure(value, why or self._no_cost, self._marks)

    def earned(self, value: float | None, why: str = "", *, less_cost: bool = False) -> Figure:
        """Dollars that tokens fetched; marked where some of them have no price."""
        marks = {
            mark for mark, borne in (("part", self.made.unpriced_tokens), ("allocated", self.made.divided)) if borne
        }
        why = why or (NO_TOKEN_PRICES if self.tokens.total else NO_TOKENS)
        return _figure(value, why, tuple(sorted(marks | set(self._marks if less_cost else ()))))

    def drawn(self, value: float | None, why: str = "") -> Figure:
        """Energy of the account's GPUs."""
        return _figure(value, why or NOT_METERED, ("allocated",) if self.account.allocated else ())

    def per(self, value: float | None, *, counted: bool, why: str = "") -> Figure:
        """Something by token or request."""
        if not counted:
            return unknown(NOTHING_SERVED)
        marks = tuple(sorted({*self._marks, "allocated"})) if self.made.divided else self._marks
        return _figure(value, why or (self._no_cost if self.total_usd is None else NO_TOKENS), marks)


def _figure(value: float | None, why: str, marks: tuple[str, ...] = ()) -> Figure:
    if value is None:
        return unknown(why)
    if math.isinf(value):
        return Figure(None, NO_TOKENS, infinite=True)
    return Figure(value, marks=marks)


def _bill(of: _Of) -> Bill:
    charges, unobserved = of.charges, of.account.unobserved
    parts = {f"{name}_usd": of.usd(getattr(charges.parts, name, None)) for name in Parts._fields}
    if charges.energy_usd is None and charges.parts is not None:
        parts["energy_usd"] = unknown(NO_TARIFF)
    missed_usd = unobserved.total_usd if not unobserved.empty else 0.0
    invoice = None if of.total_usd is None and not unobserved.held_ms else (of.total_usd or 0.0) + (missed_usd or 0.0)
    return Bill(
        gpu_hours=charges.held_ms / MS_PER_HOUR,
        **parts,
        total_usd=of.usd(of.total_usd),
        busy_usd=of.usd(charges.busy_usd),
        idle_usd=of.usd(charges.idle_usd),
        idle_by_state=tuple(
            IdleState(State(state).name.lower(), part.held_ms / MS_PER_HOUR, of.usd(part.total_usd))
            for state, part in sorted(of.account.idle.items())
        ),
        idle_tax=of.usd(idle_tax(of.total_usd, charges.busy_usd)),
        unobserved_gpu_hours=unobserved.held_ms / MS_PER_HOUR,
        unobserved_usd=of.usd(missed_usd, NO_PRICE),
        invoice_usd=of.usd(invoice),
        unpriced_gpu_hours=(charges.unpriced_ms + unobserved.unpriced_ms) / MS_PER_HOUR,
        unpriced_kwh=charges.unpriced_kwh,
    )


def _energy(of: _Of) -> Energy:
    grams = of.charges.gco2e
    each_j = energy.j_per_token(of.board_j, of.tokens.output) if of.made.output_counted else None
    busy_j = energy.j_per_token(of.charges.busy_energy_mj / _J_PER_MJ, of.tokens.output)
    return Energy(
        board_kwh=of.drawn(None if of.board_j is None else of.board_j / energy.J_PER_KWH),
        facility_kwh=of.drawn(of.kwh),
        facility_basis=of.charges.energy_basis or "",
        usd_per_kwh=_figure(of.charges.usd_per_kwh, NO_TARIFF if of.charges.metered else "electricity is in the rent"),
        co2e_kg=of.drawn(None if grams is None else grams / 1000, NO_CARBON if of.kwh is not None else ""),
        carbon=of.charges.carbon or "",
        j_per_output_token_board=of.per(each_j, counted=of.made.output_counted, why=NOT_METERED),
        tok_s_per_mw_output=of.per(
            energy.tok_s_per_mw(of.tokens.output, of.energy_j), counted=of.made.output_counted, why=NOT_METERED
        ),
        implausible="" if not of.tokens.output or energy.plausible(busy_j) else ODD,
    )


def _served(of: _Of) -> Served:
    made, tokens = of.made, of.tokens
    divided = ("allocated",) if made.divided else ()
    part = divided if made.cached_known else (*divided, "part")
    prompt = [_figure(value if made.prompt_counted else None, NOTHING_SERVED, part) for value in tokens[:2]]
    return Served(
        input_tokens=prompt[0],
        cached_tokens=prompt[1],
        output_tokens=_figure(tokens.output if made.output_counted else None, NOTHING_SERVED, divided),
        requests=_figure(made.finished, "no server counts its requests" if tokens.total else NOTHING_SERVED, divided),
        requests_unfinished=round(made.unfinished),
        within_slo=_within_slo(of),
    )


def _within_slo(of: _Of) -> Interval:
    good = of.made.good
    if good is None:
        return Interval(None, None, of.made.why_not_judged)
    share = good.share
    marks = ("part",) if of.made.judged_in_part else ()
    few = f"few requests: {good.ended_at_most}" if good.ended_at_most < FEW else ""
    return Interval(share.low, share.high, few, share.point, good.ended_at_most, marks)


def _costs(of: _Of) -> TokenCosts:
    made, tokens, total = of.made, of.tokens, of.total_usd
    flows = [
        Flow(0, who.model, who.tenant, who.tier, who.tier_source, each, made.cached_known, None)
        for who, each in made.tokens.items()
    ]
    weighing = weighing_of(flows, of.terms.token_list)
    prices, saved = split_of(total, flows, weighing)
    output_usd = None if prices.output is None else prices.output * tokens.output / 1e6
    speculated = saved_by_speculation(output_usd, tokens.output, made.accepted) if made.drafted else None
    both = made.prompt_counted and made.output_counted
    tariff = _electricity_usd(of.charges)
    return TokenCosts(
        usd_per_m_blended=of.per(usd_per_million(total, tokens.total), counted=both),
        usd_per_m_output_only=of.per(usd_per_million(total, tokens.output), counted=made.output_counted),
        usd_per_m_output_only_busy=of.per(
            usd_per_million(of.charges.busy_usd, tokens.output), counted=made.output_counted
        ),
        usd_per_m_input=of.per(prices.input, counted=made.prompt_counted),
        usd_per_m_cached=of.per(prices.cached, counted=made.prompt_counted),
        usd_per_m_output=of.per(prices.output, counted=made.output_counted),
        split_by="equal weights" if weighing.why_alike else "token prices",
        usd_per_m_useful_output=_useful(of),
        usd_per_m_marginal_output=of.per(
            usd_per_million(tariff, tokens.output),
            counted=made.output_counted,
            why=NO_TARIFF if of.kwh is not None else NOT_METERED,
        ),
        saved_by_cache_usd=of.per(
            None if weighing.why_alike or total is None else saved,
            counted=made.prompt_counted,
            why=weighing.why_alike,
        ),
        saved_by_speculation_usd=of.per(
            speculated, counted=made.output_counted, why="" if made.drafted else "no speculation"
        ),
    )


def _useful(of: _Of) -> Interval:
    within = _within_slo(of)
    if within.low is None or within.high is None:
        return Interval(None, None, within.why)
    low, high = useful_interval(of.total_usd, of.tokens.output, within.low, within.high)
    if low is None:
        return Interval(None, None, of.usd(of.total_usd).why or NO_TOKENS)
    # JSON has no infinity: without a single sure good request there is no upper bound to tell.
    finite = [bound if bound is not None and math.isfinite(bound) else None for bound in (low, high)]
    return Interval(finite[0], finite[1], within.why, marks=tuple(sorted({*within.marks, "est"})))


def _electricity_usd(charges: Charges) -> float | None:
    """Dollars of all that was drawn, also where it is in the rent; None where any of it has no price of electricity."""
    dollars = 0.0
    for rate, amount in charges.by_rate.items():
        if not amount.drawn_ms and not amount.board_mj:
            continue
        if rate.usd_per_kwh is None:
            return None
        drawn = facility_energy(rate.facility, amount.board_mj, amount.drawn_ms, amount.host_mj)
        dollars += drawn.energy_mj / MJ_PER_KWH * rate.usd_per_kwh
    return dollars if charges.energy_mj is not None else None


def _earned(of: _Of) -> Earnings:
    made, hours = of.made, of.terms.hours
    revenue, worth = made.revenue_usd, made.task_value_usd
    profit = profit_usd(revenue, of.total_usd)
    why = "" if revenue is None else of.usd(of.total_usd).why
    provisioned = usd_per_hour_per_mw(ratio(profit, hours), of.terms.provisioned_kw)
    return Earnings(
        revenue_usd=of.earned(revenue),
        profit_usd=of.earned(profit, why, less_cost=True),
        margin=of.earned(
            margin(revenue, of.total_usd), why or ("nothing earned" if revenue == 0 else ""), less_cost=True
        ),
        revenue_usd_per_hour=of.earned(ratio(revenue, hours)),
        profit_usd_per_hour=of.earned(ratio(profit, hours), why, less_cost=True),
        profit_usd_per_mwh=of.earned(usd_per_mwh(profit, of.kwh), why or ("" if profit is None else NOT_METERED)),
        profit_usd_per_hour_per_provisioned_mw=of.earned(
            provisioned, why or ("" if profit is None else of.terms.no_limits)
        ),
        task_value_usd=_figure(worth, NO_VALUE),
        task_profit_usd=of.usd(profit_usd(worth, of.total_usd), NO_VALUE if worth is None else ""),
    )


def _request(of: _Of) -> Request:
    made, grams = of.made, of.charges.gco2e
    factor = None if grams is None else ratio(grams, of.kwh)
    mean = per_request(made.finished, of.tokens, of.total_usd, of.energy_j, factor)
    counted = made.finished is not None
    return Request(
        per_s=of.per(ratio(made.finished, of.terms.hours * SECONDS_PER_HOUR), counted=counted),
        prompt_tokens=of.per(mean.prompt_tokens, counted=counted and made.prompt_counted),
        output_tokens=of.per(mean.output_tokens, counted=counted and made.output_counted),
        cached_share=of.per(
            cached_prompt_share(of.tokens) if made.cached_known else None,
            counted=made.prompt_counted,
            why="" if made.cached_known else "cached tokens are not counted everywhere",
        ),
        usd=of.per(mean.usd, counted=counted),
        wh=of.per(mean.wh, counted=counted, why=NOT_METERED),
        co2e_g=of.per(mean.gco2e, counted=counted, why=NO_CARBON),
        value_usd=_figure(ratio(made.task_value_usd, made.finished), NO_VALUE),
    )
