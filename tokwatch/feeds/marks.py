"""What becomes a mark. Pure: from events, from breaks of counters, from prices."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from tokwatch.feeds.mark import KINDS, Mark
from tokwatch.indices import indices
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.entries import Event, State
from tokwatch.ledger.gpu_rows import state_name
from tokwatch.ledger.prices.book import PriceBook, PriceVersion

_IDLE: Final = frozenset(state.value for state in State if state.idle)
_UNKNOWN: Final = State.UNKNOWN.value
IDLE_FROM_MS: Final = 5 * 60_000  # a shorter pause between requests is no stretch to look at


def alert_marks(events: Iterable[Event], from_ms: int, gpus: Mapping[int, int]) -> list[Mark]:
    """Where an alert begins to fire, of `alert` events after from_ms; `gpus`: index of each GPU entity."""
    marks: list[Mark] = []
    fired: dict[str, int] = {}
    for event in events:
        alert = msgspec.json.decode(event.body, type=AlertBody)
        if alert.status != "firing" or alert.fired_ms is None or alert.fired_ms <= from_ms:
            continue  # what fired before is only told anew
        if fired.get(event.key) != alert.fired_ms:
            fired[event.key] = alert.fired_ms
            state = state_name(alert.state) if alert.of == "state" else ""
            words = ": ".join(filter(None, (_names(alert.gpus, gpus), alert.text)))
            marks.append(Mark(event.tick_ms, "alert", words, state))
    return marks


def idle_marks(before: Iterable[Event], events: Iterable[Event], end_ms: int, gpus: Mapping[int, int]) -> list[Mark]:
    """Where GPUs begin to be idle for five minutes or longer; those that begin together are one mark.

    before, events: `state` events in force at the beginning, and since then. end_ms: the last tick, at which a stretch
    may still go on.
    """
    idle_before = {event.entity for event in before if _state(event) in _IDLE}
    began: dict[int, Event] = {}
    stretches: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)  # GPU → when it was over

    def end(event: Event, at_ms: int) -> None:
        if at_ms - event.tick_ms >= IDLE_FROM_MS:
            stretches[event.tick_ms, _state(event)][event.entity] = at_ms

    for event in events:
        state = _state(event)
        if state == _UNKNOWN:
            continue  # a recorder that has just begun: neither an end nor a beginning
        if state in _IDLE:
            if event.entity not in idle_before:
                began.setdefault(event.entity, event)
        else:
            idle_before.discard(event.entity)
            if (start := began.pop(event.entity, None)) is not None:
                end(start, event.tick_ms)
    for start in began.values():
        end(start, end_ms)
    return [
        Mark(at_ms, "idle", _names(until, gpus), state_name(state), max(until.values()) - at_ms)
        for (at_ms, state), until in stretches.items()
    ]


def restart_marks(restarts: Iterable[tuple[int, str]]) -> list[Mark]:
    """(tick, server) where a server's counters began anew."""
    servers: dict[int, dict[str, None]] = defaultdict(dict)
    for tick_ms, server in restarts:
        servers[tick_ms][server] = None
    return [Mark(tick_ms, "restart", ", ".join(names)) for tick_ms, names in servers.items()]


def gap_marks(gaps: Iterable[tuple[int, int]], longest_ms: int) -> list[Mark]:
    """(last tick before, first tick after): it is the latter that can be looked at. Where no longer than `longest_ms`
    passed between them nothing was missed, and it is told that another run of the recorder begins.
    """
    return [
        Mark(to_ms, "gap", "nobody watched", length_ms=to_ms - from_ms)
        if to_ms - from_ms > longest_ms
        else Mark(to_ms, "gap", "the recorder began anew")
        for from_ms, to_ms in gaps
    ]


def price_marks(book: PriceBook, from_ms: int, to_ms: int) -> list[Mark]:
    """Where another version of the price book comes into force in (from_ms, to_ms)."""
    return [
        Mark(start_ms, "price", _told(version))
        for (_, _, earlier), (start_ms, _, version) in itertools.pairwise(book.segments(from_ms, to_ms))
        if version != earlier
    ]


def in_order(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """By time; at one instant in the order of KINDS."""
    return tuple(sorted(marks, key=lambda mark: (mark.at_ms, KINDS.index(mark.kind), mark.words)))


class _State(msgspec.Struct):
    """Of a StateBody what is needed of it: a month of a busy box has tens of thousands."""

    state: int


_decode = msgspec.json.Decoder(_State).decode


def _state(event: Event) -> int:
    return _decode(event.body).state


def _told(version: PriceVersion | None) -> str:
    return "none any more" if version is None else ": ".join(filter(None, (version.source, version.reason)))


def _names(entities: Collection[int], gpus: Mapping[int, int]) -> str:
    known = [gpus[entity] for entity in entities if entity in gpus]
    return f"gpu {indices(known)}" if known else ""
