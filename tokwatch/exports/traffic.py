"""What the flows of one payer made in one period: tokens, requests by server, what they fetched; and its names."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache

from tokwatch.exports.background import Background
from tokwatch.exports.flow_sums import FlowSums, counted_elsewhere, tokens_of
from tokwatch.exports.hours import HOUR_MS, hour_of
from tokwatch.exports.names import FlowName
from tokwatch.ledger.bodies import ServerBody
from tokwatch.ledger.economics.revenue import TokenPrices, revenue_usd
from tokwatch.ledger.economics.token_cost import Tokens, added
from tokwatch.ledger.goodput import Population
from tokwatch.ledger.prices.token_prices import STANDARD
from tokwatch.ledger.prices.token_prices import Tokens as TokenList
from tokwatch.ledger.slo import Slo
from tokwatch.store.quarter_rows import FlowQuarter
from tokwatch.store.rollup import QUARTER_MS


def deployment_name(servers: Sequence[ServerBody]) -> str:
    """The name that was given to all of them, else their addresses; "" of none."""
    names = {server.deployment for server in servers}
    return names.pop() if len(names) == 1 and "" not in names else "+".join(server.address for server in servers)


def tier_of(flow: FlowName, servers: Sequence[ServerBody], token_list: TokenList) -> tuple[str, str]:
    """(tier, where it comes from), as a list of token prices tells it of one of the servers."""
    places = [(server.deployment, server.address) for server in servers] or [("", "")]
    told = [token_list.tier(flow.tier, *place, flow.model, flow.tenant) for place in places]
    return next((each for each in told if each[1] != "assumed"), told[0])


class Traffic:
    """Collects the flows of one payer in one period."""

    def __init__(
        self, hour_ms: int, model: str, tier: str, background: Background, *, end_ms: int | None = None
    ) -> None:
        """hour_ms: a UTC hour of the period, whose currency amounts are in. tier: "" for the standard one.

        end_ms: where the period ends, an hour after unless told otherwise.
        """
        self.sums = FlowSums()
        self.by_server: dict[int, FlowSums] = defaultdict(FlowSums)  # requests, each counted once
        self._model, self._tier = model, tier or STANDARD
        self._book, self._currency = background.book, background.currency(hour_ms)
        self._slo = background.settings_at(hour_ms + HOUR_MS if end_ms is None else end_ms).slo(model)
        self._versions = {version.id: version for version in background.book.versions}
        self._prices = cache(self._find_prices)
        self._sold: dict[TokenPrices | None, list[Tokens]] = defaultdict(list)  # None: at no price
        self._value = cache(lambda hour_ms: background.token_list(hour_ms).task_value(model))
        self._finished: Counter[float | None] = Counter()  # by the value of a task

    def add(self, quarter: FlowQuarter, server: int) -> None:
        """A quarter hour of one of its flows."""
        self.sums.add(quarter)
        if quarter.finished is not None:
            self._finished[self._value(hour_of(quarter.quarter_ms))] += quarter.finished
        if not counted_elsewhere(quarter):
            self.by_server[server].add(quarter)
        tokens = tokens_of(quarter.prompt_tokens, quarter.cached_tokens, quarter.output_tokens)
        from_ms, to_ms = quarter.quarter_ms, quarter.quarter_ms + QUARTER_MS
        for start_ms, end_ms, version in self._book.segments(from_ms, to_ms):
            prices = self._prices(version.id) if version else None
            self._sold[prices].append(tokens.scaled((end_ms - start_ms) / QUARTER_MS))

    @property
    def slo(self) -> Slo:
        """The limits in force when the period ends."""
        return self._slo

    @property
    def populations(self) -> list[Population]:
        """The requests of each server, to be judged by the limits."""
        return [sums.population(self._slo) for _, sums in sorted(self.by_server.items())]

    @property
    def revenue_usd(self) -> float | None:
        """None without a list of token prices, and where some of the tokens have none."""
        sold = {prices: added(parts) for prices, parts in self._sold.items()}
        lines = [
            None if prices is None else revenue_usd(tokens, prices)
            for prices, tokens in sold.items()
            if prices is not None or tokens.total
        ]
        known = [line for line in lines if line is not None]
        return sum(known) if known and len(known) == len(lines) else None

    @property
    def task_value_usd(self) -> float | None:
        """What its finished requests are worth; None where they are not counted, or nobody said of some of them."""
        worth = [value * number for value, number in self._finished.items() if value is not None]
        return sum(worth) if worth and not self._finished[None] else None

    def _find_prices(self, version: int) -> TokenPrices | None:
        """None too for those in another currency than the period's."""
        prices = self._versions[version].prices
        if self._currency is not None and prices.currency != self._currency:
            return None
        return prices.tokens.of(self._model, self._tier)
