"""What changed in one tick: events, written only where the body differs from the one in force."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tokwatch.ledger.bodies import ProbeBody, ProblemBody, event
from tokwatch.ledger.entries import Event
from tokwatch.ledger.news_limit import NewsLimit, Place

_WORDED_OUTSIDE = frozenset({"facts", "problem", "probe", "reasons", "xid"})
_GONE = ProbeBody(False, "", "", gone=True)
_NO_PROBLEM = msgspec.json.encode(ProblemBody(""))


class Changes:
    """Collects the events of one tick. `bodies` holds what is in force, and is brought up to date."""

    def __init__(self, tick_ms: int, bodies: dict[Place, bytes], limit: NewsLimit) -> None:
        self._events: dict[Place, Event] = {}
        self._tick_ms = tick_ms
        self._bodies = bodies
        self._limit = limit

    @property
    def events(self) -> tuple[Event, ...]:
        """One for each kind, entity and key: of several in one tick the last holds."""
        return tuple(self._events.values())

    def known(self, kind: str, entity: int) -> bool:
        """Whether anything of that kind is in force for the entity."""
        return (kind, entity, "") in self._bodies

    def note(self, kind: str, entity: int, body: msgspec.Struct, key: str = "") -> None:
        """What is so now."""
        self.add(event(self._tick_ms, entity, kind, body, key))

    def add(self, change: Event) -> None:
        """The same, as an event that was made elsewhere."""
        place = (change.kind, change.entity, change.key)
        if self._bodies.get(place) == change.body:
            return
        if place not in self._bodies and change.kind == "problem" and change.body == _NO_PROBLEM:
            return  # the absence of a problem is news only after one
        if not self._may_be_told(place, change):
            return
        self._bodies[place] = change.body
        self._events[place] = change

    def _may_be_told(self, place: Place, change: Event) -> bool:
        """That a problem is over always may: a page is good again."""
        if change.kind not in _WORDED_OUTSIDE or change.body == _NO_PROBLEM:
            return True
        return self._limit.allows((change.kind, change.entity, "") if change.kind == "xid" else place, self._tick_ms)

    def forget_probes(self, names: Iterable[str]) -> None:
        """Say of every probe that is no longer made that it is gone."""
        present = set(names)
        for place in [place for place in self._bodies if place[0] == "probe" and place[2] not in present]:
            kind, entity, key = place
            del self._bodies[place]  # names hold pids: those that are gone would only become more
            self._events[place] = event(self._tick_ms, entity, kind, _GONE, key)
