"""The roster: the servers watched at one tick, which of them serve together, and where their tokens are counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from collectors.readings import Layer, Moves, ServerFacts, ServerReading
from tokwatch.ledger.bodies import ServerBody
from tokwatch.ledger.counting import HERE, NO_OUTPUT, Counting, counting
from tokwatch.ledger.deployments import (
    Watched,
    deployments,
    members_of,
    partners,
    replicas,
    routers_before,
    with_roles,
)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Servers elsewhere that a GPU is judged with, as addresses in order."""

    partners: tuple[str, ...] = ()  # their work shows that its own servers are needed, though these may pause
    replicas: tuple[str, ...] = ()  # they serve the same model: its own could have taken their requests
    queues: tuple[str, ...] = ()  # of its deployment, or routers before it: requests for its servers may wait there


NOBODY = Neighbours()


class Roster:
    """Brought up to date once a tick, before anything is counted."""

    def __init__(self) -> None:
        self._by_page: dict[tuple[str, str], Watched] = {}  # address, engine → by the last good page
        self._watched: dict[str, Watched] = {}
        self._members: Mapping[str, tuple[str, ...]] = {}
        self._counting: Mapping[str, Counting] = {}
        self._neighbours: dict[tuple[str, ...], Neighbours] = {}

    def resume(self, body: ServerBody) -> None:
        """What an earlier run read: else a gateway whose page comes first would count its engine's tokens again."""
        self._by_page[body.address, body.engine] = Watched(
            ServerFacts(body.address, body.engine),
            read=True,
            layer=Layer(body.layer),
            counts_tokens=body.moves != Moves.NONE and body.counts != NO_OUTPUT.words,
            model=body.model,
            role=body.role,
        )

    def update(self, known: Iterable[ServerFacts], readings: Iterable[ServerReading]) -> None:
        """The servers known at this tick and the pages that came."""
        facts = {server.address: server for server in known}
        for reading in readings:
            facts.setdefault(reading.server.address, reading.server)
            if reading.ok:
                self._take(Watched.by_page(reading))
        known_now = with_roles([self._as_known(server) for server in facts.values()])
        watched = {server.facts.address: server for server in known_now}
        if watched != self._watched:
            groups = deployments(tuple(watched.values()))
            self._watched, self._members = watched, members_of(groups)
            self._counting = counting(tuple(watched.values()), groups)
            self._neighbours.clear()

    def counting(self, address: str) -> Counting:
        """Which of a server's tokens are added up."""
        return self._counting.get(address, HERE)

    def role(self, address: str) -> str:
        """ "prefill", "decode", or "" for both in one."""
        return self._watched[address].role if address in self._watched else ""

    def account(self, address: str) -> tuple[ServerFacts, ...]:
        """The servers that the GPUs of this one are for: its deployment, less the routers and gateways in it that are
        only shown; the same for each of its members."""
        verified = [member for member in self._deployment(address) if member.facts.verified]
        working = [member for member in verified if member.layer is Layer.ENGINE or self._counts_any(member)]
        return tuple(member.facts for member in working or verified)

    def neighbours(self, addresses: tuple[str, ...]) -> Neighbours:
        """Of the GPU that these servers are on."""
        if addresses not in self._neighbours:
            self._neighbours[addresses] = self._find_neighbours(addresses)
        return self._neighbours[addresses]

    def _find_neighbours(self, addresses: tuple[str, ...]) -> Neighbours:
        own = [self._watched[address] for address in addresses if address in self._watched]
        everyone = tuple(self._watched.values())
        members = {server.facts.address: self._deployment(server.facts.address) for server in own}
        return Neighbours(
            partners=_elsewhere(own, (partners(server, members[server.facts.address]) for server in own)),
            replicas=_elsewhere(own, (replicas(server, everyone) for server in own)),
            queues=_elsewhere(own, (*members.values(), *(routers_before(server, everyone) for server in own))),
        )

    def _take(self, page: Watched) -> None:
        place = (page.facts.address, page.facts.engine)
        before = self._by_page.get(place)
        # What was counted once may be counted again: a counter can leave a page with the process that made it.
        counts = page.counts_tokens or (before is not None and before.counts_tokens)
        self._by_page[place] = replace(page, counts_tokens=counts)

    def _deployment(self, address: str) -> tuple[Watched, ...]:
        addresses = self._members.get(address, (address,))
        return tuple(self._watched[member] for member in addresses if member in self._watched)

    def _counts_any(self, server: Watched) -> bool:
        here = self.counting(server.facts.address)
        return here.prompt or here.output

    def _as_known(self, facts: ServerFacts) -> Watched:
        paged = self._by_page.get((facts.address, facts.engine))
        if paged is None:
            return Watched.unread(facts)
        return replace(paged, facts=facts, model=paged.model or facts.model or "", role=facts.role or paged.role)


def _elsewhere(own: Iterable[Watched], found: Iterable[Iterable[Watched]]) -> tuple[str, ...]:
    """Addresses of all that were found but the GPU's own."""
    here = {server.facts.address for server in own}
    return tuple(sorted({server.facts.address for servers in found for server in servers} - here))
