"""Deployments: which watched servers serve one model together, so that their GPUs and their tokens are one account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collectors.readings import UNNAMED, Layer, Moves, ServerFacts, ServerReading

PREFILL, DECODE = "prefill", "decode"


@dataclass(frozen=True, slots=True)
class Watched:
    """A watched server: its facts, and what its last good page told; before that, an engine that counts nothing."""

    facts: ServerFacts
    read: bool = False  # a good page was seen
    layer: Layer = Layer.ENGINE
    fronts: tuple[str, ...] = ()
    moves: Moves = Moves.NONE
    model: str = ""
    role: str = ""

    @classmethod
    def by_page(cls, page: ServerReading) -> Watched:
        """As a good page shows it."""
        facts = page.server
        return cls(
            facts,
            read=True,
            layer=page.layer,
            fronts=page.fronts,
            moves=page.moves,
            model=next((flow.model for flow in page.flows if flow.model != UNNAMED), facts.model or ""),
            role=facts.role or next((flow.role for flow in page.flows if flow.role), ""),
        )

    @classmethod
    def unread(cls, facts: ServerFacts) -> Watched:
        """As the process list or the config shows it."""
        return cls(facts, model=facts.model or "", role=facts.role)

    @property
    def counts_tokens(self) -> bool:
        """It counts output tokens, be it that none was made yet: many engines show a counter only then."""
        return self.moves is not Moves.NONE

    @property
    def never_counts(self) -> bool:
        """It has no page, or one without output tokens."""
        return self.facts.metrics_url is None or (self.read and not self.counts_tokens)

    def may_front(self, other: Watched) -> bool:
        """Requests to `other` may pass through this router or gateway."""
        return other is not self and (not self.fronts or other.facts.engine in self.fronts)


def deployments(watched: Sequence[Watched]) -> tuple[tuple[str, ...], ...]:
    """The deployments of several servers as sorted addresses; a server in none of them is one by itself.

    1. Servers that bear one name: given in the config, or a Dynamo namespace.
    2. Prefill and decode servers of one model.
    3. A router that counts tokens with the engines behind it that do not, when all of them serve one model.

    A router's engines that count their own tokens stay apart: each has its own GPUs, and may rest while others work.
    """
    named: dict[str, list[Watched]] = defaultdict(list)
    for server in watched:
        if server.facts.deployment:
            named[server.facts.deployment].append(server)
    free = [server for server in watched if not server.facts.deployment]
    groups = [*named.values(), *_disaggregated(free), *_routed(free)]
    return tuple(sorted(tuple(sorted(s.facts.address for s in group)) for group in groups if len(group) > 1))


def _disaggregated(servers: Iterable[Watched]) -> list[list[Watched]]:
    by_model: dict[str, list[Watched]] = defaultdict(list)
    for server in servers:
        if server.layer is Layer.ENGINE and server.model and server.role in (PREFILL, DECODE):
            by_model[server.model].append(server)
    return [group for group in by_model.values() if {server.role for server in group} == {PREFILL, DECODE}]


def _routed(servers: Sequence[Watched]) -> list[list[Watched]]:
    routers = [server for server in servers if server.layer is Layer.ROUTER and server.counts_tokens]
    workers = [s for s in servers if s.layer is Layer.ENGINE and s.never_counts and s.role not in (PREFILL, DECODE)]
    groups = []
    for router in routers:
        own = [worker for worker in workers if [r for r in routers if r.may_front(worker)] == [router]]
        if len({server.model for server in (router, *own) if server.model}) <= 1:
            groups.append([router, *own])
    return groups


def partners(server: Watched, members: Iterable[Watched]) -> list[Watched]:
    """Servers of its deployment whose work shows that it is needed: prefill for decode and decode for prefill, which
    take turns, and the router that counts the tokens of an engine without counters."""
    return [
        other
        for other in members
        if ({server.role, other.role} == {PREFILL, DECODE})
        or (server.never_counts and other.layer is Layer.ROUTER and other.counts_tokens)
    ]


def members_of(groups: Iterable[tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """Address → all addresses of its deployment; addresses that are one by themselves are left out."""
    return {address: group for group in groups for address in group}
