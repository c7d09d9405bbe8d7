"""Fed with the entries of every tick, says at the end of each aligned minute what every deployment did in it: events.

A unit is the owner of GPUs: a server, or the group of those that have them together. Events of one:
`operating` the last minute's OperatingPoint, while tokens are made (five minutes where an engine counts tokens when a
request ends); `frontier` and `capacity`, by mix, when they change; `load` once an hour. A window belongs to the run
that saw all of it: a restart loses the minute, the five minutes and the hour that it falls into, and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from tokwatch.ledger.bodies import ServerBody, SettingsBody, event
from tokwatch.ledger.capacity.capacity import (
    HOUR_MS,
    NO_LOAD,
    NOTHING_LEARNT,
    HourOfLoad,
    LearntCapacity,
    Load,
    declared,
    hour_of,
    met,
    utilisation,
)
from tokwatch.ledger.capacity.frontier import EMPTY, Frontier
from tokwatch.ledger.capacity.operating_point import OperatingPoint
from tokwatch.ledger.capacity.window import Window
from tokwatch.ledger.entries import Entity, Event, FlowEntry, GpuEntry, ServerEntry
from tokwatch.ledger.registry import flow_labels, owner_units

MINUTE_MS = 60_000
FIVE_MS = 5 * MINUTE_MS
_FORGOTTEN_MS = 5 * MINUTE_MS  # exporters are read every 15 to 60 s; a GPU not heard of for longer is no longer there


@dataclass(slots=True)
class _Unit:
    servers: frozenset[int]
    minute: Window
    five: Window
    at_end: bool = False
    last: OperatingPoint | None = None  # None where the last window was not watched whole
    learnt: dict[str, LearntCapacity] = field(default_factory=dict)  # by mix
    frontiers: dict[str, Frontier] = field(default_factory=dict)
    load: Load = NO_LOAD
    hour: HourOfLoad | None = None


class CapacityTracker:
    """Of one recorder. `entity` tells what a number stands for."""

    def __init__(self, entity: Callable[[int], Entity], settings: SettingsBody) -> None:
        self._entity = entity
        self._settings = settings
        self._units: dict[int, _Unit] = {}
        self._owners: dict[int, tuple[int, int]] = {}  # GPU → owner, when it was last heard of
        self._flows: dict[int, tuple[int, str]] = {}  # → server, model
        self._described: dict[int, ServerBody] = {}
        self._from_ms: int | None = None  # of the running minute
        self._now_ms = 0

    def resume(self, past: Event) -> None:
        """Go on from what an earlier run left in force."""
        if past.kind == "capacity":
            self._unit(past.entity).learnt[past.key] = msgspec.json.decode(past.body, type=LearntCapacity)
        elif past.kind == "frontier":
            self._unit(past.entity).frontiers[past.key] = msgspec.json.decode(past.body, type=Frontier)
        elif past.kind == "load":
            self._unit(past.entity).load = msgspec.json.decode(past.body, type=Load)

    def describe(self, server: int, body: ServerBody) -> None:
        """The server's model and the name of its deployment, by which capacities are declared."""
        self._described[server] = body

    def utilisation(self, owner: int, now_ms: int) -> float | None:
        """The last window's throughput ÷ capacity, of the owner of a GPU; None where either is not known now."""
        unit = self._units.get(owner)
        if unit is None or unit.last is None or unit.last.to_ms < now_ms - FIVE_MS - MINUTE_MS:
            return None
        capacity = self._tok_s_per_gpu(unit, unit.last)
        return None if not capacity else utilisation(unit.last.computed_tok_s_per_gpu, capacity, 1)

    def step(
        self,
        tick_ms: int,
        gpus: Iterable[GpuEntry],
        servers: Iterable[ServerEntry],
        flows: Iterable[FlowEntry],
    ) -> tuple[Event, ...]:
        """One tick: its entries, and the events of the minute that it ended, if any."""
        from_ms = (tick_ms - 1) // MINUTE_MS * MINUTE_MS
        self._now_ms = tick_ms
        changed: list[Event] = []
        if self._from_ms is None:
            self._from_ms = from_ms
            for unit in self._units.values():
                unit.minute, unit.five = Window(from_ms), Window(from_ms // FIVE_MS * FIVE_MS)
        elif from_ms > self._from_ms:
            for number in sorted(self._units):
                changed += self._close(number, self._units[number], self._from_ms, from_ms)
            self._from_ms = from_ms
        self._fill(gpus, servers, flows)
        return tuple(changed)

    # --- filling --------------------------------------------------------------------------------------------------

    def _fill(self, gpus: Iterable[GpuEntry], servers: Iterable[ServerEntry], flows: Iterable[FlowEntry]) -> None:
        gpus = list(gpus)
        for gpu in gpus:
            self._owners[gpu.entity] = gpu.owner, gpu.t1_ms
        for number in [n for n, (_, at_ms) in self._owners.items() if at_ms <= self._now_ms - _FORGOTTEN_MS]:
            del self._owners[number]
        unit_of = self._take_places()
        for gpu in gpus:
            if gpu.owner:
                self._unit(gpu.owner).minute.gpu(gpu)
        for server in servers:
            if server.entity in unit_of:
                unit_of[server.entity].minute.server(server)
        for flow in flows:
            of_server, model = self._flow(flow.entity)
            if of_server in unit_of:
                unit_of[of_server].minute.flow(flow, of_server, model)

    def _take_places(self) -> dict[int, _Unit]:
        """Server → its unit, each of which is told its GPUs. Tokens of a server that two units have cannot be told
        apart: neither has a window then."""
        gpus_of: dict[int, set[int]] = {}
        for gpu, (owner, _) in self._owners.items():
            if owner:
                gpus_of.setdefault(owner, set()).add(gpu)
        units = {owner: self._unit(owner) for owner in gpus_of}
        times = Counter(server for unit in units.values() for server in unit.servers)
        for owner, unit in units.items():
            alone = all(times[server] == 1 for server in unit.servers)
            unit.minute.on(frozenset(gpus_of[owner]) if alone else frozenset())
        return {server: unit for unit in units.values() for server in unit.servers}

    def _unit(self, number: int) -> _Unit:
        unit = self._units.get(number)
        if unit is None:
            servers = frozenset(server for part in owner_units(self._entity(number)) for server in part)
            from_ms = self._from_ms or 0
            unit = self._units[number] = _Unit(servers, Window(from_ms), Window(from_ms // FIVE_MS * FIVE_MS))
        return unit

    def _flow(self, number: int) -> tuple[int, str]:
        found = self._flows.get(number)
        if found is None:
            entity = self._entity(number)
            found = self._flows[number] = entity.parent, flow_labels(entity.key)[1]
        return found

    # --- closing --------------------------------------------------------------------------------------------------

    def _close(self, number: int, unit: _Unit, from_ms: int, next_ms: int) -> list[Event]:
        """The events of a unit at the end of the minute that began at from_ms; next_ms: where the next one begins."""
        changed: list[Event] = []
        minute, unit.minute = unit.minute, Window(next_ms)
        unit.at_end |= minute.at_end
        unit.five.merge(minute)
        if not unit.at_end:
            unit.last = minute.close(from_ms + MINUTE_MS, self._settings.slo)
            changed += self._operated(number, unit)
        if next_ms // FIVE_MS == from_ms // FIVE_MS:
            return changed
        five, unit.five = unit.five, Window(next_ms // FIVE_MS * FIVE_MS)
        window = five.close(five.from_ms + FIVE_MS, self._settings.slo)
        if unit.at_end:
            unit.last = window
            changed += self._operated(number, unit)
        if window is not None:
            changed += self._learnt(number, unit, window, five.models)
        return changed + self._loaded(number, unit, window, next_ms)

    def _operated(self, number: int, unit: _Unit) -> list[Event]:
        point = unit.last
        if point is None or not (point.prompt_tokens or point.output_tokens):
            return []
        changed = [event(self._now_ms, number, "operating", point)]
        before = unit.frontiers.get(point.mix, EMPTY)
        after = before.with_window(point)
        if after is not before:
            unit.frontiers[point.mix] = after
            changed.append(event(self._now_ms, number, "frontier", after, point.mix))
        return changed

    def _learnt(self, number: int, unit: _Unit, window: OperatingPoint, models: Iterable[str]) -> list[Event]:
        target = max((self._settings.slo(model).target for model in models), default=1.0)
        if not met(window, target):
            return []
        before = unit.learnt.get(window.mix, NOTHING_LEARNT)
        after = before.with_window(window)
        if after is before:
            return []
        unit.learnt[window.mix] = after
        return [event(self._now_ms, number, "capacity", after, window.mix)]

    def _loaded(self, number: int, unit: _Unit, window: OperatingPoint | None, next_ms: int) -> list[Event]:
        if window is not None:
            unit.hour = unit.hour.with_window(window) if unit.hour else hour_of(window)
        if unit.hour is None or next_ms < unit.hour.from_ms + HOUR_MS:
            return []
        edge_ms = next_ms // HOUR_MS * HOUR_MS
        unit.load = Load((*unit.load.hours, unit.hour)).trailing_day(edge_ms)
        unit.hour = None
        return [event(self._now_ms, number, "load", unit.load)]

    def _tok_s_per_gpu(self, unit: _Unit, point: OperatingPoint) -> float | None:
        """K of a unit at a point's mix; without tokens, of any mix: nothing is nothing of all of them."""
        bodies = [self._described[server] for server in unit.servers if server in self._described]
        said = declared(self._settings.capacity, (body.model for body in bodies), (body.deployment for body in bodies))
        if said is not None:
            return said.tok_s_per_gpu
        mixes = [point.mix] if point.computed_tokens else sorted(unit.learnt)
        found = [best for mix in mixes if (best := unit.learnt.get(mix, NOTHING_LEARNT).best(self._now_ms))]
        return found[0].computed_tok_s_per_gpu if found else None
