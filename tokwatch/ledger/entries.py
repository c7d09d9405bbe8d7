"""Entries: what one tick adds to the ledger. Integer-scaled, so live figures and stored ones are the same numbers.

Times are the store's milliseconds (`tick_ms` axis, Unix milliseconds in all but a stepped clock): an entry speaks for
(t0_ms, t1_ms], whose length comes from CLOCK_BOOTTIME. `None` is unknown, never zero.
"""

from __future__ import annotations

import enum

import msgspec


class State(enum.IntEnum):
    """What a GPU is doing. Numbers are stored: never renumber, only add."""

    UNKNOWN = 0
    LOST = 1
    BLIND = 2
    LOADING = 3
    SERVING = 4
    PARKED = 5
    HELD = 6
    UNALLOCATED = 7
    OTHER_WORK = 8
    STALLED = 9
    THROTTLED = 10
    SATURATED = 11
    BACKLOG = 12
    MISROUTED = 13
    UNDERBATCHED = 14

    @property
    def idle(self) -> bool:
        """Paid for and doing nothing: parked, held, unallocated, or left out while a replica has a queue."""
        return self in _IDLE

    @property
    def wasted(self) -> bool:
        """Paid for, and nothing comes of it: idle, or at fault. What an alert on it has cost is told."""
        return self in _IDLE or self in (State.LOST, State.STALLED)


_IDLE = frozenset({State.PARKED, State.HELD, State.UNALLOCATED, State.MISROUTED})


class Flag(enum.IntFlag):
    """Quality of one entry. Numbers are stored."""

    BASELINE = 1  # first reading of an epoch: no interval, increments unknown
    RESET = 2  # a counter restarted inside; the increment is a lower bound
    ESTIMATED = 4  # energy integrated from power samples
    GAP = 8  # nobody watched in between; increments are real, states are not known
    SUSPECT = 16  # a reading was held back one tick
    STUCK = 32  # the energy counter did not move while power was drawn
    AT_END = 64  # output tokens move only when a request ends
    PROMPT_ELSEWHERE = 128  # these prompt and cached tokens are counted at another server: never add them to a sum
    OUTPUT_ELSEWHERE = 256  # these output tokens and requests, likewise
    UNTIMED = 512  # these requests' latencies are not known: their histograms could not be followed


class GpuEntry(msgspec.Struct, frozen=True, gc=False):
    """One GPU over one tick."""

    entity: int
    t0_ms: int
    t1_ms: int
    energy_mj: int | None  # millijoules in the interval
    measured_ms: int  # what energy_mj speaks for; longer than the interval after readings were missed or held back
    power_mw: int | None
    util_permille: int | None
    memory_used_mib: int | None
    temperature_c: int | None
    sm_clock_mhz: int | None
    throttle: int | None
    state: int  # State
    owner: int  # entity of the server (or group of servers) the GPU serves; 0: unassigned
    flags: int = 0
    # By how much the most that may have been drawn and not counted changed; negative where this reading makes up for
    # earlier ones that could not be read.
    lost_mj: int = 0
    tensor_permille: int | None = None
    dram_permille: int | None = None
    memory_temperature_c: int | None = None


class ServerEntry(msgspec.Struct, frozen=True, gc=False):
    """One inference server over one tick."""

    entity: int
    t0_ms: int
    t1_ms: int
    up: bool
    running: int | None
    waiting: int | None
    kv_permyriad: int | None  # KV cache in use, 1/10 000
    progress: int | None  # increments of the progress series, all flows; None: the engine has none
    scrape_ms: int
    page_bytes: int
    flags: int = 0


class HistogramEntry(msgspec.Struct, frozen=True, gc=False):
    """Observations of one histogram in the interval, per bucket (not cumulative)."""

    name: str  # as in FlowReading.histograms
    edges: tuple[float, ...]
    counts: tuple[int, ...]  # len(edges) + 1, the last beyond the last edge
    sum_us: int  # sum of the observed values × 10⁶: microseconds, of "prompt_length" millionths of a token


class FlowEntry(msgspec.Struct, frozen=True, gc=False):
    """Token increments of one server × model × role × tenant × tier over one tick."""

    entity: int
    t0_ms: int
    t1_ms: int
    prompt_tokens: int | None  # cached ones included
    cached_tokens: int | None
    output_tokens: int | None
    finished: int | None
    failed: int | None
    aborted: int | None
    preempted: int | None
    histograms: tuple[HistogramEntry, ...] = ()
    flags: int = 0
    drafted_tokens: int | None = None  # by speculation …
    accepted_tokens: int | None = None  # … and of them accepted


class HostEntry(msgspec.Struct, frozen=True, gc=False):
    """The box and tokwatch's own cost over one tick."""

    entity: int
    t0_ms: int
    t1_ms: int
    cpu_permille: int | None
    memory_used_mib: int | None
    package_energy_mj: int | None
    self_cpu_ms: int
    self_rss_kib: int
    flags: int = 0
    power_mw: int | None = None  # the whole box by its own sensors, GPUs included
    energy_mj: int | None = None  # power_mw over the interval, by the trapezoid of two samples


class Entity(msgspec.Struct, frozen=True):
    """A thing that is measured. `key` is unique within kind and host."""

    id: int
    kind: str  # "host" | "gpu" | "server" | "flow" | "group"
    host: str
    key: str  # gpu: UUID, else PCI address, else "index:N"; server: address|engine; flow, group: see registry
    parent: int  # flow: its server; gpu and server: the host; 0: none
    first_seen_ms: int


class Event(msgspec.Struct, frozen=True):
    """Something that holds from `tick_ms` until the next event of the same kind and entity."""

    tick_ms: int
    entity: int  # 0: the whole store
    kind: str  # "facts" | "state" | "placement" | "reasons" | "xid" | "incarnation" | "alert" | "probe" | "settings"
    key: str  # distinguishes several of a kind at one entity (the alert's key, the probe's name); else ""
    body: bytes  # JSON, decoded by the module that owns the kind


class Absolute(msgspec.Struct, frozen=True):
    """Counters of one entity as they stood: base + Σ increments = next base within an incarnation."""

    entity: int
    incarnation: str  # "" when unknown
    at_ns: int  # CLOCK_BOOTTIME of the reading
    boot_id: str
    counters: dict[str, int]


class Tick(msgspec.Struct, frozen=True):
    """One turn of the recorder, placed in time."""

    tick_ms: int  # the store's own time: strictly increasing
    wall_ms: int
    boottime_ns: int
    clock_step_ms: int  # how far the wall clock jumped against CLOCK_BOOTTIME since the last tick
    run: int


class TickRecord(msgspec.Struct, frozen=True):
    """Everything one tick adds. Written in one transaction; read back equal."""

    tick: Tick
    gpus: tuple[GpuEntry, ...] = ()
    servers: tuple[ServerEntry, ...] = ()
    flows: tuple[FlowEntry, ...] = ()
    hosts: tuple[HostEntry, ...] = ()
    entities: tuple[Entity, ...] = ()  # first seen at this tick
    events: tuple[Event, ...] = ()
    absolutes: tuple[Absolute, ...] = ()  # the latest of each entity; not part of what replay reads


class Run(msgspec.Struct, frozen=True):
    """One recorder process, or one import."""

    id: int
    kind: str  # "recorded" | "imported" | "simulated"
    host: str
    boot_id: str
    version: str
    timezone: str  # IANA name, else "UTC+HH:MM"; local midnight cuts sessions and "today"
    started_ms: int
    source: str = ""  # imported: digest of the content
