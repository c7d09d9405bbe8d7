"""What an agent says of its host, a line at a time: counters as they stand since its run began, gauges as they are.

The same lines go over ssh (`agent --stdio`) and the push lane. Counters only grow within a run, so a lost line loses
nothing; the receiver subtracts. A hello comes first, and a new one whenever what it says has changed. JSON, one object
or array a line; PROTOCOL changes when a reader of before could misread a line, fields may be added at the end.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

PROTOCOL: Final = 1
# Of anything: JSON knows no bounds, and what a reader adds up must fit a float and a database. Checked when decoded.
MOST: Final = 10**15
Whole = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
Number = Annotated[float, msgspec.Meta(ge=0, le=MOST)]
MOST_EDGES: Final = 256


class GpuAbout(msgspec.Struct, frozen=True, gc=False):
    """One GPU; reports refer to it by its place in Hello.gpus."""

    index: Whole
    uuid: str | None = None
    name: str = ""
    memory_total_mib: Whole | None = None
    power_limit_w: Number | None = None
    kind: str = "gpu"


class ServerAbout(msgspec.Struct, frozen=True, gc=False):
    """One inference server, likewise."""

    address: str
    engine: str
    model: str = ""


class FlowAbout(msgspec.Struct, frozen=True, gc=False):
    """One server × model × role × tenant × tier, likewise."""

    server: Whole  # place in Hello.servers
    model: str
    role: str = ""
    tenant: str = ""
    tier: str = ""
    elsewhere: Whole = 0  # Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE: counted at another server


class LatencyAbout(msgspec.Struct, frozen=True, gc=False):
    """One latency of one server × model, likewise; none of a server whose requests are counted at another one."""

    server: Whole  # place in Hello.servers
    model: str
    name: str  # "ttft" | "tpot"; a newer agent may tell others
    edges: Annotated[tuple[Number, ...], msgspec.Meta(max_length=MOST_EDGES)]  # seconds, ascending, as the engine has


class Hello(msgspec.Struct, frozen=True, gc=False):
    """Who speaks."""

    tokwatch: int  # PROTOCOL
    version: str
    host: str
    run: str  # of its recorder: another one means that counters begin anew
    started_ms: Whole  # Unix: when counters began
    interval_s: Number
    gpus: tuple[GpuAbout, ...] = ()
    servers: tuple[ServerAbout, ...] = ()
    flows: tuple[FlowAbout, ...] = ()
    simulated: bool = False
    problems: tuple[str, ...] = ()
    latencies: tuple[LatencyAbout, ...] = ()


class GpuReport(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One GPU. Counters are over the time this run watched."""

    state: Whole
    energy_mj: Whole | None
    measured_ms: Whole
    power_mw: Whole | None = None
    util_permille: Whole | None = None
    memory_used_mib: Whole | None = None
    temperature_c: int | None = None
    servers: tuple[Whole, ...] = ()  # places of those it serves; several share it
    state_ms: tuple[tuple[Whole, Whole], ...] = ()  # (State, ms) since the run began, no zeros
    idle_energy_mj: Whole | None = None


class ServerReport(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One server, as it is."""

    up: bool
    running: Whole | None = None
    waiting: Whole | None = None
    kv_permyriad: Whole | None = None


class FlowReport(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Counters of one flow. `covered_ms`: the time they speak for."""

    covered_ms: Whole
    prompt_tokens: Whole | None = None
    cached_tokens: Whole | None = None
    output_tokens: Whole | None = None
    finished: Whole | None = None
    failed: Whole | None = None
    aborted: Whole | None = None


class LatencyReport(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One histogram since the run began. With other edges it is another one, which begins at 0."""

    counts: Annotated[tuple[Whole, ...], msgspec.Meta(max_length=MOST_EDGES + 1)]  # of each bucket, not cumulative
    sum_ms: Whole = 0


class Report(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One moment of the host."""

    wall_ms: Whole  # by its own clock
    watched_ms: Whole  # since the run began, by CLOCK_BOOTTIME: what rates are divided by
    gpus: tuple[GpuReport, ...] = ()
    servers: tuple[ServerReport, ...] = ()
    flows: tuple[FlowReport, ...] = ()
    host_energy_mj: Whole | None = None  # of the whole box by its own sensors, GPUs included
    self_cpu_ms: Whole | None = None
    latencies: tuple[LatencyReport, ...] = ()
