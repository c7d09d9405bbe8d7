"""What one page of one endpoint tells, in whole numbers: shapes only. `None` is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from collectors.readings import GpuFacts, Histogram

# Of a flow; each is the sum of its series on the page.
COUNTERS: Final = ("prompt_tokens", "cached_tokens", "output_tokens", "finished", "failed", "aborted")
# Those that a fleet's screens show: each is some twenty buckets a server.
LATENCIES: Final = ("ttft", "tpot")


class GpuSample(msgspec.Struct, frozen=True, gc=False):
    """One GPU, in the order of PageAbout.gpus."""

    energy_mj: int | None = None  # as it stands
    power_mw: int | None = None
    util_permille: int | None = None
    memory_used_mib: int | None = None
    temperature_c: int | None = None
    state: int | None = None  # place in PageAbout.states


class ServerSample(msgspec.Struct, frozen=True, gc=False):
    """One server, in the order of PageAbout.servers."""

    up: bool
    running: int | None = None
    waiting: int | None = None
    kv_permyriad: int | None = None


class ServerName(NamedTuple):
    address: str  # host:port
    engine: str


class FlowName(NamedTuple):
    """Whose tokens they are."""

    server: int  # place in PageAbout.servers
    model: str
    role: str = ""
    tenant: str = ""
    tier: str = ""


class CounterName(NamedTuple):
    """One series that counts, or a part of a sum that restarts by itself."""

    flow: int  # place in PageAbout.flows
    counter: int  # place in COUNTERS
    series: str  # name and labels: what it is known by when its page is laid out anew


class HistogramName(NamedTuple):
    """One histogram, or that of one rank which restarts by itself."""

    flow: int  # place in PageAbout.flows
    latency: str  # of LATENCIES
    edges: tuple[float, ...]  # seconds
    series: str  # as for CounterName


@dataclass(frozen=True, slots=True)
class PageAbout:
    """What the numbers of a page are of. One object for as long as the page's labels stay as they are."""

    kind: str  # what it was recognised as: "dcgm-exporter", "vllm", "tokwatch agent"
    gpus: tuple[GpuFacts, ...] = ()
    servers: tuple[ServerName, ...] = ()
    flows: tuple[FlowName, ...] = ()
    counters: tuple[CounterName, ...] = ()
    states: tuple[str, ...] = ()  # names of GPU states, on pages that tell them
    version: str = ""  # of tokwatch, on an agent's page
    histograms: tuple[HistogramName, ...] = ()


class PageSample(NamedTuple):
    """One page."""

    about: PageAbout
    gpus: tuple[GpuSample, ...]
    servers: tuple[ServerSample, ...]
    counters: tuple[int | None, ...]  # as they stand, in the order of PageAbout.counters
    histograms: tuple[Histogram | None, ...] = ()  # likewise
