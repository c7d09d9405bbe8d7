"""Deployment and traffic rows of a Snapshot: who makes tokens together, and for whom."""

from __future__ import annotations

from tokwatch.ledger.accounts import SHARED_IDLE, UNASSIGNED, Account, Accounts, allocated
from tokwatch.ledger.economics.revenue import profit_usd, revenue_usd
from tokwatch.ledger.economics.token_cost import Tokens, weighted
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import unknown, usd_per_million
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.money.economy import Economist
from tokwatch.ledger.money.shapes import DeploymentRow, TrafficRow
from tokwatch.ledger.money.tallies import Flow, weighing_of
from tokwatch.ledger.prices.token_prices import NO_TOKEN_PRICES

_LEFT_OVER = {UNASSIGNED: "(unassigned)", SHARED_IDLE: "(shared, idle)"}


def deployment_rows(moment: Moment, accounts: Accounts, economist: Economist) -> tuple[DeploymentRow, ...]:
    """One row an account, what is left over last: in dollars the rows add up to all GPUs."""
    found = ((account, _gpus_of(moment, accounts, account)) for account in accounts.all)
    return tuple(_deployment_row(moment, accounts, economist, account, gpus) for account, gpus in found if gpus)


def _gpus_of(moment: Moment, accounts: Accounts, account: Account) -> tuple[int, ...]:
    """Indices of the GPUs that the account has, or has a part of now."""
    own = accounts.gpus_of(account)
    return tuple(
        body.index for body, entry in moment.gpus if entry.entity in own or accounts.part(entry.entity, account)
    )


def _deployment_row(
    moment: Moment, accounts: Accounts, economist: Economist, account: Account, gpus: tuple[int, ...]
) -> DeploymentRow:
    bodies = [body for server in account.servers if (body := moment.server(server))]
    models = tuple(dict.fromkeys(body.model for body in bodies if body.model))
    names = tuple(dict.fromkeys(body.deployment for body in bodies if body.deployment))
    return DeploymentRow(
        key=deployment_key(moment, account),
        name=_LEFT_OVER.get(account) or "+".join(names) or "+".join(models) or deployment_key(moment, account),
        models=models,
        servers=account.servers,
        gpus=gpus,
        shared=any(map(accounts.shared, accounts.gpus_of(account))),
        economy=economist.of_account(account),
    )


def deployment_key(moment: Moment, account: Account) -> str:
    """Addresses of its servers."""
    bodies = [body for server in account.servers if (body := moment.server(server))]
    return _LEFT_OVER.get(account) or "+".join(sorted(body.address for body in bodies))


def traffic_rows(moment: Moment, accounts: Accounts, economist: Economist) -> tuple[TrafficRow, ...]:
    """One row for the tokens of each model, tenant and tier of a deployment; their costs add up to its own."""
    return tuple(
        row for account in accounts.all if account.servers for row in _of_account(moment, accounts, economist, account)
    )


def _of_account(moment: Moment, accounts: Accounts, economist: Economist, account: Account) -> list[TrafficRow]:
    flows = economist.flows(account.servers)
    weighing = weighing_of(flows, economist.token_list)
    units = [weighted(flow.tokens, weighing.of(flow.model)) for flow in flows]
    cost = accounts.usd_per_hour(account)
    together: dict[tuple[str, str, str, str], list[tuple[Flow, float]]] = {}
    for flow, amount in zip(flows, units, strict=True):
        together.setdefault((flow.model, flow.tenant, flow.tier, flow.tier_source), []).append((flow, amount))
    every = sum(units)
    return [
        _traffic_row(moment, accounts, economist, account, key, parts, cost, every, alone=len(together) == 1)
        for key, parts in sorted(together.items())
    ]


def _traffic_row(
    moment: Moment,
    accounts: Accounts,
    economist: Economist,
    account: Account,
    key: tuple[str, str, str, str],
    parts: list[tuple[Flow, float]],
    cost: Figure,
    every: float,
    *,
    alone: bool,
) -> TrafficRow:
    model, tenant, tier, source = key
    tokens = Tokens(*(sum(column) for column in zip(*(flow.tokens for flow, _ in parts), strict=True)))
    amount = sum(units for _, units in parts)
    by_gateway = any(flow.by_gateway for flow, _ in parts)
    if alone:
        mine = allocated(cost) if by_gateway else cost
    elif cost.value is None or not every:
        mine = unknown(cost.why or "no tokens")
    else:
        mine = allocated(Figure(cost.value * amount / every, coverage=cost.coverage, marks=cost.marks))
    output = accounts.output_tok_s(account)
    marks = tuple(sorted({*output.marks, "allocated"})) if by_gateway else output.marks

    def rate(value: float) -> Figure:
        return Figure(value, coverage=output.coverage, marks=marks) if output.value is not None else unknown(output.why)

    prices = economist.token_list.of(model, tier)
    earned = revenue_usd(tokens, prices) if prices else None
    revenue = Figure(earned * 3600, marks=marks) if earned is not None else unknown(NO_TOKEN_PRICES)
    profit = profit_usd(revenue.value, mine.value)
    few, warm = moment.few(account.servers), moment.warm(account.servers)
    return TrafficRow(
        deployment=deployment_key(moment, account),
        model=model,
        tenant=tenant,
        tier=tier,
        tier_source=source,
        tok_s=rate(tokens.output),
        prompt_tok_s=rate(tokens.prompt),
        cached_tok_s=rate(tokens.cached),
        cost_usd_per_hour=mine,
        usd_per_m_output=usd_per_million(mine, rate(tokens.output), few=few, warm=warm),
        revenue_usd_per_hour=revenue,
        profit_usd_per_hour=unknown(revenue.why or mine.why)
        if profit is None
        else Figure(profit, marks=tuple(sorted({*revenue.marks, *mine.marks}))),
    )
