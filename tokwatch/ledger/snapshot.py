"""A Snapshot: everything a screen, an export or a script needs for one moment. Shapes and their canonical JSON only."""

from __future__ import annotations

from functools import cached_property

import msgspec

from tokwatch.ledger.capacity.row import CapacityRow
from tokwatch.ledger.devices import PACKAGE, device_word, nothing_found
from tokwatch.ledger.figure import NO_SLO, UNMEASURED
from tokwatch.ledger.figure import Figure as Figure
from tokwatch.ledger.figure import Interval as Interval
from tokwatch.ledger.figure import Quantiles as Quantiles
from tokwatch.ledger.money.shapes import DeploymentRow, Economy, TrafficRow

SCHEMA = 1


class GpuWarning(msgspec.Struct, frozen=True, gc=False):
    """Something wrong with a device itself: slowed by its own hardware, or an Xid of late."""

    text: str
    at_ms: int | None = None  # when it happened; None: it is so now


class GpuRow(msgspec.Struct, frozen=True, gc=False):
    """One line of the GPU list."""

    entity: int
    index: int
    uuid: str | None
    name: str
    state: str  # State name in lower case with spaces: "serving", "parked", "other work", …
    confirmed: bool  # False: still within its dwell time
    since_ms: int  # when this state began
    note: str  # one line for the user: why it is in this state, or what to do
    serves: str  # "Qwen3-32B tp4", "" when nothing is placed here
    servers: tuple[int, ...]  # entities of the servers placed on it
    placed_by: str  # "config" | "process" | "pod" | "visible devices" | "same host" | …; "" where nothing is placed
    idle: bool  # the state is paid for and does nothing
    tok_s: Figure  # output tokens/s, its share of its servers
    spark: tuple[float | None, ...]  # output tok/s over the last two minutes, oldest first, 12 × 10 s
    tok_per_j: Figure  # output tokens per joule of board energy (tok/s/W)
    usd_per_m_output: Figure
    idle_usd_today: Figure
    usd_per_hour: Figure  # the price in force
    power_w: Figure
    power_limit_w: float | None
    utilization: Figure  # 0..1, share of time any kernel ran
    memory_used_gib: Figure
    memory_total_gib: float | None
    temperature_c: Figure
    processes: int | None  # compute processes on it
    meter: str = "NVML"  # what reads it: "NVML", "dcgm-exporter", "RAPL", …
    kind: str = "gpu"  # "gpu" | "accelerator" | "package": the processors of a box without either
    power_scope: str = "gpu"  # whose the watts are: "gpu" | "module" (a superchip's, CPU included) | "package"
    tensor_activity: Figure = UNMEASURED  # 0..1, tensor pipes
    dram_activity: Figure = UNMEASURED  # 0..1, device memory bandwidth
    memory_temperature_c: Figure = UNMEASURED
    throttle: tuple[str, ...] | None = None  # why its clocks are not at their highest, in words; None: not known
    throttle_alert: bool = False  # one of the reasons is none that a healthy GPU shows
    mig: tuple[str, ...] = ()  # profiles of its MIG instances, which have no watts of their own: "1g.10gb"
    xid: str = ""  # the last errors that the driver reported, in words: "Xid 79: GPU fell off the bus"
    xid_at_ms: int | None = None
    warnings: tuple[GpuWarning, ...] = ()  # words of the `note` too
    state_usd: Figure = UNMEASURED  # what a state that wastes has cost since it began
    sm_clock_mhz: Figure = UNMEASURED

    @property
    def device(self) -> str:
        """What it is, in a word: "GPU", "chip", "CPU"."""
        return device_word((self.kind,))

    @property
    def label(self) -> str:
        """What stands in the column of indices."""
        return "cpu" if self.kind == PACKAGE else str(self.index)


class StateSpan(msgspec.Struct, frozen=True, gc=False):
    """A stretch of one state on the strip."""

    from_ms: int
    to_ms: int
    state: str


class StripRow(msgspec.Struct, frozen=True, gc=False):
    """Three hours of one GPU's states and what its idle time in them cost."""

    entity: int
    index: int
    spans: tuple[StateSpan, ...]  # gaps between spans were not watched
    idle_usd: Figure


