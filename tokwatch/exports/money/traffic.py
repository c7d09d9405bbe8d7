"""What the flows of one payer made in one hour: tokens, requests within the SLO, what they fetched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from tokwatch.exports.allocation import UNASSIGNED as NOBODY
from tokwatch.exports.allocation import Payer
from tokwatch.exports.background import Background
from tokwatch.exports.flow_sums import FlowSums, counted_elsewhere, tokens_of
from tokwatch.exports.hours import HOUR_MS
from tokwatch.exports.money.account import SHARED_IDLE, UNASSIGNED, Made, Who
from tokwatch.ledger.bodies import ServerBody
from tokwatch.ledger.economics.revenue import TokenPrices, revenue_usd
from tokwatch.ledger.economics.token_cost import Tokens, added
from tokwatch.ledger.prices.token_prices import STANDARD
from tokwatch.ledger.prices.token_prices import Tokens as TokenList
from tokwatch.ledger.slo import Good
from tokwatch.store.quarter_rows import FlowQuarter
from tokwatch.store.rollup import QUARTER_MS


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
    deployment, flow = _deployment(servers), payer.flow
    if payer.shared_idle:
        model = next(iter(models)) if len(models) == 1 else ""
        return Named(Who(deployment if alone else "", model, left_over=SHARED_IDLE), verified)
    if flow is None:
        return Named(Who(deployment, servers[0].model if servers else ""), verified)
    places = [(server.deployment, server.address) for server in servers] or [("", "")]
    tiers = [token_list.tier(flow.tier, *place, flow.model, flow.tenant) for place in places]
    tier, source = next((each for each in tiers if each[1] != "assumed"), tiers[0])
    return Named(Who(deployment, flow.model, tier, source, flow.tenant), verified)


def _deployment(servers: list[ServerBody]) -> str:
    names = {server.deployment for server in servers}
    return names.pop() if len(names) == 1 and "" not in names else "+".join(server.address for server in servers)


class Traffic:
    """Collects the flows of one payer in one hour."""

    def __init__(self, hour_ms: int, who: Who, background: Background, token_list: TokenList) -> None:
        self._hour_ms, self._who, self._background, self._token_list = hour_ms, who, background, token_list
        self._flows = FlowSums()
        self._by_server: dict[int, FlowSums] = defaultdict(FlowSums)  # requests, each counted once
        self._sold: dict[TokenPrices | None, list[Tokens]] = defaultdict(list)  # None: at no price

    def add(self, quarter: FlowQuarter, server: int) -> None:
        """A quarter hour of one of its flows."""
        self._flows.add(quarter)
        if not counted_elsewhere(quarter):
            self._by_server[server].add(quarter)
        tokens = tokens_of(quarter.prompt_tokens, quarter.cached_tokens, quarter.output_tokens)
        from_ms, to_ms = quarter.quarter_ms, quarter.quarter_ms + QUARTER_MS
        for start_ms, end_ms, version in self._background.book.segments(from_ms, to_ms):
            prices = version.prices.tokens.of(self._who.model, self._who.tier or STANDARD) if version else None
            self._sold[prices].append(tokens.scaled((end_ms - start_ms) / QUARTER_MS))

    @property
    def made(self) -> Made:
        """All of it."""
        counts = self._flows.counts
        finished, prompt = counts["finished"], counts["prompt_tokens"]
        value = self._token_list.task_value(self._who.model)
        revenue, unpriced = self._revenue()
        good, not_judged = self._good()
        return Made(
            tokens={self._who: self._flows.tokens},
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
            unpriced_tokens=unpriced,
            task_value_usd=None if finished is None or value is None else finished * value,
        )

    def _revenue(self) -> tuple[float | None, float]:
        """(dollars, tokens that are not in them); no dollars where some tokens of the hour have no price."""
        sold = {prices: added(parts) for prices, parts in self._sold.items()}
        lines = [
            None if prices is None else revenue_usd(tokens, prices)
            for prices, tokens in sold.items()
            if prices is not None or tokens.total
        ]
        known = [line for line in lines if line is not None]
        if known and len(known) == len(lines):
            return sum(known), 0.0
        return None, self._flows.tokens.total

    def _good(self) -> tuple[Good | None, set[str]]:
        """Good requests of those that ended, and why of others nothing is known."""
        slo = self._background.settings_at(self._hour_ms + HOUR_MS).slo(self._who.model)
        judged, reasons = None, set()
        for sums in self._by_server.values():
            good = sums.population(slo).good
            if isinstance(good, str):
                reasons.add(good)
            else:
                judged = good if judged is None else judged + good
        return judged, reasons
