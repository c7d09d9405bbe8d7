"""What one collector saw at one moment: gauges, and counters as they stand. Shapes only, no I/O.

Instants are nanoseconds of CLOCK_BOOTTIME (`at_ns`), because intervals between readings must survive a stepped wall
clock and a suspend. `None` always means "not known"; the reason stands beside it.
"""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass
from typing import Protocol


class Reason(enum.StrEnum):
    """Why a value is unknown. Shown to the user as it stands."""

    UNSUPPORTED = "unsupported"  # the device or driver has no such value; asked once per epoch
    NO_PERMISSION = "no permission"
    DRIVER_ERROR = "driver error"  # may pass; asked again at the next tick
    LOST = "lost"  # the GPU fell off the bus
    STALLED = "driver not answering"
    STALE = "stale"
    NOT_ON_PAGE = "not on page"  # the server's page has no such series
    IMPLAUSIBLE = "implausible"  # told, and no such device can have this value: a wrong unit, not a measurement


UNNAMED = "(unnamed)"  # the model of a server that names none anywhere
UNTAGGED = "(untagged)"  # the tenant of tokens that no label names one for
ALL_TENANTS = "(all tenants)"  # the tenant of a page with too many of them to be told apart


def boottime_ns() -> int:
    """Nanoseconds of CLOCK_BOOTTIME: monotonic, and running through a suspend."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


# --- GPUs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GpuFacts:
    """What does not change while a GPU stays in its slot."""

    index: int
    uuid: str | None  # None when the device refuses its handle
    name: str | None = None
    pci_bus_id: str | None = None
    memory_total_bytes: int | None = None
    power_limit_w: float | None = None  # the limit in force, not the board's TDP
    power_scope: str = "gpu"  # "gpu" | "module" (GPU + CPU of a superchip); scopes are never summed
    driver_version: str | None = None
    mig: bool = False
    persistence_mode: bool | None = None
    interval_s: float = 0.0  # how often its meter has news, where that is slower than it is asked
    meter: str = "NVML"  # what read it: "NVML", "dcgm-exporter", "RAPL", …; shown on Sources
    kind: str = (
        "gpu"  # "gpu" | "accelerator" (TPU, Neuron core, Gaudi) | "package" (the processors of a box without one)
    )


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """One compute process on a GPU; `pid` is the host's."""

    pid: int
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class MigInstance:
    """One MIG device. It has no watts of its own: those are the parent's, and are shown there once."""

    uuid: str
    profile: str  # "1g.10gb"; "" where the driver does not say
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    processes: tuple[GpuProcess, ...] | None = None


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One GPU at one instant."""

    facts: GpuFacts
    at_ns: int  # when the energy counter was read
    power_w: float | None = None  # board power, the driver's average field where it has one
    power_instant_w: float | None = None  # the sensor's last 25-100 ms; for peaks only
    energy_mj: int | None = None  # cumulative since driver load
    energy_estimated: bool = False  # energy_mj is our integral of power, not the driver's counter
    utilization: float | None = None  # 0..1, share of time in which any kernel ran ("busy time")
    memory_used_bytes: int | None = None
    temperature_c: int | None = None
    memory_temperature_c: int | None = None
    sm_clock_mhz: int | None = None
    throttle: int | None = None  # NVML clocks-event-reason bits
    tensor_activity: float | None = None  # 0..1, tensor pipes (GPM on Hopper and newer, DCGM profiling)
    dram_activity: float | None = None  # 0..1, device memory bandwidth; what decode is bound by
    mig_instances: tuple[MigInstance, ...] = ()
    xids: tuple[int, ...] = ()  # Xid codes that the driver reported since the last reading, oldest first
    processes: tuple[GpuProcess, ...] | None = None  # None: not known; (): none
    pods: tuple[str, ...] = ()  # what a cluster's scheduler runs on it, as in ServerFacts.pod
    problem: Reason | None = None  # the whole device: lost, no permission, driver not answering
    problem_text: str = ""  # for the user: what happened and what to do
    reasons: tuple[tuple[str, Reason], ...] = ()  # (field name, why it is None)


# --- inference servers --------------------------------------------------------------------------------------------


class Moves(enum.StrEnum):
    """When an engine's output-token counter moves."""

    LIVE = "live"  # with every engine step
    AT_END = "at end"  # by a whole request when it finishes
    NONE = "none"  # the engine counts no tokens


