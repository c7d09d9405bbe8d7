"""Which part of a server's tokens is one GPU's, at any moment: an equal part of what its deployment makes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Final

from tokwatch.ledger.bodies import PlacementBody, body
from tokwatch.ledger.entries import Entity, Event
from tokwatch.ledger.registry import owner_units

_NOWHERE: Final[Mapping[int, tuple[int, ...]]] = {}


class TokenShares:
    """Placements and owners over time, as a GPU's row in the Snapshot divides its tokens by them.

    events: `placement`, in order, of all GPUs, those in force at the beginning too. owned: (until, owner) of the GPU,
    in order; an owner of 0 is nobody. entities: by number, the owners among them.
    """

    def __init__(
        self, gpu: int, events: Iterable[Event], owned: Iterable[tuple[int, int]], entities: Mapping[int, Entity]
    ) -> None:
        self._gpu = gpu
        self._entities = entities
        self._until_ms: list[int] = []
        self._owners: list[int] = []  # until then, since the one before
        for until_ms, owner in owned:
            if self._owners and self._owners[-1] == owner:
                self._until_ms[-1] = until_ms
            else:
                self._until_ms.append(until_ms)
                self._owners.append(owner)
        self._changed_ms: list[int] = []
        self._placed: list[Mapping[int, tuple[int, ...]]] = []  # GPU → servers on it, since then
        for event in events:
            now = {**(self._placed[-1] if self._placed else _NOWHERE), event.entity: body(event, PlacementBody).servers}
            self._changed_ms.append(event.tick_ms)
            self._placed.append(now)
        self._known: dict[tuple[int, int], Mapping[int, float]] = {}

    @property
    def servers(self) -> frozenset[int]:
        """All whose tokens it ever had a part of."""
        placed = {server for each in self._placed for server in each.get(self._gpu, ())}
        return frozenset(placed.union(*(unit for owner in set(self._owners) for unit in self._units(owner))))

    def at(self, at_ms: int) -> Mapping[int, float]:
        """Server → the GPU's part of its tokens, 0..1; servers without one are left out."""
        since = bisect_right(self._changed_ms, at_ms) - 1
        owner = self._owner(at_ms)
        if (since, owner) not in self._known:
            placed = self._placed[since] if since >= 0 else _NOWHERE
            self._known[since, owner] = self._parts(placed, owner)
        return self._known[since, owner]

    def _owner(self, at_ms: int) -> int:
        if not self._owners:
            return 0
        return self._owners[min(bisect_left(self._until_ms, at_ms), len(self._owners) - 1)]

    def _units(self, owner: int) -> tuple[tuple[int, ...], ...]:
        return owner_units(self._entities[owner]) if owner in self._entities else ()

    def _parts(self, placed: Mapping[int, tuple[int, ...]], owner: int) -> Mapping[int, float]:
        units = set(self._units(owner))
        owned = {server for unit in units for server in unit}
        units |= {(server,) for server in placed.get(self._gpu, ()) if server not in owned}  # another user's
        parts: dict[int, float] = {}
        for unit in units:
            gpus = sum(not frozenset(servers).isdisjoint(unit) for servers in placed.values())
            parts |= dict.fromkeys(unit, 1 / max(1, gpus))
        return parts
