"""What an agent says of its host, a line at a time: counters as they stand since its run began, gauges as they are.

The same lines go over ssh (`agent --stdio`) and the push lane. Counters only grow within a run, so a lost line loses
nothing; the receiver subtracts. A hello comes first, and a new one whenever what it says has changed. JSON, one object
or array a line; PROTOCOL changes when a reader of before could misread a line, fields may be added at the end.
"""

from __future__ import annotations

from typing import Final

import msgspec

PROTOCOL: Final = 1


class GpuAbout(msgspec.Struct, frozen=True, gc=False):
    """One GPU; reports refer to it by its place in Hello.gpus."""

    index: int
    uuid: str | None = None
    name: str = ""
    memory_total_mib: int | None = None
    power_limit_w: float | None = None
    kind: str = "gpu"


class ServerAbout(msgspec.Struct, frozen=True, gc=False):
    """One inference server, likewise."""

    address: str
    engine: str
    model: str = ""


class FlowAbout(msgspec.Struct, frozen=True, gc=False):
    """One server × model × role × tenant × tier, likewise."""

    server: int  # place in Hello.servers
    model: str
    role: str = ""
    tenant: str = ""
    tier: str = ""
    elsewhere: int = 0  # Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE: counted at another server


class Hello(msgspec.Struct, frozen=True, gc=False):
    """Who speaks."""

    tokwatch: int  # PROTOCOL
    version: str
    host: str
    run: str  # of its recorder: another one means that counters begin anew
    started_ms: int  # Unix: when counters began
    interval_s: float
    gpus: tuple[GpuAbout, ...] = ()
    servers: tuple[ServerAbout, ...] = ()
    flows: tuple[FlowAbout, ...] = ()
    simulated: bool = False
    problems: tuple[str, ...] = ()


class GpuReport(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One GPU. Counters are over the time this run watched."""

    state: int
    energy_mj: int | None
    measured_ms: int
    power_mw: int | None = None
    util_permille: int | None = None
    memory_used_mib: int | None = None
    temperature_c: int | None = None
    servers: tuple[int, ...] = ()  # places of those it serves; several share it
    state_ms: tuple[tuple[int, int], ...] = ()  # (State, ms) since the run began, no zeros
    idle_energy_mj: int | None = None


class ServerReport(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One server, as it is."""

    up: bool
    running: int | None = None
    waiting: int | None = None
    kv_permyriad: int | None = None


class FlowReport(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Counters of one flow. `covered_ms`: the time they speak for."""

    covered_ms: int
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    finished: int | None = None
    failed: int | None = None
    aborted: int | None = None


class Report(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One moment of the host."""

    wall_ms: int  # by its own clock
    watched_ms: int  # since the run began, by CLOCK_BOOTTIME: what rates are divided by
    gpus: tuple[GpuReport, ...] = ()
    servers: tuple[ServerReport, ...] = ()
    flows: tuple[FlowReport, ...] = ()
    host_energy_mj: int | None = None  # of the whole box by its own sensors, GPUs included
    self_cpu_ms: int | None = None
