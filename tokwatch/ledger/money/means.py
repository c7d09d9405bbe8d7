"""What the money of some GPUs and servers at one moment is made of: costs, flows, watts, and figures from them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tokwatch.ledger.accounts import Accounts
from tokwatch.ledger.economics.arithmetic import SECONDS_PER_HOUR
from tokwatch.ledger.economics.token_cost import Tokens, added
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import WARMING_UP, total, unknown
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.money.tallies import Costs, costs, flows_of
from tokwatch.ledger.prices.token_prices import Tokens as TokenList


class Means:
    """Parts of GPUs, and the servers whose tokens they make. Tokens per second, dollars per hour unless named so."""

    def __init__(
        self,
        moment: Moment,
        accounts: Accounts,
        token_list: TokenList,
        parts: Sequence[tuple[int, float]],
        servers: Sequence[int],
        shared: bool,
    ) -> None:
        self.moment, self.accounts, self.token_list = moment, accounts, token_list
        self.parts, self.servers = parts, servers
        self.costs: Costs = costs(moment, accounts, parts, shared=shared)
        self.flows = flows_of(moment, servers, token_list)
        self.tokens: Tokens = added(flow.tokens for flow in self.flows)
        self.output = accounts.rate(servers, "output_tokens", "nothing served")
        self.prompt = accounts.rate(servers, "prompt_tokens", "nothing served")
        self.finished = accounts.rate(servers, "finished", "nothing served")
        self.board = self._watts(facility=False)
        self.facility = self._watts(facility=True)
        self.few = moment.few(servers)
        self.warm = moment.warm(servers)
        cached_known = all(flow.cached_known for flow in self.flows)
        self.of_prompt = self.prompt if cached_known else marked(self.prompt, "part")

    def dollars(self, usd: float) -> Figure:
        return unknown(self.costs.why) if self.costs.why else Figure(usd, marks=tuple(sorted(self.costs.marks)))

    def _watts(self, *, facility: bool) -> Figure:
        of_gpu = self.moment.rates.facility_w if facility else self.moment.watts
        figures = []
        for gpu, part in self.parts:
            whole = of_gpu(gpu, self.accounts.servers_on(gpu))
            figures.append(whole if whole.value is None or part == 1 else _scaled(whole, part))
        return total(figures, "no part of a GPU")

    def electricity_usd_s(self) -> float | None:
        usd_per_kwh = self.moment.rates.usd_per_kwh
        if usd_per_kwh is None or self.facility.value is None:
            return None
        return self.facility.value / 1000 * usd_per_kwh / SECONDS_PER_HOUR

    def figure(self, value: float | None, *of: Figure, why: str = "") -> Figure:
        """A number made of others, with their marks; where there is none, why."""
        missing = next((each.why for each in of if each.value is None and not each.infinite), "")
        if value is None:
            return unknown(why or missing or self.costs.why or "unknown")
        if math.isinf(value):
            return Figure(None, "no tokens", infinite=True)
        marks = {mark for each in of for mark in each.marks} | (self.costs.marks if not of else set())
        return Figure(value, coverage=min((each.coverage for each in of), default=1.0), marks=tuple(sorted(marks)))

    def ratio(self, value: float | None, *of: Figure, why: str = "") -> Figure:
        """A number per token or request: not before the window holds enough, and marked where it holds few."""
        missing = next((each.why for each in of if each.value is None and not each.infinite), "")
        if why or missing:
            return unknown(why or missing)
        if not self.warm:
            return unknown(WARMING_UP)
        figure = self.figure(value, *of, why="no tokens")
        return marked(figure, "few") if self.few and figure.value is not None else figure


def per_second(usd_per_hour: float | None) -> float | None:
    """Dollars an hour as dollars a second."""
    return None if usd_per_hour is None else usd_per_hour / SECONDS_PER_HOUR


def per_hour(usd_s: float | None) -> float | None:
    """Dollars a second as dollars an hour."""
    return None if usd_s is None else usd_s * SECONDS_PER_HOUR


def marked(figure: Figure, mark: str) -> Figure:
    """A known figure with one mark more."""
    if figure.value is None:
        return figure
    return Figure(figure.value, coverage=figure.coverage, marks=tuple(sorted({*figure.marks, mark})))


def _scaled(figure: Figure, part: float) -> Figure:
    marks = tuple(sorted({*figure.marks, "allocated"}))
    return Figure((figure.value or 0.0) * part, coverage=figure.coverage, marks=marks)
