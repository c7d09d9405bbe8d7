"""The View: the fold of tick records into what is in force and what was summed at one moment.

Live appends to it tick by tick; a seek builds it from the store (`restore`). Both must end in the same View, so it
holds only integers and events, and what it needs of the past has a query that gives the same integers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from tokwatch.ledger.alert_time import AlertTime, Member
from tokwatch.ledger.alert_time import Spent as Spent
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.axis import clip_ms
from tokwatch.ledger.bodies import (
    GpuBody,
    HostBody,
    PlacementBody,
    ProbeBody,
    ProblemBody,
    ReasonsBody,
    ServerBody,
    SettingsBody,
    XidBody,
)
from tokwatch.ledger.capacity.capacity import LearntCapacity, Load
from tokwatch.ledger.capacity.frontier import Frontier
from tokwatch.ledger.capacity.operating_point import OperatingPoint
from tokwatch.ledger.entries import (
    Entity,
    Event,
    Flag,
    FlowEntry,
    GpuEntry,
    HostEntry,
    Run,
    ServerEntry,
    State,
    Tick,
    TickRecord,
)
from tokwatch.ledger.local_time import midnight_ms, zone_of
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.states import StateBody
from tokwatch.ledger.strip import Strip
from tokwatch.ledger.sums import AT_END_WINDOW_MS, DRAWN_MS, FlowSums, GpuSums, ServerSums
from tokwatch.ledger.windows import Window

LOOKBACK_MS = DRAWN_MS  # the longest window: what `restore` must be given
_FORGOTTEN_MS = AT_END_WINDOW_MS  # what was not heard of for so long leaves the View
# A server that is known and does not answer says so every 10 s at the latest; one that says nothing at all has ended.
_ENDED_MS = 30_000

BODY_TYPES: dict[str, dict[str, type[msgspec.Struct]]] = {
    "facts": {"gpu": GpuBody, "server": ServerBody, "host": HostBody},
    "placement": {"gpu": PlacementBody},
    "reasons": {"gpu": ReasonsBody},
    "xid": {"gpu": XidBody},
    "state": {"gpu": StateBody},
    "problem": {"server": ProblemBody, "": ProblemBody},
    "probe": {"": ProbeBody},
    "settings": {"": SettingsBody},
    "alert": {"": AlertBody},
    "operating": {"server": OperatingPoint, "group": OperatingPoint},
    "frontier": {"server": Frontier, "group": Frontier},
    "capacity": {"server": LearntCapacity, "group": LearntCapacity},
    "load": {"server": Load, "group": Load},
}


class View:
    """Everything known at one tick."""

    def __init__(self, run: Run, book: PriceBook) -> None:
        self.run = run
        self.book = book
        self.zone = zone_of(run.timezone)
        self.tick: Tick | None = None
        self.day_ms = 0  # local midnight before the tick
        self.entities: dict[int, Entity] = {}
        self.in_force: dict[tuple[str, int, str], msgspec.Struct] = {}
        self.gpus: dict[int, GpuEntry] = {}  # the latest entry of each
        self.servers: dict[int, ServerEntry] = {}  # of those that have not ended
        self._latest_servers: dict[int, ServerEntry] = {}
        self.flows: dict[int, FlowEntry] = {}
        self.host: HostEntry | None = None
        self.gpu_sums: dict[int, GpuSums] = {}
        self.flow_sums: dict[int, FlowSums] = {}
        self.server_sums: dict[int, ServerSums] = {}
        self.self_cost = Window(60_000, 4)  # cpu_ms, length_ms, page_bytes, ticks left out
        self.host_energy = Window(60_000, 4)  # mJ and ms of the whole box, mJ and ms of its processor packages
        self.idle_today: dict[int, Spent] = defaultdict(dict)
        self.in_state: dict[int, Spent] = defaultdict(dict)  # time in the present state since it began
        self.in_alert = AlertTime()

    @property
    def settings(self) -> SettingsBody:
        found = self.in_force.get(("settings", 0, ""))
        return found if isinstance(found, SettingsBody) else SettingsBody()

    # --- forward: one more tick -----------------------------------------------------------------------------------

    def apply(self, record: TickRecord) -> None:
        """Fold in the next tick of the session."""
        self._turn_to(record.tick)
        for entity in record.entities:
            self.entities[entity.id] = entity
        for event in record.events:
            self._take(event)
        for entry in record.gpus:
            self._book_time(entry)
        self._sum(record)
        self._expire()

    def _turn_to(self, tick: Tick) -> None:
        self.tick = tick
        day_ms = midnight_ms(tick.tick_ms, self.zone)
        if day_ms != self.day_ms:
            self.day_ms = day_ms
            self.idle_today.clear()

    def _take(self, event: Event) -> None:
        entity = self.entities.get(event.entity)
        body_type = BODY_TYPES.get(event.kind, {}).get(entity.kind if entity else "")
        if body_type is None:
            return  # a kind this version does not draw
        body = msgspec.json.decode(event.body, type=body_type)
        before = self.in_force.get((event.kind, event.entity, event.key))
        self.in_force[event.kind, event.entity, event.key] = body
        if isinstance(body, StateBody) and (not isinstance(before, StateBody) or before.since_ms != body.since_ms):
            self.in_state[event.entity] = {}
        if isinstance(body, AlertBody):
            self.in_alert.take(event.key, body, self.in_state)

    def _book_time(self, entry: GpuEntry) -> None:
        if entry.flags & Flag.GAP:
            return
        state = self.in_force.get(("state", entry.entity, ""))
        since_ms = state.since_ms if isinstance(state, StateBody) else entry.t0_ms
        for start, end, version in self.book.segments(entry.t0_ms, entry.t1_ms):
            key = version.id if version else 0
            if State(entry.state).idle:
                _add(self.idle_today[entry.entity], key, clip_ms(start, end, self.day_ms, entry.t1_ms))
            if State(entry.state).wasted:
                self.in_alert.book(entry.entity, entry.state, start, end, key)
            _add(self.in_state[entry.entity], key, clip_ms(start, end, since_ms, entry.t1_ms))

    def _sum(self, record: TickRecord) -> None:
        for gpu in record.gpus:
            self.gpus[gpu.entity] = gpu
            if gpu.entity not in self.gpu_sums:
                self.gpu_sums[gpu.entity] = GpuSums()
            self.gpu_sums[gpu.entity].add(gpu)
        for flow in record.flows:
            self.flows[flow.entity] = flow
            if flow.entity not in self.flow_sums:
                self.flow_sums[flow.entity] = FlowSums()
            self.flow_sums[flow.entity].add(flow)
        for server in record.servers:
            self._latest_servers[server.entity] = server
            if server.entity not in self.server_sums:
                self.server_sums[server.entity] = ServerSums()
            self.server_sums[server.entity].add(server)
        for host in record.hosts:
            self.host = host
            page_bytes = sum(server.page_bytes for server in record.servers)
            length_ms = host.t1_ms - host.t0_ms
            left_out = max(0, round(length_ms / (1000 * self.settings.interval_s)) - 1)
            self.self_cost.add(host.t1_ms, (host.self_cpu_ms, length_ms, page_bytes, left_out))
            self.host_energy.add(host.t1_ms, (*_over(host, host.energy_mj), *_over(host, host.package_energy_mj)))

    def _expire(self) -> None:
        assert self.tick is not None
        now_ms = self.tick.tick_ms
        for gpu in self.gpu_sums.values():
            gpu.expire(now_ms)
        for flow in self.flow_sums.values():
            flow.expire(now_ms)
        for read in self.server_sums.values():
            read.expire(now_ms)
        self.self_cost.expire(now_ms)
        self.host_energy.expire(now_ms)
        for latest in (self.gpus, self._latest_servers, self.flows):
            for entity in [e for e, entry in latest.items() if entry.t1_ms <= now_ms - _FORGOTTEN_MS]:
                del latest[entity]
        ended_ms = now_ms - max(_ENDED_MS, round(3000 * self.settings.interval_s))
        self.servers = {e: entry for e, entry in self._latest_servers.items() if entry.t1_ms > ended_ms}

    # --- a jump: from the store -----------------------------------------------------------------------------------

    def restore(
        self,
        entities: Iterable[Entity],
        events: Iterable[Event],
        records: Iterable[TickRecord],
        strips: Iterable[tuple[int, int, int, int, int]],
        idle_today: Mapping[int, Spent],
        in_state: Mapping[int, Spent],
        in_alert: Mapping[str, Mapping[Member, Spent]],
    ) -> None:
        """Take the View of a tick from the store.

        entities and events: those in force at the tick. records: every tick in (tick − LOOKBACK_MS, tick]. strips:
        (gpu, t0, t1, state, flags) of every GPU entry in the strip's hours, in order. idle_today, in_state, in_alert:
        booked milliseconds as `apply` would have added them up.
        """
        for entity in entities:
            self.entities[entity.id] = entity
        for event in events:
            self._take(event)
        for record in records:
            self._turn_to(record.tick)
            self._sum(record)
        for sums in self.gpu_sums.values():
            sums.strip = Strip()
        for gpu, t0_ms, t1_ms, state, flags in strips:
            if gpu not in self.gpu_sums:
                self.gpu_sums[gpu] = GpuSums()
            self.gpu_sums[gpu].strip.add(t0_ms, t1_ms, state, flags)
        self.idle_today = defaultdict(dict, {gpu: _known(spent) for gpu, spent in idle_today.items()})
        self.in_state = defaultdict(dict, {gpu: _known(spent) for gpu, spent in in_state.items()})
        self.in_alert.spent |= {
            key: {member: _known(spent) for member, spent in members.items()} for key, members in in_alert.items()
        }
        self._expire()


def _over(host: HostEntry, energy_mj: int | None) -> tuple[int, int]:
    """(mJ, the milliseconds they were measured in)."""
    return (0, 0) if energy_mj is None else (energy_mj, host.t1_ms - host.t0_ms)


def _add(spent: Spent, key: int, length_ms: int) -> None:
    if length_ms:
        spent[key] = spent.get(key, 0) + length_ms


def _known(spent: Spent) -> Spent:
    return {key: length for key, length in spent.items() if length}