class AlertRow(msgspec.Struct, frozen=True, gc=False):
    """One alert: a state on some GPUs of the host, a figure beyond a limit, or the budget."""

    key: str
    state: str  # "" where it is about no state
    severity: str  # "info" | "warning" | "critical"
    status: str  # "pending" | "firing" | "resolving" | "resolved"
    since_ms: int  # when the condition began
    fired_ms: int | None
    gpus: tuple[int, ...]  # GPU indices
    text: str
    usd_so_far: Figure  # since the condition began, of all GPUs that were in it
    usd_per_day: Figure  # of those that are in it now
    usd_per_hour: Figure = UNMEASURED  # likewise
    cleared_ms: int | None = None  # when the condition ended
    models: tuple[str, ...] = ()  # served on its GPUs
    stale_since_ms: int | None = None  # nobody can tell since then whether the condition still holds
    muted: bool = False  # all of it: it leaves by no outlet
    muted_gpus: tuple[int, ...] = ()  # GPU indices
    muted_until_ms: int | None = None
    mute_reason: str = ""
    inhibited_by: str = ""  # key of the alert that says it all: a fault on the same GPUs

    @property
    def marks(self) -> tuple[str, ...]:
        """What else is to be said of it, in words."""
        return (
            *((f"muted: {self.mute_reason}",) if self.muted else ()),
            *(("stale",) if self.stale_since_ms is not None else ()),
            *((f"inhibited by {self.inhibited_by}",) if self.inhibited_by else ()),
        )

    @property
    def leaves(self) -> bool:
        """It may be told outside of tokwatch."""
        return not self.muted and not self.inhibited_by


class ServerRow(msgspec.Struct, frozen=True, gc=False):
    """One inference server."""

    entity: int
    address: str
    engine: str
    model: str
    up: bool
    problem: str  # what happened and what to do, empty when up
    verified: bool  # False: another user's; not in the money until accepted
    owner: str
    gpus: tuple[int, ...]
    tok_s: Figure  # output
    prompt_tok_s: Figure  # cached ones included
    cached_tok_s: Figure
    running: int | None
    waiting: int | None
    kv_usage: Figure
    requests_s: Figure  # finished requests per second
    ttft_p95_s: Interval  # the bucket the quantile falls in
    tpot_p95_s: Interval
    usd_per_m_output: Figure
    moves: str  # "live" | "at end" | "none"
    facts: tuple[tuple[str, str], ...]  # ("tensor parallel", "4"), ("precision", "fp8"), …
    used: tuple[str, ...]  # series read
    missing: tuple[tuple[str, str], ...]  # (role, what is lost without it)
    per_token: str = ""  # what its per-token latency is: "per request" | "per token" | "per request, prefill included"
    ttft_s: Quantiles = Quantiles()
    tpot_s: Quantiles = Quantiles()  # a request's mean time per token after the first
    itl_s: Quantiles = Quantiles()  # the gap between two tokens, or two engine steps: long answers weigh more
    token_time_s: Quantiles = Quantiles()  # a request's mean time per token, prefill included
    e2e_s: Quantiles = Quantiles()
    queue_s: Quantiles = Quantiles()
    slo: str = ""  # its limits in words: "TTFT ≤ 2 s, TPOT ≤ 0.08 s"
    slo_met: Interval = NO_SLO  # share of ended requests that finished within all limits
    slo_verdict: str = ""  # "met" | "missed" of the target; "" where the bounds allow both
    goodput_req_s: Interval = NO_SLO
    slo_weighted_tok_s: Interval = NO_SLO  # as if all requests were equally long; sure is only 0 to tok_s
    ttft_met: Interval = NO_SLO  # share of requests within this limit alone
    tpot_met: Interval = NO_SLO
    e2e_met: Interval = NO_SLO
    token_gaps_met: Interval = NO_SLO  # share of token gaps within the TPOT limit: of tokens, not of requests
    tok_per_j: Figure = UNMEASURED  # output tokens per joule of its deployment's GPUs
    layer: str = "engine"  # "engine" | "router" | "gateway"
    role: str = ""  # "prefill" | "decode" | "" both in one
    deployment: str = ""  # the name of its deployment, where one was given
    counts: str = ""  # whether its tokens are added up, in words
    slo_target: float | None = None  # share of requests that must be within its limits


class ProbeRow(msgspec.Struct, frozen=True, gc=False):
    """One thing that was looked for, for the Sources screen."""

    name: str
    ok: bool
    found: str
    hint: str


