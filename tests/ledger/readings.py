"""Readings with defaults, for the tests of the ledger: an H100 on a box, and vLLM serving from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from collectors.readings import (
    FlowReading,
    GpuFacts,
    GpuProcess,
    GpuReading,
    Histogram,
    HostReading,
    Moves,
    Reason,
    ServerFacts,
    ServerReading,
)
from tokwatch.ledger.axis import Axis
from tokwatch.ledger.entries import Entity
from tokwatch.ledger.registry import Registry

NOON_MS = 1_795_262_400_000  # 2026-11-21 12:00 UTC
BOOT_S = 500_000  # CLOCK_BOOTTIME at noon
LIMIT_W = 700.0
MIB = 1 << 20
TTFT_EDGES = (0.1, 0.5, 1.0)


def boot_ns(second: float) -> int:
    """CLOCK_BOOTTIME `second` seconds after noon."""
    return (BOOT_S * 1000 + round(second * 1000)) * 1_000_000


def axis(second: float) -> Axis:
    """The tick `second` seconds after noon, on clocks that agree."""
    at_ms = NOON_MS + round(second * 1000)
    return Axis(at_ms, boot_ns(second), at_ms)


def registry() -> Registry:
    """A registry that knows its host, entity 1."""
    return Registry("box", [Entity(1, "host", "box", "box", 0, NOON_MS)])


def gpu_facts(index: int = 0, **changes: Any) -> GpuFacts:
    facts = GpuFacts(
        index,
        f"GPU-{str(index) * 8}-aaaa",
        name="NVIDIA H100 80GB HBM3",
        memory_total_bytes=80 * 1024 * MIB,
        power_limit_w=LIMIT_W,
        driver_version="550.54",
    )
    return replace(facts, **changes)


def gpu(second: float, index: int = 0, *, facts: GpuFacts | None = None, **changes: Any) -> GpuReading:
    """A GPU at 300 W since noon, half full and busy, with process 100 + index on it, unless told otherwise."""
    reading = GpuReading(
        facts or gpu_facts(index),
        boot_ns(second),
        power_w=300.0,
        energy_mj=10_000_000 + round(second * 300_000),
        utilization=0.9,
        memory_used_bytes=40_000 * MIB,
        temperature_c=60,
        sm_clock_mhz=1755,
        throttle=0,
        processes=(GpuProcess(100 + index, None),),
    )
    return replace(reading, **changes)


def free_gpu(second: float, index: int = 2) -> GpuReading:
    """A GPU without processes that draws 60 W."""
    energy_mj = 5_000_000 + round(second * 60_000)
    return gpu(second, index, power_w=60.0, energy_mj=energy_mj, utilization=0.0, memory_used_bytes=0, processes=())


def lost_gpu(second: float, index: int = 0) -> GpuReading:
    """A GPU that fell off the bus: only its facts are left."""
    return GpuReading(gpu_facts(index), boot_ns(second), problem=Reason.LOST, problem_text="fell off the bus")


def server_facts(address: str = "127.0.0.1:8000", **changes: Any) -> ServerFacts:
    facts = ServerFacts(
        address,
        "vllm",
        metrics_url=f"http://{address}/metrics",
        pid=100,
        pids=(100,),
        owner="inference",
        started_at_s=NOON_MS / 1000 - 7200,
        model="Qwen/Qwen3-32B",
    )
    return replace(facts, **changes)


def flow(**changes: Any) -> FlowReading:
    return replace(FlowReading("Qwen/Qwen3-32B", output_tokens=0, prompt_tokens=0), **changes)


def page(
    second: float, *flows: FlowReading, facts: ServerFacts | None = None, idle: bool = False, **changes: Any
) -> ServerReading:
    """A good page of one server that has one running request, or none when idle."""
    reading = ServerReading(
        facts or server_facts(),
        boot_ns(second),
        ok=True,
        took_ms=4,
        page_bytes=28_000,
        incarnation="process-1",
        moves=Moves.LIVE,
        running=0 if idle else 1,
        waiting=0,
        kv_usage=0.0 if idle else 0.25,
        flows=flows,
    )
    return replace(reading, **changes)


def no_page(second: float, *, facts: ServerFacts | None = None, problem: str = "connection refused") -> ServerReading:
    """A scrape that failed."""
    return ServerReading(facts or server_facts(), boot_ns(second), ok=False, problem=problem)


def ttft(*per_bucket: int, sum_s: float = 1.0) -> Histogram:
    """A TTFT histogram of TTFT_EDGES from counts per bucket, the last beyond one second."""
    cumulative = tuple(sum(per_bucket[: i + 1]) for i in range(len(per_bucket)))
    return Histogram(TTFT_EDGES, cumulative, sum_s)


def host(second: float, **changes: Any) -> HostReading:
    reading = HostReading(boot_ns(second), cpu_utilization=0.1, self_cpu_s=second * 0.02, self_rss_bytes=45 * MIB)
    return replace(reading, **changes)
