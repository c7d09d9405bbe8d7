"""The present hour at other terms: what GPUs, tokens and idleness would cost, and the cost of a token against load."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from tokwatch.ledger.economics import what_if as economics
from tokwatch.ledger.economics.arithmetic import SECONDS_PER_HOUR, ratio
from tokwatch.ledger.economics.revenue import NO_PRICES, TokenPrices, revenue_usd
from tokwatch.ledger.economics.token_cost import Tokens, added, usd_per_million
from tokwatch.ledger.economics.what_if import Economics
from tokwatch.ledger.money.shapes import TrafficRow
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.snapshot import GpuRow, Snapshot

GPUS_FILL_UP: Final = "added load goes to idle GPUs first; those at work stay as full as they are"
ASSUMPTIONS: Final = (*economics.ASSUMPTIONS, GPUS_FILL_UP)
_LEAST_LOAD: Final = 0.05


class Terms(NamedTuple):
    """What is supposed to be otherwise; None: as it is. Loads are shares of the capacity, else of the present load."""

    usd_per_gpu_hour: float | None = None
    usd_per_kwh: float | None = None
    pue: float | None = None
    load: float | None = None
    usd_per_m_sold: float | None = None  # revenue per million output tokens


AS_IT_IS: Final = Terms()


class Outcome(NamedTuple):
    """What comes of some terms. None is unknown."""

    usd_per_m_output: float | None
    idle_usd_per_hour: float | None
    profit_usd_per_hour: float | None


@dataclass(frozen=True, slots=True)
class Present:
    """The present hour: its quantities and prices, and what there is to compare a token's cost with."""

    hour: Economics
    terms: Terms  # as they are; a term that is None is not known, or changes nothing here
    idle_share: float | None  # of the cost
    load_of_capacity: bool  # loads are shares of the SLO-feasible capacity, not of the present load
    metered: bool  # electricity is paid for by itself
    api_usd_per_m: float | None  # what an API asks for these tokens, per million of output

    def at(self, terms: Terms) -> Outcome:
        """What comes of other terms; `economics.what_if` says how, `ASSUMPTIONS` what stays as it is."""
        then = self._hour(terms)
        cost, load = then.cost_usd, _factor(terms.load, self.terms.load)
        idle_share = None if self.idle_share is None else max(0.0, 1 - (1 - self.idle_share) * load)
        idle = None if cost is None or idle_share is None else cost * idle_share
        return Outcome(then.usd_per_m_output, idle, then.profit_usd)

    def curve(self, terms: Terms, points: int) -> tuple[tuple[float, float], ...]:
        """(load, $ per million output tokens) from a twentieth up to all of the capacity, or twice the present load."""
        highest = max(1.0, self.terms.load or 0.0) if self.load_of_capacity else 2.0
        step = (highest - _LEAST_LOAD) / (points - 1)
        loads = (_LEAST_LOAD + number * step for number in range(points))
        found = ((load, self._hour(terms._replace(load=load)).usd_per_m_output) for load in loads)
        return tuple((load, usd) for load, usd in found if usd is not None)

    def _hour(self, terms: Terms) -> Economics:
        return economics.what_if(
            self.hour,
            gpu_price=_factor(terms.usd_per_gpu_hour, self.terms.usd_per_gpu_hour),
            token_price=_factor(terms.usd_per_m_sold, self.terms.usd_per_m_sold),
            tariff=_factor(terms.usd_per_kwh, self.terms.usd_per_kwh),
            pue=terms.pue,
            utilisation=_factor(terms.load, self.terms.load),
        )


