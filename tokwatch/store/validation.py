"""What the store asks of a record before it takes it: the key layout and the roll-ups rest on this."""

from __future__ import annotations

from typing import Final

from tokwatch.ledger.entries import Event, FlowEntry, State, TickRecord
from tokwatch.store.rows import Entry, entries_of
from tokwatch.store.schema import ENTITY_LIMIT, TICK_LIMIT_MS

LONGEST_ENTRY_MS: Final = 366 * 86_400_000  # an entry is split at every quarter hour: this bounds the work
_STATES: Final = frozenset(state.value for state in State)


def check_record(record: TickRecord, last_tick_ms: int | None) -> None:
    """Raises ValueError that says what is wrong; `last_tick_ms` is that of the record before."""
    tick_ms = record.tick.tick_ms
    if not 0 < tick_ms < TICK_LIMIT_MS:
        raise ValueError(f"tick {tick_ms} is not a time in milliseconds that the store can hold")
    if last_tick_ms is not None and tick_ms <= last_tick_ms:
        raise ValueError(f"tick {tick_ms} does not come after {last_tick_ms}")
    for entries in (record.gpus, record.servers, record.flows, record.hosts):
        if len({entry.entity for entry in entries}) < len(entries):
            raise ValueError(f"tick {tick_ms} has two entries of one kind for one entity")
    for entry in entries_of(record):
        _check_entry(entry, tick_ms)
    for gpu in record.gpus:
        if gpu.state not in _STATES:
            raise ValueError(f"entity {gpu.entity} at tick {tick_ms} is in state {gpu.state}, which has no column")
    for flow in record.flows:
        _check_histograms(flow)
    for entity in record.entities:
        if not 0 < entity.id < ENTITY_LIMIT:
            raise ValueError(f"entity id {entity.id} is not within 1 and {ENTITY_LIMIT - 1}")
    _check_events(record.events, tick_ms)


def _check_entry(entry: Entry, tick_ms: int) -> None:
    if not 0 < entry.entity < ENTITY_LIMIT:
        raise ValueError(f"entity {entry.entity} at tick {tick_ms} is not within 1 and {ENTITY_LIMIT - 1}")
    if not entry.t0_ms <= entry.t1_ms <= tick_ms:
        raise ValueError(f"entity {entry.entity} at tick {tick_ms} speaks for ({entry.t0_ms}, {entry.t1_ms}]")
    if entry.t1_ms - entry.t0_ms > LONGEST_ENTRY_MS:
        raise ValueError(f"entity {entry.entity} at tick {tick_ms} speaks for more than a year")


def _check_histograms(flow: FlowEntry) -> None:
    for histogram in flow.histograms:
        if len(histogram.counts) != len(histogram.edges) + 1 or min(histogram.counts) < 0:
            raise ValueError(f"histogram {histogram.name} of entity {flow.entity} does not fit its edges")


def _check_events(events: tuple[Event, ...], tick_ms: int) -> None:
    if any(event.tick_ms != tick_ms for event in events):
        raise ValueError(f"tick {tick_ms} carries an event of another tick")
    if len({(event.kind, event.entity, event.key) for event in events}) < len(events):
        raise ValueError(f"tick {tick_ms} has two events of one kind, entity and key: only the last can hold")
