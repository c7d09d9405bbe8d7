"""Floats behind the money of some GPUs and servers at one moment: dollars and watts by part, tokens by flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from collectors.readings import UNNAMED
from tokwatch.ledger.accounts import Accounts
from tokwatch.ledger.bodies import GpuBody
from tokwatch.ledger.economics.revenue import revenue_usd
from tokwatch.ledger.economics.token_cost import (
    EQUAL,
    NO_SPLIT,
    Split,
    Tokens,
    added,
    saved_by_cache,
    split,
    usd_per_million,
    weighted,
)
from tokwatch.ledger.entries import State
from tokwatch.ledger.figures import NO_PRICE
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.money.tenants import WHOLE
from tokwatch.ledger.prices.gpu_terms import Parts
from tokwatch.ledger.prices.token_prices import Tokens as TokenList
from tokwatch.ledger.prices.token_prices import Weighing
from tokwatch.ledger.registry import flow_labels
from tokwatch.ledger.showback import NOBODYS, Whose
from tokwatch.ledger.sums import FlowTotals

NO_SHARE = "no part of a GPU"


class Flow(NamedTuple):
    """The counted tokens a second of one model, tenant and tier on one server; `by_gateway`: whose they are is by the
    shares that a gateway saw."""

    server: int
    model: str
    tenant: str
    tier: str
    tier_source: str
    tokens: Tokens
    cached_known: bool
    finished_s: float | None
    by_gateway: bool = False


@dataclass(slots=True)
class Costs:
    """Dollars an hour and watts of parts of GPUs."""

    parts: Parts = field(default_factory=Parts)
    idle_usd: float = 0.0
    idle_energy_usd: float = 0.0
    prefill_usd: float = 0.0
    decode_usd: float = 0.0
    roles_known: bool = True  # every GPU is of one role of a disaggregated deployment
    limit_w: float | None = 0.0  # provisioned board power
    marks: set[str] = field(default_factory=set)
    why: str = ""  # why there is no cost; "" where there is one

    @property
    def total(self) -> float | None:
        return None if self.why else self.parts.total

    @property
    def busy_usd(self) -> float | None:
        return None if self.why else self.parts.total - self.idle_usd


def costs(moment: Moment, accounts: Accounts, parts: Sequence[tuple[int, float]], *, shared: bool) -> Costs:
    """The cost of (GPU, which part of it): unknown as soon as one of them has no price."""
    found = Costs(why="" if parts else NO_SHARE)
    for gpu, part in parts:
        body = moment.in_force("facts", gpu, GpuBody)
        hourly = moment.rates.hourly(gpu, accounts.servers_on(gpu))
        if hourly is None or body is None:
            found.why = NO_PRICE
            break
        dollars = hourly.parts.times(part)
        found.parts = found.parts.plus(dollars)
        found.marks |= {*hourly.marks, *(() if hourly.whole else ("part",))}
        if State(moment.state(gpu).state).idle:
            found.idle_usd += dollars.total
            found.idle_energy_usd += dollars.energy
        roles = {facts.role for server in accounts.servers_on(gpu) if (facts := moment.server(server))}
        if roles == {"prefill"}:
            found.prefill_usd += dollars.total
        elif roles == {"decode"}:
            found.decode_usd += dollars.total
        else:
            found.roles_known = False
    limits = [body.power_limit_mw for gpu, _ in parts if (body := moment.in_force("facts", gpu, GpuBody))]
    known = [limit for limit in limits if limit is not None]
    found.limit_w = sum(known) / 1000 if len(known) == len(parts) else None
    if shared:
        found.marks.add("allocated")
    return found


def flows_of(moment: Moment, servers: Iterable[int], token_list: TokenList) -> list[Flow]:
    """Every flow of the servers, as far as its tokens are counted there."""
    return [flow for server in servers for flow in _flows(moment, server, token_list)]


def _flows(moment: Moment, server: int, token_list: TokenList) -> Iterator[Flow]:
    body, window = moment.server(server), moment.window(server, counted=True)
    if body is None:
        return
    read_ms = moment.read_ms(server, long=moment.at_end(server))

    def per_second(field: str, totals: FlowTotals) -> float | None:
        known_ms = max(getattr(each, f"{field}_ms") for each in window)
        return getattr(totals, field) * 1000 / max(known_ms, read_ms) if known_ms else None

    for entity, totals in zip(moment.flow_entities(server), window, strict=True):
        _, model, _, tenant, label = flow_labels(moment.view.entities[entity].key)
        model = model if model != UNNAMED else body.model
        prompt, cached = per_second("prompt_tokens", totals), per_second("cached_tokens", totals)
        tokens = Tokens(
            max(0.0, (prompt or 0.0) - (cached or 0.0)), cached or 0.0, per_second("output_tokens", totals) or 0.0
        )
        finished = per_second("finished", totals)
        own = Whose(tenant, label)
        shares = moment.tenants.shares(model) if own == NOBODYS else {}
        for whose, share in (shares or {own: WHOLE}).items():
            tier, source = token_list.tier(whose.tier, body.deployment, body.address, model, whose.tenant)
            yield Flow(
                server,
                model,
                whose.tenant,
                tier,
                source,
                share.of(tokens),
                cached is not None,
                None if finished is None else finished * share.finished,
                by_gateway=bool(shares),
            )


def split_of(cost_usd: float | None, flows: Sequence[Flow], weighing: Weighing) -> tuple[Split, float]:
    """($ per million tokens of each class, dollars saved by the prefix cache), tokens of several models weighed against
    each other. `cost_usd` and the flows are both per second, or both of one period."""
    every = added(flow.tokens for flow in flows)
    weights = [weighing.of(flow.model) for flow in flows]
    if len(set(weights)) <= 1:
        one = split(cost_usd, every, weights[0] if weights else EQUAL)
        return one, saved_by_cache(every, one) or 0.0
    units = sum(weighted(flow.tokens, each) for flow, each in zip(flows, weights, strict=True))
    if cost_usd is None or not units:
        return NO_SPLIT, 0.0
    shares = [
        Tokens(*(cost_usd / units * w * t for w, t in zip(each, flow.tokens, strict=True)))
        for flow, each in zip(flows, weights, strict=True)
    ]
    by_class = added(shares)
    prices = Split(
        *(usd_per_million(usd, tokens) if tokens else None for usd, tokens in zip(by_class, every, strict=True))
    )
    saved = sum(
        cost_usd / units * flow.tokens.cached * (each.input - each.cached)
        for flow, each in zip(flows, weights, strict=True)
    )
    return prices, saved


def weighing_of(flows: Iterable[Flow], token_list: TokenList) -> Weighing:
    """What the tokens of flows weigh against each other."""
    return token_list.weighing(flow.model for flow in flows)


def revenue_of(flows: Sequence[Flow], token_list: TokenList) -> tuple[float | None, bool]:
    """(dollars a second at the list of token prices, whether every token has a price); None when none has."""
    earned = [
        (flow, prices, revenue_usd(flow.tokens, prices) if prices else None)
        for flow in flows
        for prices in (token_list.of(flow.model, flow.tier),)
    ]
    known = [usd for _, _, usd in earned if usd is not None]
    whole = all(usd is not None or not flow.tokens.total for flow, _, usd in earned)
    return (sum(known) if any(prices for _, prices, _ in earned) and known else None), whole
