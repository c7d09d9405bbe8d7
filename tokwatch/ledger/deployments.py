"""Deployments: which watched servers serve one model together, so that their GPUs and their tokens are one account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from collectors.readings import UNNAMED, Layer, Moves, ServerFacts, ServerReading

PREFILL, DECODE = "prefill", "decode"
# Facts by which a Dynamo worker's page tells what it belongs to; one that prefills may have no counters, thus no flows.
_NAMESPACE, _COMPONENT = "dynamo namespace", "dynamo component"


@dataclass(frozen=True, slots=True)
class Watched:
    """A watched server: its facts, and what its last good page told; before that, an engine that counts nothing."""

    facts: ServerFacts
    read: bool = False  # a good page was seen
    layer: Layer = Layer.ENGINE
    fronts: tuple[str, ...] = ()
    counts_tokens: bool = False  # output tokens
    model: str = ""
    role: str = ""
    namespace: str = ""  # Dynamo's

    @classmethod
    def by_page(cls, page: ServerReading) -> Watched:
        """As a good page shows it.

        Many engines show a counter only from the first token on: it is missing so far, and counts. A router that lacks
        it may pass answers on without looking into them.
        """
        facts = page.server
        on_page = any(flow.output_tokens is not None for flow in page.flows)
        expected = page.layer is Layer.ENGINE and any(role == "output_tokens" for role, _ in page.missing)
        return cls(
            facts,
            read=True,
            layer=page.layer,
            fronts=page.fronts,
            counts_tokens=page.moves is not Moves.NONE and (on_page or expected),
            model=next((flow.model for flow in page.flows if flow.model != UNNAMED), facts.model or ""),
            role=_role(page),
            namespace=dict(page.facts).get(_NAMESPACE, ""),
        )

    @classmethod
    def unread(cls, facts: ServerFacts) -> Watched:
        """As the process list or the config shows it."""
        return cls(facts, model=facts.model or "", role=facts.role)

    @property
    def never_counts(self) -> bool:
        """It has no page, or one without output tokens."""
        return self.facts.metrics_url is None or (self.read and not self.counts_tokens)

    def may_front(self, other: Watched) -> bool:
        """Requests to `other` may pass through this router or gateway."""
        return other is not self and (not self.fronts or other.facts.engine in self.fronts)


def _role(page: ServerReading) -> str:
    component = dict(page.facts).get(_COMPONENT, "")
    told = (page.server.role, *(flow.role for flow in page.flows), component if component in (PREFILL, DECODE) else "")
    return next((role for role in told if role), "")


def with_roles(watched: Sequence[Watched]) -> tuple[Watched, ...]:
    """The same, with the role of those that decode beside a prefill server and do not say so (Dynamo's "backend")."""
    decoding = {
        server.facts.address
        for family in _families(watched)
        if PREFILL in (roles := {server.role for server in family}) and DECODE not in roles
        for server in family
        if not server.role and server.facts.engine in {other.facts.engine for other in family if other.role}
    }
    return tuple(replace(s, role=DECODE) if s.facts.address in decoding else s for s in watched)


def deployments(watched: Sequence[Watched]) -> tuple[tuple[str, ...], ...]:
    """The deployments of several servers as sorted addresses; a server in none of them is one by itself.

    1. Servers to which the config gives one name.
    2. Prefill and decode servers of one model, or of one Dynamo namespace with one model.
    3. A router that counts tokens with the engines behind it that do not, when all of them serve one model.

    A router's engines that count their own tokens stay apart: each has its own GPUs, and may rest while others work.
    """
    named: dict[str, list[Watched]] = defaultdict(list)
    for server in watched:
        if server.facts.deployment:
            named[server.facts.deployment].append(server)
    free = [server for server in watched if not server.facts.deployment]
    pairs = [
        [server for server in family if server.role]
        for family in _families(free)
        if {server.role for server in family} >= {PREFILL, DECODE}
    ]
    groups = ({server.facts.address for server in group} for group in (*named.values(), *pairs, *_routed(free)))
    return tuple(sorted(tuple(sorted(group)) for group in _united(groups) if len(group) > 1))


def _families(servers: Iterable[Watched]) -> list[list[Watched]]:
    """Engines of one namespace, else of one model; without those of several models."""
    families: dict[tuple[str, str], list[Watched]] = defaultdict(list)
    for server in servers:
        if server.layer is Layer.ENGINE and (server.namespace or server.model):
            families[server.namespace, "" if server.namespace else server.model].append(server)
    return [family for family in families.values() if _one_model(family)]


def _routed(servers: Sequence[Watched]) -> list[list[Watched]]:
    routers = [server for server in servers if server.layer is Layer.ROUTER and server.counts_tokens]
    workers = [server for server in servers if server.layer is Layer.ENGINE and server.never_counts]
    groups = [
        [router, *(worker for worker in workers if [r for r in routers if r.may_front(worker)] == [router])]
        for router in routers
    ]
    return [group for group in groups if _one_model(group)]


def _one_model(servers: Iterable[Watched]) -> bool:
    return len({server.model for server in servers if server.model}) <= 1


def _united(groups: Iterable[set[str]]) -> list[set[str]]:
    """Groups that have a member in common are one."""
    united: list[set[str]] = []
    for group in groups:
        touching = [other for other in united if other & group]
        united = [other for other in united if not other & group]
        united.append(group.union(*touching))
    return united


def partners(server: Watched, members: Iterable[Watched]) -> list[Watched]:
    """Servers of its deployment whose work shows that it is needed: prefill for decode and decode for prefill, which
    take turns, and the router that counts the tokens of an engine without counters."""
    return [
        other
        for other in members
        if ({server.role, other.role} == {PREFILL, DECODE})
        or (server.never_counts and other.layer is Layer.ROUTER and other.counts_tokens)
    ]


def replicas(server: Watched, watched: Iterable[Watched]) -> list[Watched]:
    """Engines that could have served its requests: of its model and role, of no other user, and not kept apart by the
    names of their deployments."""
    return [
        other
        for other in watched
        if other is not server
        and server.model
        and server.layer is other.layer is Layer.ENGINE
        and _kind(server) == _kind(other)
        and server.facts.verified
        and other.facts.verified
    ]


def _kind(server: Watched) -> tuple[str, str, str, str]:
    return server.model, server.role, server.namespace, server.facts.deployment


def routers_before(server: Watched, watched: Iterable[Watched]) -> list[Watched]:
    """Routers that its requests may pass."""
    return [
        router
        for router in watched
        if router.layer is Layer.ROUTER and router.may_front(server) and _one_model((router, server))
    ]


def members_of(groups: Iterable[tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """Address → all addresses of its deployment; addresses that are one by themselves are left out."""
    return {address: group for group in groups for address in group}
