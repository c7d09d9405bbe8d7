"""The bookkeeper: what was seen in one tick → one TickRecord. Meter, placement, states and alerts meet here; no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from collectors.readings import GpuReading, HostReading, Probe, ServerFacts, ServerReading
from tokwatch.ledger.alert_watch import AlertWatch
from tokwatch.ledger.alerts import AlertBody, AlertPolicy
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.axis import NS_PER_MS, Axis, next_tick_ms
from tokwatch.ledger.bodies import (
    HostBody,
    PlacementBody,
    ProbeBody,
    ProblemBody,
    ReasonsBody,
    ServerBody,
    SettingsBody,
    XidBody,
)
from tokwatch.ledger.capacity.tracker import CapacityTracker
from tokwatch.ledger.changes import Changes
from tokwatch.ledger.entries import (
    Absolute,
    Entity,
    Event,
    Flag,
    FlowEntry,
    GpuEntry,
    HostEntry,
    Run,
    ServerEntry,
    Tick,
    TickRecord,
)
from tokwatch.ledger.facts import MIB, gpu_body, server_body
from tokwatch.ledger.flow_limit import FlowLimit
from tokwatch.ledger.meter import Meter
from tokwatch.ledger.meters_once import MetersOnce
from tokwatch.ledger.news_limit import NewsLimit
from tokwatch.ledger.placement import GpuPlacement, Method, place
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.registry import Registry, gpu_key, group_key, server_key
from tokwatch.ledger.roster import Roster
from tokwatch.ledger.sightings import Sightings as Sightings
from tokwatch.ledger.state_watch import StateWatch
from tokwatch.ledger.states import Thresholds


@dataclass(frozen=True, slots=True)
class Instant:
    """One instant on both clocks."""

    wall_ms: int
    boottime_ns: int


class Bookkeeper:
    """Turns sightings into tick records, one run long.

    known, in_force and absolutes are what the store holds of earlier runs on this host; last_tick_ms is its end.
    goes_on: the earlier run ended so lately that its GPUs' states still hold until something else is seen.
    """

    def __init__(
        self,
        run: Run,
        *,
        settings: SettingsBody,
        thresholds: Thresholds,
        known: Iterable[Entity] = (),
        in_force: Iterable[Event] = (),
        absolutes: Iterable[Absolute] = (),
        last_tick_ms: int | None = None,
        goes_on: bool = True,
        policy: AlertPolicy | None = None,
    ) -> None:
        self.run = run
        self._settings = settings
        self._registry = Registry(run.host, known)
        self._meter = Meter(
            self._registry,
            boot_id=run.boot_id,
            started_s=run.started_ms / 1000,
            interval_s=settings.interval_s,
        )
        self._meter.resume(absolutes)
        self._flow_limit = FlowLimit(self._registry)
        self._roster = Roster()
        self._meters_once = MetersOnce()
        self._states = StateWatch(thresholds)
        self._capacity = CapacityTracker(self._registry.__getitem__, settings)
        self._alerts = AlertWatch(run, policy)
        self._news_limit = NewsLimit()
        self._bodies: dict[tuple[str, int, str], bytes] = {}
        self._last_tick_ms = last_tick_ms
        self._last: Instant | None = None
        self._placed: dict[str, GpuPlacement] = {}
        self._gpus: dict[str, GpuReading] = {}
        for past in in_force:
            self._resume(past, goes_on=goes_on)

    def _resume(self, past: Event, *, goes_on: bool) -> None:
        if past.kind == "probe" and msgspec.json.decode(past.body, type=ProbeBody).gone:
            return
        self._bodies[past.kind, past.entity, past.key] = past.body
        if past.kind == "alert":
            self._alerts.resume(past.key, msgspec.json.decode(past.body, type=AlertBody))
        elif past.kind == "facts" and self._registry[past.entity].kind == "server":
            self._roster.resume(msgspec.json.decode(past.body, type=ServerBody))
        self._states.resume(past, goes_on=goes_on)
        self._capacity.resume(past)

    @property
    def book(self) -> PriceBook:
        """The prices that severity goes by; may be set at any time."""
        return self._alerts.book

    @book.setter
    def book(self, book: PriceBook) -> None:
        self._alerts.book = book

    @property
    def mutes(self) -> tuple[Mute, ...]:
        """What users do not want to be told of; may be set at any time."""
        return self._alerts.mutes

    @mutes.setter
    def mutes(self, mutes: tuple[Mute, ...]) -> None:
        self._alerts.mutes = mutes

    def turn(self, now: Instant, seen: Sightings) -> TickRecord:
        """The record of one tick. Readings that came too late for the last tick are in this one."""
        tick = self._place_in_time(now)
        axis = Axis(tick.tick_ms, now.boottime_ns, now.wall_ms)
        host = self._registry.id("host", self.run.host, parent=0, seen_ms=tick.tick_ms)
        changes = Changes(tick.tick_ms, self._bodies, self._news_limit)
        changes.note("settings", 0, self._settings)
        self._roster.update(seen.known_servers, seen.servers)
        servers, flows = self._read_servers(seen.servers, axis, host, changes)
        gpus = self._read_gpus(seen, axis, host, changes)
        hosts = self._read_host(seen.host, axis, host, changes)
        probes = (*seen.probes, *self._own_probes())
        for probe in probes:
            changes.note("probe", 0, ProbeBody(probe.ok, probe.found, probe.hint), probe.name)
        changes.forget_probes(probe.name for probe in probes)
        for what, words in seen.problems:
            changes.note("problem", 0, ProblemBody(words), what)
        operations = self._capacity.step(tick.tick_ms, gpus, servers, flows)
        alerts = self._alerts.step(tick.tick_ms, seen.figures, seen.spending)
        return TickRecord(
            tick=tick,
            gpus=gpus,
            servers=servers,
            flows=flows,
            hosts=hosts,
            entities=self._registry.take_new(),
            events=(*changes.events, *alerts, *operations),
            absolutes=self._meter.absolutes(),
        )

    def _place_in_time(self, now: Instant) -> Tick:
        elapsed_ms = step_ms = 0
        if self._last is not None:
            elapsed_ms = now.boottime_ns // NS_PER_MS - self._last.boottime_ns // NS_PER_MS
            step_ms = now.wall_ms - self._last.wall_ms - elapsed_ms
        tick_ms = next_tick_ms(self._last_tick_ms, elapsed_ms, now.wall_ms)
        self._last, self._last_tick_ms = now, tick_ms
        return Tick(tick_ms, now.wall_ms, now.boottime_ns, step_ms, self.run.id)

    # --- servers --------------------------------------------------------------------------------------------------

    def _read_servers(
        self, readings: Iterable[ServerReading], axis: Axis, host: int, changes: Changes
    ) -> tuple[tuple[ServerEntry, ...], tuple[FlowEntry, ...]]:
        servers: list[ServerEntry] = []
        flows: list[FlowEntry] = []
        for reading in readings:
            reading = self._flow_limit.of(reading, self._server_entity(reading.server, host, axis.tick_ms))
            entry, of_server = self._meter.server(reading, axis, host=host)
            self._states.server(reading, entry, of_server)
            counted = self._roster.counting(reading.server.address)
            servers.append(entry)
            flows.extend(_flagged(flow, counted.flags) for flow in of_server)
            if reading.ok or not changes.known("facts", entry.entity):
                role = self._roster.role(reading.server.address)
                body = server_body(reading, role, counted)
                changes.note("facts", entry.entity, body)
                self._capacity.describe(entry.entity, body)
                self._alerts.server(body.address, body.model)
            changes.note("problem", entry.entity, ProblemBody("" if reading.ok else reading.problem))
        return tuple(servers), tuple(flows)

    # --- GPUs -----------------------------------------------------------------------------------------------------

    def _read_gpus(self, seen: Sightings, axis: Axis, host: int, changes: Changes) -> tuple[GpuEntry, ...]:
        readings = self._meters_once.of(seen.gpus)
        placement = place(seen.known_servers, self._all_gpus(readings, axis), host_pids=seen.host_pids)
        placements = {placed.gpu_key: placed for placed in placement.gpus}
        if self._gpus:
            words = "; ".join(placement.conflicts)
            changes.note("problem", 0, ProblemBody(words), "placement")
        by_address = {facts.address: facts for facts in seen.known_servers}
        entries = []
        for reading in readings:
            entry = self._meter.gpu(reading, axis, host=host)
            placed = placements[gpu_key(reading.facts)]
            if not placed.servers:
                placed = self._as_before(placed, reading)
            self._placed[placed.gpu_key] = placed
            servers = [by_address[address] for address in placed.servers if address in by_address]
            entities = [self._server_entity(facts, host, axis.tick_ms) for facts in servers]
            self._note_gpu(reading, entry.entity, placed, entities, changes)
            for code in reading.xids:
                changes.note("xid", entry.entity, XidBody(code, axis.tick_ms), str(code))
            owner = self._owner([facts.address for facts in servers if facts.verified], host, axis)
            load = self._capacity.utilisation(owner, axis.tick_ms)
            neighbours = self._roster.neighbours(placed.servers)
            state = self._states.gpu(reading, entry, servers, neighbours, load, axis, changes, foreign=placed.foreign)
            self._alerts.gpu(entry.entity, reading, servers, state, axis.tick_ms)
            entries.append(msgspec.structs.replace(entry, state=state.state, owner=owner))
        return tuple(entries)

    def _as_before(self, placed: GpuPlacement, reading: GpuReading) -> GpuPlacement:
        """A GPU that does not answer, or whose processes are not told now, belongs to the servers it worked for."""
        before = self._placed.get(placed.gpu_key, placed)
        untold = reading.processes is None and Method.PROCESS in before.method
        return before if reading.problem is not None or untold else placed

    def _all_gpus(self, readings: Iterable[GpuReading], axis: Axis) -> tuple[GpuReading, ...]:
        """The last reading of every GPU: meters report at their own paces, and what is placed where must not change
        with them."""
        oldest_ns = axis.boottime_ns - _LONGEST_PACE_NS
        heard_of = {key: reading for key, reading in self._gpus.items() if reading.at_ns > oldest_ns}
        self._gpus = heard_of | {gpu_key(reading.facts): reading for reading in readings}
        return tuple(self._gpus.values())

    def _note_gpu(
        self, reading: GpuReading, gpu: int, placed: GpuPlacement, servers: list[int], changes: Changes
    ) -> None:
        if reading.problem is None or not changes.known("facts", gpu):
            changes.note("facts", gpu, gpu_body(reading))
        reasons = {field: reason.value for field, reason in reading.reasons}
        if reading.problem is not None:
            reasons = dict.fromkeys(_MEASURED, reading.problem.value) | reasons
        changes.note("reasons", gpu, ReasonsBody(reasons))
        processes = None if reading.processes is None else len(reading.processes)
        changes.note("placement", gpu, PlacementBody(tuple(servers), placed.method if servers else "", processes))

    def _server_entity(self, facts: ServerFacts, host: int, tick_ms: int) -> int:
        return self._registry.id("server", server_key(facts), parent=host, seen_ms=tick_ms)

    def _owner(self, addresses: list[str], host: int, axis: Axis) -> int:
        """The server that a GPU belongs to, or the group of those that have it together; 0 without any."""
        accounts = dict.fromkeys(self._roster.account(address) for address in addresses)
        units = [[self._server_entity(facts, host, axis.tick_ms) for facts in account] for account in accounts]
        if not units:
            return 0
        if len(units) == len(units[0]) == 1:
            return units[0][0]
        return self._registry.id("group", group_key(units), parent=host, seen_ms=axis.tick_ms)

    def _own_probes(self) -> tuple[Probe, ...]:
        doubles = self._meters_once.doubles
        return (Probe("GPUs read twice", True, doubles),) if doubles else ()

    # --- the host -------------------------------------------------------------------------------------------------

    def _read_host(self, reading: HostReading | None, axis: Axis, host: int, changes: Changes) -> tuple[HostEntry, ...]:
        if reading is None:
            return ()
        total = reading.memory_total_bytes
        changes.note("facts", host, HostBody(self.run.host, None if total is None else total // MIB))
        return (self._meter.host(reading, axis, entity=host),)


_LONGEST_PACE_NS = 300_000_000_000  # exporters are scraped every 15 to 60 s; what is older is no longer there
_MEASURED = (
    *("power_w", "energy_mj", "utilization", "memory_used_bytes", "temperature_c", "sm_clock_mhz"),
    *("memory_temperature_c", "throttle", "tensor_activity", "dram_activity"),
)


def _flagged(flow: FlowEntry, flags: Flag) -> FlowEntry:
    return msgspec.structs.replace(flow, flags=flow.flags | flags) if flags else flow
