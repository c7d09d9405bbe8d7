"""Tallies made by hand, and prices that are easy to reckon with."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.tally import FleetTally, FlowTally, HostTally
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.electricity import Flat
from tokwatch.ledger.prices.facility import Carbon, Facility
from tokwatch.ledger.prices.gpu_terms import Rent, TermsFor
from tokwatch.ledger.prices.sites import Site
from tokwatch.ledger.prices.version import Prices

NOW_MS = 1_790_000_000_000
WINDOW_MS = 60_000
H100 = "NVIDIA H100 80GB HBM3"


def flow(model: str = "Qwen3-32B", output: int | None = 60_000, **changes: Any) -> FlowTally:
    """1 000 output and 4 000 prompt tokens a second."""
    made = FlowTally(
        model, 2, "vllm", prompt_tokens=240_000, cached_tokens=60_000, output_tokens=output, finished=180, failed=20,
        running=20, waiting=0, kv_usage=0.5,
    )  # fmt: skip
    return replace(made, **changes)


def host(name: str = "h1", *flows: FlowTally, **changes: Any) -> HostTally:
    """8 GPUs that serve, 4 kW of them together."""
    made = HostTally(
        name, NOW_MS, WINDOW_MS, gpus=8, gpu_model=H100, states=((State.SERVING, 8),), power_w=4_100.0, power_gpus=8,
        energy_mj=4_000 * WINDOW_MS, measured_ms=8 * WINDOW_MS, memory_used_mib=8 * 1024, memory_total_mib=80 * 1024,
        utilization=0.5, flows=flows,
    )  # fmt: skip
    return replace(made, **changes)


def fleet(*hosts: HostTally, **changes: Any) -> FleetTally:
    """A fleet whose source has news every 5 s."""
    return replace(FleetTally(NOW_MS, WINDOW_MS, 5.0, "made by hand", hosts), **changes)


def book(**prices: Any) -> PriceBook:
    """$2 a GPU hour, electricity included, where nothing else is told."""
    return PriceBook((PriceVersion(1, 0, 0, "config", Prices(**{"usd_per_gpu_hour": 2.0, **prices})),))


METERED = TermsFor(Rent(1.0, power_included=False))  # $1 a GPU hour, electricity apart
OSLO = Site(
    "oslo",
    ("osl-*",),
    region="eu-north",
    electricity=Flat(0.10),
    facility=Facility(pue=1.25, carbon=Carbon(20.0, "made up", 2026)),
    power_cap_w=10_000.0,
)
