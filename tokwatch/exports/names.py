"""What the measured things are called: entities and their facts, as they stood at an instant."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import cache
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
        self._flow, self._units = cache(self._read_flow), cache(self._read_units)
        self._gpu, self._server = cache(_gpu_body), cache(_server_body)
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
        facts = self._in_force(gpu, at_ms)
        return self._gpu(facts) if facts else None

    def server(self, server: int, at_ms: int) -> ServerBody | None:
        """Facts of a server; None when its page was never read."""
        facts = self._in_force(server, at_ms)
        return self._server(facts) if facts else None

    def flow(self, flow: int) -> FlowName:
        """Whose tokens a flow counts, on its own server."""
        return self._flow(flow)

    def units(self, owner: int) -> tuple[tuple[int, ...], ...]:
        """The servers behind the owner of a GPU: each unit makes its tokens together, several units share the GPU."""
        return self._units(owner)

    def _read_flow(self, flow: int) -> FlowName:
        entity = self._entity(flow)
        try:
            _, model, _, tenant, tier = flow_labels(entity.key)
        except (ValueError, TypeError) as error:
            raise _damaged(f"the key of entity {flow}", error) from error
        return FlowName((entity.parent,), clean_label(model), clean_label(tenant), clean_label(tier))

    def _read_units(self, owner: int) -> tuple[tuple[int, ...], ...]:
        try:
            return owner_units(self._entity(owner))
        except (ValueError, TypeError) as error:
            raise _damaged(f"the key of entity {owner}", error) from error

    def _entity(self, number: int) -> Entity:
        entity = self._entities.get(number)
        if entity is None:
            raise ExportError(f"the store names no entity {number}; check it with `tokwatch doctor --store`")
        return entity

    def _in_force(self, entity: int, at_ms: int) -> Event | None:
        events = self._facts.get(entity)
        if not events:
            return None
        # An entry that reaches back over an hour's edge speaks for time before its thing was first described.
        return events[max(0, bisect_right(events, at_ms, key=lambda event: event.tick_ms) - 1)]


def _gpu_body(facts: Event) -> GpuBody:
    told = _decoded(facts, GpuBody)
    return msgspec.structs.replace(told, uuid=_clean(told.uuid), name=_clean(told.name))


def _server_body(facts: Event) -> ServerBody:
    told = _decoded(facts, ServerBody)
    return msgspec.structs.replace(
        told,
        address=clean_label(told.address),
        engine=clean_label(told.engine),
        model=clean_label(told.model),
        deployment=clean_label(told.deployment),
    )


def _decoded(facts: Event, kind: type[_Body]) -> _Body:
    try:
        return body(facts, kind)
    except msgspec.DecodeError as error:
        raise _damaged(f"the facts of entity {facts.entity}", error) from error


def _clean(text: str | None) -> str | None:
    return None if text is None else clean_label(text)


def _damaged(what: str, error: Exception) -> ExportError:
    return ExportError(f"the store is damaged, {what}: {error}; check it with `tokwatch doctor --store`")
