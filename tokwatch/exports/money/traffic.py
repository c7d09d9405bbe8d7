"""A payer by name, and its traffic of an hour as what a report adds up."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from tokwatch.exports.allocation import UNASSIGNED as NOBODY
from tokwatch.exports.allocation import Payer
from tokwatch.exports.background import Background
from tokwatch.exports.money.account import SHARED_IDLE, UNASSIGNED, Made, Who
from tokwatch.exports.traffic import Traffic, deployment_name, tier_of
from tokwatch.ledger.goodput import Population
from tokwatch.ledger.prices.token_prices import Tokens as TokenList
from tokwatch.ledger.slo import Good


class Named(NamedTuple):
    """A payer by name."""

    who: Who
    verified: bool  # no server is another user's


def named(
    payer: Payer, background: Background, token_list: TokenList, at_ms: int, *, models: AbstractSet[str], alone: bool
) -> Named:
    """Names as they stood at an instant; the tier as a list of token prices tells it.

    Of what is shared and idle: models are those of its flows, and alone says that it is one deployment's.
    """
    if payer == NOBODY:
        return Named(Who(left_over=UNASSIGNED), True)
    told = [background.names.server(server, at_ms) for server in payer.servers]
    servers = [server for server in told if server]
    verified = all(server.verified for server in servers)
    deployment, flow = deployment_name(servers), payer.flow
    if payer.shared_idle:
        model = next(iter(models)) if len(models) == 1 else ""
        return Named(Who(deployment if alone else "", model, left_over=SHARED_IDLE), verified)
    if flow is None:
        return Named(Who(deployment, servers[0].model if servers else ""), verified)
    tier, source = tier_of(flow, servers, token_list)
    return Named(Who(deployment, flow.model, tier, source, flow.tenant), verified)


def made(who: Who, traffic: Traffic) -> Made:
    """All that a payer's flows made in an hour."""
    counts, revenue = traffic.sums.counts, traffic.revenue_usd
    finished, prompt = counts["finished"], counts["prompt_tokens"]
    good, not_judged = _good(traffic.populations)
    return Made(
        tokens={who: traffic.sums.tokens},
        prompt_counted=prompt is not None,
        output_counted=counts["output_tokens"] is not None,
        cached_known=prompt is None or counts["cached_tokens"] is not None,
        finished=finished,
        unfinished=(counts["failed"] or 0) + (counts["aborted"] or 0),
        accepted=counts["accepted_tokens"] or 0,
        drafted=counts["drafted_tokens"] or 0,
        good=good,
        not_judged=not_judged,
        revenue_usd=revenue,
        unpriced_tokens=traffic.sums.tokens.total if revenue is None else 0.0,
        task_value_usd=traffic.task_value_usd,
    )


def _good(populations: Iterable[Population]) -> tuple[Good | None, set[str]]:
    """Good requests of those that ended, and why of others nothing is known."""
    judged, reasons = None, set()
    for population in populations:
        good = population.good
        if isinstance(good, str):
            reasons.add(good)
        else:
            judged = good if judged is None else judged + good
    return judged, reasons