class Layer(enum.StrEnum):
    """Where a server stands on the way of a request. The same token passes each of them and is counted once."""

    ENGINE = "engine"  # makes the tokens
    ROUTER = "router"  # hands requests on to engines of one deployment
    GATEWAY = "gateway"  # stands before engines of any kind; knows the tenants


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """An inference server as found on the box or named in the config. Holds no command line and no environment."""

    address: str  # "127.0.0.1:8000": host:port the metrics are read from; part of the server's identity
    engine: str  # "vllm", "llama.cpp", "sglang", … lower case
    metrics_url: str | None = None  # None: no metrics endpoint is known for this engine yet
    pid: int | None = None  # the listening process
    pids: tuple[int, ...] = ()  # its process group: the listener, its ancestors up to the launcher, all descendants
    owner: str | None = None  # user name that owns the process
    verified: bool = True  # False: belongs to another ordinary user; stays out of the money until accepted
    started_at_s: float | None = None  # process start, Unix seconds
    model: str | None = None  # from the command line; the page's own label wins
    tensor_parallel: int | None = None
    pipeline_parallel: int | None = None
    data_parallel: int | None = None
    precision: str | None = None  # dtype or quantisation flag
    speculation: str | None = None  # the way of drafting, or the draft model
    expert_parallel: int | None = None
    role: str = ""  # "prefill" | "decode" of a disaggregated pair, "" for both in one
    deployment: str = ""  # servers of one name serve one model together (config; a Dynamo namespace)
    counts: bool | None = None  # whether its tokens are added up; None: by the rule for its layer (config overrides)
    visible_devices: str | None = None  # CUDA_VISIBLE_DEVICES (or the ROCm one) of the process
    gpus: tuple[str, ...] | None = None  # placement declared in the config: indices or UUIDs
    pod: str = ""  # "namespace/pod" or "pod" as a cluster's scheduler names it
    anywhere: bool = False  # only its host is known, read from elsewhere: it may be on any GPU of it
    origin: str = "found"  # "found" | "config"
    hint: str = ""  # what to do when nothing can be read ("start llama-server with --metrics")


@dataclass(frozen=True, slots=True)
class Histogram:
    """A Prometheus histogram as it stands: cumulative counts, the last of which is +Inf."""

    edges: tuple[float, ...]  # finite upper bounds, ascending
    counts: tuple[int, ...]  # len(edges) + 1
    sum: float


@dataclass(frozen=True, slots=True)
class FlowReading:
    """The token counters of one model (× role × tenant × tier) on one server, as they stand.

    `prompt_tokens` always includes the cached ones, whatever the engine's own counter does. A counter is the sum of
    what `parts` holds of it: several ranks or processes, each of which restarts by itself.
    """

    model: str
    role: str = ""
    tenant: str = UNTAGGED
    tier: str = ""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    finished: int | None = None
    failed: int | None = None
    aborted: int | None = None
    preempted: int | None = None
    progress: int | None = None  # the live counter that proves work: tokens, else engine steps
    drafted_tokens: int | None = None  # by speculation …
    accepted_tokens: int | None = None  # … and of them accepted
    parts: tuple[
        tuple[str, tuple[tuple[str, int], ...]], ...
    ] = ()  # (counter, ((series, value), …)) where labels tell it
    # "ttft" | "tpot" (mean of a request) | "itl" (per token or engine step) | "token_time" (mean of a request, prefill
    # included) | "e2e" | "queue", in seconds; "prompt_length" in tokens. Kinds are never merged: each means another
    # thing.
    histograms: tuple[tuple[str, Histogram], ...] = ()


@dataclass(frozen=True, slots=True)
class ServerReading:
    """One server at the instant its page arrived, or why there is none."""

    server: ServerFacts
    at_ns: int
    ok: bool
    problem: str = ""  # what happened, where, what to do; empty when ok
    took_ms: int = 0
    page_bytes: int = 0
    incarnation: str | None = None  # changes when the process behind the port does; None: not on the page
    started_at_s: float | None = None  # process start by the page, Unix seconds
    moves: Moves = Moves.NONE
    running: int | None = None
    waiting: int | None = None
    kv_usage: float | None = None  # 0..1
    asleep: bool | None = None  # put to sleep on purpose: its memory is free, its silence is no fault
    role: str = ""  # "prefill" | "decode" by the page or the command line
    layer: Layer = Layer.ENGINE
    fronts: tuple[str, ...] = ()  # engines whose tokens a gateway or router counts again; () any
    facts: tuple[tuple[str, str], ...] = ()  # from the page: ("expert parallel", "8"), ("quantisation", "fp8"), …
    flows: tuple[FlowReading, ...] = ()
    used: tuple[str, ...] = ()  # series the vocabulary read
    missing: tuple[tuple[str, str], ...] = ()  # (role, what is lost without it)


# --- the host -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HostReading:
    """The box itself, and tokwatch's own cost of watching it."""

    at_ns: int
    cpu_utilization: float | None = None  # 0..1 of all cores
    memory_used_bytes: int | None = None
    memory_total_bytes: int | None = None
    package_energy_uj: int | None = None  # RAPL packages summed, wrap already undone; None: not readable
    package_reason: Reason | None = None
    power_w: float | None = None  # of the whole box as its own sensors tell it (hwmon, BMC), GPUs included
    power_source: str = ""  # what measured power_w: "hwmon power_meter", "ipmi_exporter 10.0.0.7:9290"
    self_cpu_s: float = 0.0  # CPU seconds of this process so far
    self_rss_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that was looked for: what, where, what came of it and what to try next. Shown on Sources."""

    name: str  # "NVIDIA driver", "server 127.0.0.1:8000"
    ok: bool
    found: str  # what was found or tried, one line
    hint: str = ""  # the next thing to try, empty when ok


class GpuCollector(Protocol):
    """Anything that reads GPUs: NVML on this box, the demo's simulator, later an exporter."""

    async def collect(self) -> tuple[GpuReading, ...]:
        """New readings since the last call; a GPU that does not answer comes with its `problem`."""
        ...

    def probes(self) -> tuple[Probe, ...]: ...

    def call_durations(self) -> dict[str, tuple[int, float, float]]:
        """Per driver function: calls so far, mean µs, longest µs."""
        ...

    async def close(self) -> None:
        """Never waits on the driver."""
        ...
