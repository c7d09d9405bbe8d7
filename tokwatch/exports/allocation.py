"""Whose a GPU's energy and time are: its model's, shared out by tokens, or nobody's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from tokwatch.exports.flow_sums import tokens_of
from tokwatch.exports.names import FlowName, Names
from tokwatch.exports.pricing import Pricing
from tokwatch.exports.showback import FlowPart
from tokwatch.ledger.accounts import NOBODYS
from tokwatch.ledger.charges import Charges
from tokwatch.ledger.economics.token_cost import Tokens, added
from tokwatch.ledger.entries import State
from tokwatch.ledger.prices.token_prices import Tokens as TokenList
from tokwatch.ledger.weights import token_weight
from tokwatch.store.quarter_rows import GpuQuarter

DIRECT: Final = "direct"  # the GPUs serve this model alone
BY_TOKENS: Final = "tokens"  # a part of shared GPUs, by prompt and output tokens of each quarter hour
BY_PRICE: Final = "price-weighted tokens"  # …, each at its class's price: every model that shares has a list
BY_GATEWAY: Final = "by gateway"  # …, and whose those are by the shares that the gateway before them saw
UNVERIFIED: Final = "unverified"  # another user's server: tokens, no cost


class Payer(NamedTuple):
    """Whom a row is about: one flow; servers without one (`flow` None); nobody (no servers)."""

    servers: tuple[int, ...] = ()
    flow: FlowName | None = None
    shared_idle: bool = False  # what several flows or servers share, in a quarter hour without tokens
    unobserved: bool = False  # nobody watched


UNASSIGNED: Final = Payer()
UNOBSERVED: Final = Payer(unobserved=True)


class Share(NamedTuple):
    """A part of one GPU's quarter hour."""

    payer: Payer
    charges: Charges
    allocation: str | None


class Allocation:
    """Shares out the quarter rows of one hour.

    together: each server's unit in this hour. flows: those of each unit. tokens: of each flow in each quarter hour.
    """

    def __init__(
        self,
        names: Names,
        pricing: Pricing,
        token_list: TokenList,
        together: Mapping[int, tuple[int, ...]],
        flows: Mapping[tuple[int, ...], Collection[FlowName]],
        tokens: Mapping[tuple[int, FlowName], Tokens],
    ) -> None:
        self._names = names
        self._pricing = pricing
        self._token_list = token_list
        self._together = together
        self._flows = flows
        self._tokens = tokens
        self._behind = cache(self._find_behind)

    def shares(self, quarter: GpuQuarter) -> list[Share]:
        """The parts of a quarter row; they add up to it."""
        if not quarter.owner:
            return [Share(UNASSIGNED, self._pricing.charges(quarter), None)]
        nobodys, owned = self._pricing.divide(quarter, NOBODYS)
        unassigned = [] if nobodys.empty else [Share(UNASSIGNED, nobodys, None)]
        return unassigned + self._owned(quarter, owned)

    def shares_by_state(self, quarter: GpuQuarter) -> list[tuple[State | None, Share]]:
        """The same, each idle state and each state of what is nobody's apart; None: the busy time of an owner.

        Energy of a time that nobody watched is the owner's busy one; without an owner it is told as State.UNKNOWN.
        """
        if not quarter.owner:
            of_nobody = self._pricing.divide_by_state(quarter, tuple(State))
            return [(state or State.UNKNOWN, Share(UNASSIGNED, part, None)) for state, part in of_nobody.items()]
        return [
            (state, share)
            for state, part in self._pricing.divide_by_state(quarter, _TOLD_APART).items()
            for share in ([Share(UNASSIGNED, part, None)] if state in NOBODYS else self._owned(quarter, part))
        ]

    def _owned(self, quarter: GpuQuarter, charges: Charges) -> list[Share]:
        units, flows = self._behind(quarter.owner)
        if len(units) == 1 and len(flows) <= 1:
            return [Share(Payer(units[0], flows[0] if flows else None), charges, DIRECT)]
        tokens = [self._tokens.get((quarter.quarter_ms, flow), _NONE) for flow in flows]
        weighing = self._token_list.weighing(flow.model for flow in flows)
        shares = [token_weight(each, weighing.of(flow.model)) for each, flow in zip(tokens, flows, strict=True)]
        if not any(shares):
            everyone = tuple(sorted(server for unit in units for server in unit))
            return [Share(Payer(everyone, shared_idle=True), charges, None)]
        method = BY_TOKENS if weighing.why_alike else BY_PRICE
        return [
            Share(Payer(flow.servers, flow), part, method)
            for flow, share, part in zip(flows, shares, charges.split(shares), strict=True)
            if share
        ]

    def _find_behind(self, owner: int) -> tuple[list[tuple[int, ...]], list[FlowName]]:
        """The units that share the GPUs of an owner, and their flows."""
        units = sorted({self._together[server] for unit in self._names.units(owner) for server in unit})
        return units, sorted({flow for unit in units for flow in self._flows.get(unit, ())})


_NONE: Final = added(())
_TOLD_APART: Final = NOBODYS | {state for state in State if state.idle}


class OfUnit(NamedTuple):
    """Some traffic under the name of the servers that made it together."""

    flow: FlowName
    part: FlowPart


def allocate(
    gpus: Sequence[GpuQuarter], parts: Iterable[FlowPart], names: Names, pricing: Pricing, token_list: TokenList
) -> tuple[list[OfUnit], Allocation]:
    """The flows of one hour by who made them, and how they share out its GPUs."""
    units = together(names.units(owner) for owner in sorted({gpu.owner for gpu in gpus}) if owner)
    of_unit: dict[tuple[int, ...], set[FlowName]] = defaultdict(set)
    tokens: dict[tuple[int, FlowName], list[Tokens]] = defaultdict(list)
    found = []
    for part in parts:
        flow = part.name._replace(servers=units.get(part.name.servers[0], part.name.servers))
        of_unit[flow.servers].add(flow)
        quarter = part.quarter
        counted = tokens_of(quarter.prompt_tokens, quarter.cached_tokens, quarter.output_tokens)
        tokens[quarter.quarter_ms, flow].append(counted)
        found.append(OfUnit(flow, part))
    sums = {key: added(each) for key, each in tokens.items()}
    return found, Allocation(names, pricing, token_list, units, of_unit, sums)


def together(owners: Iterable[Iterable[tuple[int, ...]]]) -> dict[int, tuple[int, ...]]:
    """Server → all servers that it made its tokens with at some time of the hour. `owners`: the units of each owner.

    Rows of one hour must not say in one quarter that servers are one deployment, and in another that they are not.
    """
    found: dict[int, tuple[int, ...]] = {}
    for unit in (unit for units in owners for unit in units):
        joined = tuple(sorted({member for server in unit for member in found.get(server, (server,))}))
        found |= dict.fromkeys(joined, joined)
    return found
