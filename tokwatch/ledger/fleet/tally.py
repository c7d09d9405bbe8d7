"""Tallies: what one host of a fleet added up to in a window, and the gauges at its end. Shapes only.

Sums are over (t1_ms − length_ms, t1_ms]; a source that can add up by itself (a Prometheus) gives them as they are, of
reports the fleet's meter makes them. Everything here adds up over hosts; ratios are divided in `compose`.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from tokwatch.ledger.entries import HistogramEntry


class FlowTally(msgspec.Struct, frozen=True, gc=False):
    """One model on one host: its servers there together."""

    model: str
    servers: int = 1  # inference servers (engine processes) of it on the host that answer
    engine: str = ""
    prompt_tokens: int | None = None  # cached ones included
    cached_tokens: int | None = None
    output_tokens: int | None = None
    finished: int | None = None
    failed: int | None = None
    running: int | None = None  # requests, at the end
    waiting: int | None = None
    kv_usage: float | None = None  # 0..1, of the fullest server
    latencies: tuple[HistogramEntry, ...] = ()  # where hosts tell them; others are in FleetTally.latencies


class HostKey(NamedTuple):
    """Which host: two clusters may each have one of the same name. As its source tells it, "" where it does not."""

    host: str
    region: str = ""
    cluster: str = ""

    @property
    def words(self) -> str:
        """For a reader who has to tell it from others of its name."""
        place = ", ".join(filter(None, (self.region, self.cluster)))
        return f"{self.host} ({place or 'no cluster'})"

    def may_be(self, other: HostKey) -> bool:
        """Both may be one host: of the same name, and what only one of them tells of its place is no difference."""
        places = zip(self[1:], other[1:], strict=True)
        return self.host == other.host and all(one == two or not one or not two for one, two in places)


class HostTally(msgspec.Struct, frozen=True, gc=False):
    """One host."""

    host: str
    t1_ms: int  # of its newest sample, Unix milliseconds by its source
    length_ms: int  # what the sums speak for
    up: bool = True
    problem: str = ""  # what happened, where, what to do; "" when up
    gpus: int | None = None  # None: not known
    gpu_model: str = ""  # "NVIDIA H100 80GB HBM3"; several are joined with " + "; "" not told
    states: tuple[tuple[int, int], ...] = ()  # (State, GPUs in it), at the end; no zeros
    power_w: float | None = None  # Σ board power, at the end
    power_gpus: int = 0  # GPUs that power_w speaks for
    energy_mj: int | None = None  # Σ of the boards
    measured_ms: int = 0  # Σ over GPUs of the time that energy_mj speaks for
    memory_used_mib: int | None = None
    memory_total_mib: int | None = None
    utilization: float | None = None  # 0..1, mean of its GPUs
    temperature_max_c: int | None = None
    flows: tuple[FlowTally, ...] = ()
    region: str = ""
    cluster: str = ""
    clock_skew_ms: int | None = None  # its clock − ours; None: not known
    agent: str = ""  # version of tokwatch there; "" where it is read by other means
    unpriced: bool = False  # simulated hosts and such that no money is to be made of

    @property
    def key(self) -> HostKey:
        return HostKey(self.host, self.region, self.cluster)

    def in_state(self, state: int) -> int:
        return dict(self.states).get(state, 0)


class ModelLatency(msgspec.Struct, frozen=True, gc=False):
    """Latencies of one model over all its hosts, in the window."""

    model: str
    histograms: tuple[HistogramEntry, ...]  # "ttft", "tpot", "itl", "e2e", "queue": see readings.FlowReading


class TrendPoint(msgspec.Struct, frozen=True, gc=False):
    """The whole fleet at one instant, for the charts."""

    at_ms: int
    output_tok_s: float | None
    power_w: float | None
    gpus_idle: int | None


class FetchCost(msgspec.Struct, frozen=True, gc=False):
    """What one look at the fleet took."""

    queries: int = 0
    bytes: int = 0  # as they came over the wire
    took_ms: int = 0
    cpu_ms: int = 0  # of this process


class SourceNote(msgspec.Struct, frozen=True, gc=False):
    """One thing that was asked or found, for Sources: like a probe."""

    name: str
    ok: bool
    found: str
    hint: str = ""


class FleetTally(msgspec.Struct, frozen=True, gc=False):
    """The fleet at one moment."""

    at_ms: int  # the moment, Unix milliseconds
    window_ms: int
    interval_s: float  # how often its source has news
    source: str  # "Prometheus http://prom:9090", "3 boxes over ssh", "1000 agents"
    hosts: tuple[HostTally, ...] = ()
    latencies: tuple[ModelLatency, ...] = ()
    trend: tuple[TrendPoint, ...] = ()  # oldest first
    warnings: tuple[str, ...] = ()  # of the source: a partial answer
    notes: tuple[SourceNote, ...] = ()
    cost: FetchCost = FetchCost()
    simulated: bool = False
    notices: tuple[str, ...] = ()  # of how the source is asked, whatever it answers: certificates are not checked
