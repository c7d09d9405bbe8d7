"""Whose a GPU's energy and time are: its model's, shared out by tokens, or nobody's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from tokwatch.exports.names import FlowName, Names
from tokwatch.exports.rent import Rent
from tokwatch.exports.usage import Usage
from tokwatch.ledger.entries import State
from tokwatch.store.rollup import GpuQuarter

DIRECT: Final = "direct"  # the GPUs serve this model alone
BY_TOKENS: Final = "tokens"  # a part of shared GPUs, by prompt and output tokens of each quarter hour
UNVERIFIED: Final = "unverified"  # another user's server: tokens, no cost

# Not the model's fault, even where a server is placed on the GPU.
_NOBODYS: Final = frozenset({State.UNALLOCATED, State.HELD, State.LOST})


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

    flows: those of each server in this hour. tokens: prompt + output of each flow in each quarter hour.
    """

    def __init__(
        self,
        names: Names,
        rent: Rent,
        flows: Mapping[int, Collection[FlowName]],
        tokens: Mapping[tuple[int, FlowName], int],
    ) -> None:
        self._names = names
        self._rent = rent
        self._flows = flows
        self._tokens = tokens

    def shares(self, quarter: GpuQuarter) -> list[Share]:
        """The parts of a quarter row; they add up to it."""
        if not quarter.owner:
            return [Share(UNASSIGNED, self._rent.usage(quarter), None)]
        nobodys, owned = self._rent.divide(quarter, _NOBODYS)
        unassigned = [] if nobodys.empty else [Share(UNASSIGNED, nobodys, None)]
        return unassigned + self._owned(quarter, owned)

    def _owned(self, quarter: GpuQuarter, usage: Usage) -> list[Share]:
        servers = self._names.servers(quarter.owner)
        flows = sorted({flow for server in servers for flow in self._flows.get(server, ())})
        if len(servers) == 1 and len(flows) <= 1:
            return [Share(Payer(servers, flows[0] if flows else None), usage, DIRECT)]
        weights = [self._tokens.get((quarter.quarter_ms, flow), 0) for flow in flows]
        if not any(weights):
            return [Share(Payer(servers, shared_idle=True), usage, None)]
        return [
            Share(Payer((flow.server,), flow), part, BY_TOKENS)
            for flow, weight, part in zip(flows, weights, usage.split(weights), strict=True)
            if weight
        ]
