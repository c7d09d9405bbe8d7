"""Numbers given anew: the things of several stores in one, and everything that refers to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.bodies import HostBody, PlacementBody
from tokwatch.ledger.entries import Entity, Event, TickRecord
from tokwatch.ledger.registry import flow_key, flow_labels, group_key, group_units
from tokwatch.store.quarters import Quarters
from tokwatch.store.schema import ENTITY_LIMIT
from tokwatch.store.seen import Seen

# Keys of these hold the numbers of others, which have to be given before.
_ORDER: Final = {"host": 0, "gpu": 1, "server": 2, "flow": 3, "group": 4}


class Numbering:
    """The entities of all stores, each once: by kind, host and key."""

    def __init__(self) -> None:
        self.entities: dict[tuple[str, str, str], Entity] = {}

    def take(self, entities: Iterable[Entity], host_of: Callable[[str], str]) -> Renumbered:
        """The entities of one more store. host_of: what its hosts are called here.

        Raises ValueError for a damaged key, OverflowError for more things than a store can hold.
        """
        numbers: dict[int, int] = {0: 0}
        kinds: dict[int, str] = {}
        for entity in sorted(entities, key=lambda each: (_ORDER.get(each.kind, 5), each.id)):
            host = host_of(entity.host)
            key = _key(entity, numbers, host_of)
            known = self.entities.get((entity.kind, host, key))
            if known is None:
                number = len(self.entities) + 1
                if number >= ENTITY_LIMIT:
                    raise OverflowError("together these files know more things than a store can hold")
                known = Entity(number, entity.kind, host, key, numbers.get(entity.parent, 0), entity.first_seen_ms)
            elif entity.first_seen_ms < known.first_seen_ms:
                known = replace(known, first_seen_ms=entity.first_seen_ms)
            self.entities[entity.kind, host, key] = known
            numbers[entity.id] = known.id
            kinds[entity.id] = entity.kind
        return Renumbered(numbers, kinds, host_of)


class Renumbered:
    """Rows of one store with the numbers of another. What refers to nothing that is known refers to 0."""

    def __init__(self, numbers: dict[int, int], kinds: dict[int, str], host_of: Callable[[str], str]) -> None:
        self._numbers = numbers
        self._kinds = kinds
        self._host_of = host_of

    def record(self, record: TickRecord) -> TickRecord:
        """Without its events."""
        of = self._of
        return replace(
            record,
            gpus=tuple(replace(each, entity=of(each.entity), owner=of(each.owner)) for each in record.gpus),
            servers=tuple(replace(each, entity=of(each.entity)) for each in record.servers),
            flows=tuple(replace(each, entity=of(each.entity)) for each in record.flows),
            hosts=tuple(replace(each, entity=of(each.entity)) for each in record.hosts),
            events=(),
        )

    def event(self, event: Event) -> Event:
        """Raises msgspec.DecodeError for a damaged body."""
        body = event.body
        if event.kind == "placement":
            placed = msgspec.json.decode(body, type=PlacementBody)
            body = msgspec.json.encode(replace(placed, servers=self._all(placed.servers)))
        elif event.kind == "alert":
            alert = msgspec.json.decode(body, type=AlertBody)
            members = tuple((self._of(gpu), since_ms) for gpu, since_ms in alert.members)
            body = msgspec.json.encode(
                replace(alert, gpus=self._all(alert.gpus), members=members, muted_gpus=self._all(alert.muted_gpus))
            )
        elif event.kind == "facts" and self._kinds.get(event.entity) == "host":
            host = msgspec.json.decode(body, type=HostBody)
            body = msgspec.json.encode(replace(host, name=self._host_of(host.name)))
        return replace(event, entity=self._of(event.entity), body=body)

    def quarters(self, sums: Quarters, run: int) -> Quarters:
        def anew(row: Any) -> Any:
            return replace(row, run=run, entity=self._of(row.entity))

        return Quarters(
            [replace(row, run=run, entity=self._of(row.entity), owner=self._of(row.owner)) for row in sums.gpus],
            [anew(row) for row in sums.flows],
            [anew(row) for row in sums.hosts],
            [anew(row) for row in sums.elsewhere],
        )

    def seen(self, seen: Seen, run: int) -> Seen:
        return seen._replace(entity=self._of(seen.entity), run=run)

    def _of(self, number: int) -> int:
        return self._numbers.get(number, 0)

    def _all(self, numbers: Iterable[int]) -> tuple[int, ...]:
        return tuple(self._of(number) for number in numbers)


def _key(entity: Entity, numbers: dict[int, int], host_of: Callable[[str], str]) -> str:
    if entity.kind == "host":
        return host_of(entity.key)
    if entity.kind == "flow":
        server, *labels = flow_labels(entity.key)
        return flow_key(numbers.get(server, 0), *labels)
    if entity.kind == "group":
        return group_key([[numbers.get(server, 0) for server in unit] for unit in group_units(entity.key)])
    return entity.key
