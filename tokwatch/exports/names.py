"""What the measured things are called: entities and their facts, as they stood at an instant."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import msgspec

from collectors.labels import clean_label
from tokwatch.exports.errors import ExportError
from tokwatch.ledger.bodies import GpuBody, ServerBody, body
from tokwatch.ledger.entries import Entity, Event
from tokwatch.ledger.registry import flow_labels, owner_units

_Body = TypeVar("_Body", bound=msgspec.Struct)


class FlowName(NamedTuple):
    """What flows make one row: those of servers that make their tokens together, whatever the role of each."""

    servers: tuple[int, ...]
    model: str
    tenant: str
    tier: str


class Names:
    """Entities and `facts` events of a store. A stored label is as hostile as a page's: all are cleaned here.

    Raises ExportError for a body or key that does not decode.
    """

    def __init__(self, entities: Iterable[Entity], facts: Iterable[Event]) -> None:
        """`facts`: in the order they happened."""
        self._entities = {entity.id: entity for entity in entities}
        self._facts: dict[int, list[Event]] = {}
        for event in facts:
            self._facts.setdefault(event.entity, []).append(event)

    def host(self, entity: int) -> str:
        """Name of the host that a thing is on."""
        return clean_label(self._entity(entity).host)

    def parent(self, entity: int) -> int:
        """The host of a GPU or server, the server of a flow."""
        return self._entity(entity).parent

    def gpu(self, gpu: int, at_ms: int) -> GpuBody | None:
        """Facts of a GPU; None when none were recorded."""
        facts = self._in_force(gpu, at_ms, GpuBody)
        if facts is None:
            return None
        return msgspec.structs.replace(facts, uuid=_clean(facts.uuid), name=_clean(facts.name))

    def server(self, server: int, at_ms: int) -> ServerBody | None:
        """Facts of a server; None when its page was never read."""
        facts = self._in_force(server, at_ms, ServerBody)
        if facts is None:
            return None
        return msgspec.structs.replace(
            facts,
            address=clean_label(facts.address),
            engine=clean_label(facts.engine),
            model=clean_label(facts.model),
            deployment=clean_label(facts.deployment),
        )

    def flow(self, flow: int) -> FlowName:
        """Whose tokens a flow counts, on its own server."""
        entity = self._entity(flow)
        try:
            _, model, _, tenant, tier = flow_labels(entity.key)
        except (ValueError, TypeError) as error:
            raise _damaged(f"the key of entity {flow}", error) from error
        return FlowName((entity.parent,), clean_label(model), clean_label(tenant), clean_label(tier))

    def units(self, owner: int) -> tuple[tuple[int, ...], ...]:
        """The servers behind the owner of a GPU: each unit makes its tokens together, several units share the GPU."""
        try:
            return owner_units(self._entity(owner))
        except (ValueError, TypeError) as error:
            raise _damaged(f"the key of entity {owner}", error) from error

    def _entity(self, number: int) -> Entity:
        entity = self._entities.get(number)
        if entity is None:
            raise ExportError(f"the store names no entity {number}; check it with `tokwatch doctor --store`")
        return entity

    def _in_force(self, entity: int, at_ms: int, kind: type[_Body]) -> _Body | None:
        events = self._facts.get(entity)
        if not events:
            return None
        # An entry that reaches back over an hour's edge speaks for time before its thing was first described.
        place = max(0, bisect_right(events, at_ms, key=lambda event: event.tick_ms) - 1)
        try:
            return body(events[place], kind)
        except msgspec.DecodeError as error:
            raise _damaged(f"the facts of entity {entity}", error) from error


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_label(text)


def _damaged(what: str, error: Exception) -> ExportError:
    return ExportError(f"the store is damaged, {what}: {error}; check it with `tokwatch doctor --store`")
