"""Whose a GPU's energy and time are: its model's, shared out by tokens, or nobody's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

from tokwatch.exports.names import FlowName, Names
from tokwatch.exports.rent import Rent
from tokwatch.exports.usage import Usage
from tokwatch.ledger.accounts import NOBODYS
from tokwatch.store.rollup import GpuQuarter

DIRECT: Final = "direct"  # the GPUs serve this model alone
BY_TOKENS: Final = "tokens"  # a part of shared GPUs, by prompt and output tokens of each quarter hour
UNVERIFIED: Final = "unverified"  # another user's server: tokens, no cost


class Payer(NamedTuple):
    """Whom a row is about: one flow; servers without one (`flow` None); nobody (no servers)."""

    servers: tuple[int, ...] = ()
    flow: FlowName | None = None
    shared_idle: bool = False  # what several flows or servers share, in a quarter hour without tokens


UNASSIGNED: Final = Payer()


class Share(NamedTuple):
    """A part of one GPU's quarter hour."""

    payer: Payer
    usage: Usage
    allocation: str | None


class Allocation:
    """Shares out the quarter rows of one hour.

    together: each server's unit in this hour. flows: those of each unit. weights: of each flow's tokens in each
    quarter hour.
    """

    def __init__(
        self,
        names: Names,
        rent: Rent,
        together: Mapping[int, tuple[int, ...]],
        flows: Mapping[tuple[int, ...], Collection[FlowName]],
        weights: Mapping[tuple[int, FlowName], int],
    ) -> None:
        self._names = names
        self._rent = rent
        self._together = together
        self._flows = flows
        self._weights = weights

    def shares(self, quarter: GpuQuarter) -> list[Share]:
        """The parts of a quarter row; they add up to it."""
        if not quarter.owner:
            return [Share(UNASSIGNED, self._rent.usage(quarter), None)]
        nobodys, owned = self._rent.divide(quarter, NOBODYS)
        unassigned = [] if nobodys.empty else [Share(UNASSIGNED, nobodys, None)]
        return unassigned + self._owned(quarter, owned)

    def _owned(self, quarter: GpuQuarter, usage: Usage) -> list[Share]:
        units = sorted({self._together[server] for unit in self._names.units(quarter.owner) for server in unit})
        flows = sorted({flow for unit in units for flow in self._flows.get(unit, ())})
        if len(units) == 1 and len(flows) <= 1:
            return [Share(Payer(units[0], flows[0] if flows else None), usage, DIRECT)]
        weights = [self._weights.get((quarter.quarter_ms, flow), 0) for flow in flows]
        if not any(weights):
            everyone = tuple(sorted(server for unit in units for server in unit))
            return [Share(Payer(everyone, shared_idle=True), usage, None)]
        return [
            Share(Payer(flow.servers, flow), part, BY_TOKENS)
            for flow, weight, part in zip(flows, weights, usage.split(weights), strict=True)
            if weight
        ]


def together(owners: Iterable[Iterable[tuple[int, ...]]]) -> dict[int, tuple[int, ...]]:
    """Server → all servers that it made its tokens with at some time of the hour. `owners`: the units of each owner.

    Rows of one hour must not say in one quarter that servers are one deployment, and in another that they are not.
    """
    found: dict[int, tuple[int, ...]] = {}
    for unit in (unit for units in owners for unit in units):
        joined = tuple(sorted({member for server in unit for member in found.get(server, (server,))}))
        found |= dict.fromkeys(joined, joined)
    return found