def present(snapshot: Snapshot, prices: Prices | None) -> Present | None:
    """The hour that the Snapshot's figures make; None while it has no cost or no tokens to speak of."""
    whole = snapshot.economy
    cost, tokens = whole.cost, _tokens_per_hour(snapshot.traffic)
    if cost.total.value is None or cost.energy.value is None or not tokens.output:
        return None
    fixed, metered = cost.total.value - cost.energy.value, cost.energy.value > 0
    revenue = whole.earns.revenue_usd_per_hour.value
    sold = ratio(None if revenue is None else revenue * 1e6, tokens.total)
    pue = prices.facility.pue if prices else None
    load = _utilisation(snapshot)
    hour = _with_energy(
        Economics(
            fixed_usd=fixed,
            board_kwh=0.0,
            board_floor_kwh=0.0,
            host_kwh=0.0,
            pue=pue or 1.0,
            usd_per_kwh=0.0,
            tokens=tokens,
            prices=NO_PRICES if sold is None else TokenPrices(sold, sold, None, sold),
        ),
        snapshot,
    )
    terms = Terms(
        usd_per_gpu_hour=ratio(fixed, len(snapshot.gpus)),
        usd_per_kwh=whole.usd_per_kwh.value,
        pue=pue,
        load=1.0 if load is None else load,
        usd_per_m_sold=usd_per_million(revenue, tokens.output),
    )
    return Present(
        hour=hour,
        terms=terms,
        idle_share=ratio(cost.idle.value, cost.total.value),
        load_of_capacity=load is not None,
        metered=metered,
        api_usd_per_m=None if prices is None else _api_usd_per_m(snapshot.traffic, prices),
    )


def _with_energy(hour: Economics, snapshot: Snapshot) -> Economics:
    """With what is drawn and paid for by itself: of the site's draw as large a part as of the electricity bill."""
    whole = snapshot.economy
    usd, usd_per_kwh = whole.cost.energy.value, whole.usd_per_kwh.value
    board_w, facility_w = whole.board_w.value, whole.facility_w.value
    if not usd or not usd_per_kwh or not board_w or not facility_w or hour.pue is None:
        return hour
    drawn_kwh = usd / usd_per_kwh / hour.pue
    board_kwh = min(drawn_kwh, drawn_kwh * board_w * hour.pue / facility_w)
    floor_w = _floor_w(snapshot.gpus)
    return Economics(
        fixed_usd=hour.fixed_usd,
        board_kwh=board_kwh,
        board_floor_kwh=None if floor_w is None else board_kwh * min(1.0, floor_w / board_w),
        host_kwh=drawn_kwh - board_kwh,
        pue=hour.pue,
        usd_per_kwh=usd_per_kwh,
        tokens=hour.tokens,
        prices=hour.prices,
    )


def _floor_w(gpus: Iterable[GpuRow]) -> float | None:
    """What the boards would draw idle, were all as those that are; None where none is."""
    gpus = tuple(gpus)
    idle = [gpu.power_w.value for gpu in gpus if gpu.idle and gpu.power_w.value is not None]
    return sum(idle) / len(idle) * len(gpus) if idle else None


def _utilisation(snapshot: Snapshot) -> float | None:
    """Computed tokens a second over the capacity of all deployments; None where one of them has none."""
    rows = snapshot.capacity
    if not rows or any(not row.capacity_tok_s_per_gpu.value or row.computed_tok_s.value is None for row in rows):
        return None
    capacity = sum((row.capacity_tok_s_per_gpu.value or 0.0) * row.gpus for row in rows)
    return ratio(sum(row.computed_tok_s.value or 0.0 for row in rows), capacity) or None


def _tokens_per_hour(traffic: Iterable[TrafficRow]) -> Tokens:
    return added(_tokens(row) for row in traffic)


def _tokens(row: TrafficRow) -> Tokens:
    cached, prompt = row.cached_tok_s.value or 0.0, row.prompt_tok_s.value or 0.0
    per_second = Tokens(max(0.0, prompt - cached), cached, row.tok_s.value or 0.0)
    return per_second.scaled(SECONDS_PER_HOUR)


def _api_usd_per_m(traffic: Iterable[TrafficRow], prices: Prices) -> float | None:
    """Per million output tokens, for these tokens of these models; None where one of them has no price."""
    dollars = output = 0.0
    for row in traffic:
        tokens = _tokens(row)
        offer = prices.tokens.api_price(row.model)
        asked = revenue_usd(tokens, offer) if offer else None
        if asked is None and tokens.total:
            return None
        dollars += asked or 0.0
        output += tokens.output
    return usd_per_million(dollars, output) if dollars else None


def _factor(then: float | None, now: float | None) -> float:
    return 1.0 if then is None or not now else then / now
