"""The money of some GPUs and of the tokens that they make, at one moment: an account's, or the whole host's."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tokwatch.ledger.accounts import Account, Accounts
from tokwatch.ledger.economics import energy
from tokwatch.ledger.economics.arithmetic import cost_each, ratio
from tokwatch.ledger.economics.token_cost import idle_tax
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.figures import unknown
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.money.earnings import NO_CARBON, against_api, earnings, request
from tokwatch.ledger.money.means import Means
from tokwatch.ledger.money.rates import NO_TARIFF
from tokwatch.ledger.money.shapes import CostPerHour, Economy
from tokwatch.ledger.money.tallies import Flow, flows_of
from tokwatch.ledger.money.token_costs import token_costs
from tokwatch.ledger.prices.gpu_terms import Parts
from tokwatch.ledger.prices.token_prices import Tokens as TokenList

ODD = "joules per output token are outside 0.01–100: is the server on these GPUs?"


class Economist:
    """Makes the Economy of any account of a moment, and of all of them."""

    def __init__(self, moment: Moment, accounts: Accounts) -> None:
        self._moment = moment
        self._accounts = accounts
        self.token_list = moment.version.prices.tokens if moment.version else TokenList()

    def of_account(self, account: Account) -> Economy:
        """What an account's part of its GPUs costs, and what its tokens earn."""
        return _economy(self.means_of(account))

    def of_all(self) -> Economy:
        """Every GPU, and the tokens of the servers that are on some."""
        return _economy(self.means_of_all())

    def means_of(self, account: Account) -> Means:
        """What the Economy of an account is made of."""
        gpus = self._accounts.gpus_of(account) if account.servers else [entry.entity for _, entry in self._moment.gpus]
        parts = [(gpu, part) for gpu in gpus if (part := self._accounts.part(gpu, account))]
        shared = bool(account.servers) and any(map(self._accounts.shared, gpus))
        return self._means(parts, account.servers, shared=shared)

    def means_of_all(self) -> Means:
        """What the Economy of every GPU is made of."""
        placed = [
            server
            for server, _ in self._moment.servers
            if self._moment.counted(server) and self._accounts.gpus_of(self._accounts.of_server(server))
        ]
        return self._means([(entry.entity, 1.0) for _, entry in self._moment.gpus], placed, shared=False)

    def flows(self, servers: Sequence[int]) -> list[Flow]:
        """The counted flows of servers."""
        return flows_of(self._moment, servers, self.token_list)

    def _means(self, parts: Sequence[tuple[int, float]], servers: Sequence[int], *, shared: bool) -> Means:
        return Means(self._moment, self._accounts, self.token_list, parts, servers, shared)


def _economy(of: Means) -> Economy:
    rates, carbon = of.moment.rates, of.moment.rates.facility.carbon
    j_per_token = None if of.board.value is None else cost_each(of.board.value, of.output.value)
    odd = of.warm and not of.few and j_per_token is not None and math.isfinite(j_per_token)
    kw = None if of.facility.value is None else of.facility.value / 1000
    return Economy(
        cost=_cost(of),
        tokens=token_costs(of),
        earns=earnings(of),
        request=request(of),
        output_tok_s=of.output,
        requests_s=of.finished,
        board_w=of.board,
        facility_w=of.facility,
        energy_basis=rates.facility.basis,
        usd_per_kwh=Figure(rates.usd_per_kwh) if rates.usd_per_kwh is not None else unknown(NO_TARIFF),
        gco2e_per_hour=of.figure(
            energy.gco2e(kw, carbon.g_per_kwh if carbon else None),
            of.facility,
            why="" if carbon else NO_CARBON,
        ),
        carbon=f"{carbon.label}, {carbon.year}" if carbon else "",
        tok_s_per_mw=of.ratio(ratio(of.output.value, (kw or 0) / 1000), of.output, of.facility),
        j_per_output_token=of.ratio(j_per_token, of.board, of.output),
        implausible=ODD if odd and j_per_token is not None and not energy.plausible(j_per_token) else "",
        against_api=against_api(of),
    )


def _cost(of: Means) -> CostPerHour:
    every = Parts._fields
    parts = {name: of.dollars(getattr(of.costs.parts, name)) for name in every}
    tax = idle_tax(of.costs.total, of.costs.busy_usd)
    return CostPerHour(
        **parts,
        total=of.dollars(of.costs.parts.total),
        idle=of.dollars(of.costs.idle_usd),
        idle_energy=of.dollars(of.costs.idle_energy_usd),
        idle_tax=of.figure(tax, why=of.costs.why),
    )