class Totals(msgspec.Struct, frozen=True, gc=False):
    """The closing row and the tiles: all GPUs and servers of the host."""

    gpus: int
    gpus_idle: int
    idle_since_ms: int | None  # the longest idle GPU's beginning
    deployments: int
    tok_s: Figure  # output
    tok_s_all: Figure  # prompt (cached included) + output
    tok_s_spark: tuple[float | None, ...]  # 30 × 4 s, oldest first
    tok_per_j: Figure
    tok_per_j_spark: tuple[float | None, ...]  # 12 × 10 s; shorter windows of a 100 ms energy counter are noise
    power_w: Figure
    power_limit_w: float | None
    memory_used_gib: Figure
    memory_total_gib: float | None
    usd_per_hour: Figure
    usd_per_m_output: Figure  # all-in: idle GPUs included
    usd_per_m_all: Figure
    usd_per_m_output_busy: Figure  # busy-only: cost of GPUs that are not idle
    idle_usd_per_hour: Figure
    idle_usd_today: Figure
    idle_share_of_cost: Figure  # 0..1
    slo_met: Interval  # share of requests, joint TTFT and TPOT bounds; why = "no SLO set" without limits
    goodput_req_s: Interval
    ttft_p95_s: Interval
    requests_s: Figure
    slo: str = ""  # the limits in words
    slo_target: float | None = None  # share of requests that must be within them
    slo_verdict: str = ""  # "met" | "missed" of the target; "" where the bounds allow both
    slo_weighted_tok_s: Interval = NO_SLO  # as if all requests were equally long; sure is only 0 to tok_s
    unplaced_tok_s: Figure = Figure(None, "every server is on a GPU")  # of tok_s, what is in no GPU's row nor ratio
    unplaced: tuple[str, ...] = ()  # their models, else addresses


class SelfCost(msgspec.Struct, frozen=True, gc=False):
    """What watching costs: tokwatch measured by itself."""

    cpu_share: Figure  # of one core
    rss_mib: Figure
    scraped_bytes_s: Figure
    late_ticks: Figure = UNMEASURED  # left out within the last minute because those before them took too long


class Snapshot(msgspec.Struct, frozen=True, dict=True):  # dict: for what is worked out once
    """One moment, complete. The dashboard computes nothing beyond it."""

    schema: int
    mode: str  # "live" | "replay" | "paused"; how it is looked at, not what was recorded
    kind: str  # "recorded" | "imported" | "simulated"
    session: str  # id of the session it belongs to, "" when live
    recorded_s: float  # how long the run had been recording at this tick
    host: str
    tick_ms: int  # the moment, store time
    wall_ms: int  # what the wall clock said
    utc_offset_s: int  # local time of the recording host
    interval_s: float
    window_s: float  # length of the usual window
    warm: bool  # False until the window has its first ratio (10 s)
    hardware: str  # "8× H100 80GB HBM3", "" when no GPU
    engines: tuple[tuple[str, int], ...]  # (engine, how many servers)
    currency: str
    price: str  # the price in force in words: "2.35 USD/GPU-h, set by you 14:03", "" without one
    totals: Totals
    gpus: tuple[GpuRow, ...]
    strip: tuple[StripRow, ...]
    strip_from_ms: int
    strip_idle_usd: Figure  # of all GPUs together
    alerts: tuple[AlertRow, ...]
    servers: tuple[ServerRow, ...]
    probes: tuple[ProbeRow, ...]
    self_cost: SelfCost
    problems: tuple[str, ...]  # the recorder's own troubles: disk full, driver not answering, …
    economy: Economy = Economy()  # of all GPUs and tokens
    deployments: tuple[DeploymentRow, ...] = ()
    traffic: tuple[TrafficRow, ...] = ()
    capacity: tuple[CapacityRow, ...] = ()
    timezone: str = "UTC"  # of the recording host: IANA name, else "UTC+HH:MM"

    @cached_property
    def device(self) -> str:
        """The devices in one word; "GPU" where there are several kinds, or none."""
        return device_word({row.kind for row in self.gpus})

    @cached_property
    def power_scope(self) -> str:
        """Whose the watts of all devices are, as in GpuRow; "" where they differ, or there are none."""
        scopes = {row.power_scope for row in self.gpus}
        return scopes.pop() if len(scopes) == 1 else ""

    @property
    def nothing_found(self) -> bool:
        """Neither a server nor a GPU is here."""
        return nothing_found(self.servers, (row.kind for row in self.gpus))


def canonical_json(snapshot: Snapshot) -> bytes:
    """The Snapshot as JSON with keys in the order of the structs: equal Snapshots give equal bytes."""
    return msgspec.json.encode(snapshot)


_DECODER = msgspec.json.Decoder(Snapshot)


def decode_snapshot(data: bytes) -> Snapshot:
    """The inverse of canonical_json. Raises msgspec.ValidationError on foreign data."""
    return _DECODER.decode(data)
