"""Which thing is which: natural keys to entity numbers, so that a GPU or a server stays itself across restarts."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set

from collectors.readings import GpuFacts, ServerFacts
from tokwatch.ledger.entries import Entity

MOST_ENTITIES = 1 << 20  # the low bits of a row's key


class Registry:
    """Entities of one store as one recorder knows them."""

    def __init__(self, host: str, known: Iterable[Entity] = ()) -> None:
        self.host = host
        self._by_key: dict[tuple[str, str, str], Entity] = {}
        self._by_id: dict[int, Entity] = {}
        self._new: list[Entity] = []
        self._last = 0
        self._flows: dict[int, set[str]] = defaultdict(set)  # keys, by server
        for entity in known:
            self._remember(entity)

    def id(self, kind: str, key: str, *, parent: int, seen_ms: int) -> int:
        """The entity's number, given to it when it is seen for the first time."""
        entity = self._by_key.get((kind, self.host, key))
        if entity is None:
            number = self._last + 1
            if number >= MOST_ENTITIES:
                raise OverflowError(f"the store knows {number} things already; start a new one with --store")
            entity = Entity(number, kind, self.host, key, parent, seen_ms)
            self._remember(entity)
            self._new.append(entity)
        return entity.id

    def find(self, kind: str, key: str) -> int:
        """The entity's number, 0 when it was never seen."""
        entity = self._by_key.get((kind, self.host, key))
        return entity.id if entity else 0

    def flows_of(self, server: int) -> Set[str]:
        """Keys of all flows that the server ever had."""
        return self._flows[server]

    def __getitem__(self, number: int) -> Entity:
        return self._by_id[number]

    def take_new(self) -> tuple[Entity, ...]:
        """Entities first seen since the last call: they go into the tick's transaction."""
        new, self._new = tuple(self._new), []
        return new

    def _remember(self, entity: Entity) -> None:
        self._by_key[entity.kind, entity.host, entity.key] = entity
        self._by_id[entity.id] = entity
        self._last = max(self._last, entity.id)
        if entity.kind == "flow":
            self._flows[entity.parent].add(entity.key)


def gpu_key(facts: GpuFacts) -> str:
    """A GPU's natural key: its UUID, else its PCI address, else its index."""
    return facts.uuid or facts.pci_bus_id or f"index:{facts.index}"


def server_key(facts: ServerFacts) -> str:
    """A server's natural key: another port is another server, a new pid is not."""
    return f"{facts.address}|{facts.engine}"


def flow_key(server: int, model: str, role: str, tenant: str, tier: str) -> str:
    """The natural key of a flow. JSON, because labels may hold any separator."""
    return json.dumps([server, model, role, tenant, tier], ensure_ascii=False)


def flow_labels(key: str) -> tuple[int, str, str, str, str]:
    """The inverse of flow_key: server entity, model, role, tenant, tier."""
    server, model, role, tenant, tier = json.loads(key)
    return int(server), str(model), str(role), str(tenant), str(tier)


def group_key(units: Iterable[Sequence[int]]) -> str:
    """The natural key of servers that have GPUs together.

    A unit is a server, or several that make their tokens together (a deployment); several units share GPUs:
    [7, [3, 5]] is server 7 beside a deployment of 3 and 5.
    """
    return json.dumps([unit[0] if len(unit) == 1 else unit for unit in sorted(sorted(unit) for unit in units)])


def group_units(key: str) -> tuple[tuple[int, ...], ...]:
    """The inverse of group_key. Raises ValueError or TypeError on a damaged key."""
    return tuple(tuple(map(int, unit)) if isinstance(unit, list) else (int(unit),) for unit in json.loads(key))


def owner_units(owner: Entity) -> tuple[tuple[int, ...], ...]:
    """The units behind the owner of a GPU: a server, or the units of a group. Raises as group_units."""
    return group_units(owner.key) if owner.kind == "group" else ((owner.id,),)
