"""What idle GPUs cost: dollars of holding them, the electricity in those, and how unevenly a fleet is used."""

from __future__ import annotations

from tokwatch.ledger.economics.arithmetic import SECONDS_PER_HOUR, cost_each, ratio
from tokwatch.ledger.economics.energy import J_PER_KWH


def holding_usd(gpu_seconds: float | None, usd_per_gpu_hour: float | None) -> float | None:
    """Dollars of keeping GPUs for a time: GPU-seconds ÷ 3600 × $/GPU-h."""
    if gpu_seconds is None or usd_per_gpu_hour is None:
        return None
    return gpu_seconds / SECONDS_PER_HOUR * usd_per_gpu_hour


def idle_energy_usd(energy_j: float | None, pue: float | None, usd_per_kwh: float | None) -> float | None:
    """Dollars of idle electricity: J × PUE ÷ (3.6 × 10⁶) × $/kWh.

    Where $/GPU-h holds electricity it is a part of the holding cost: never add the two.
    """
    if energy_j is None or pue is None or usd_per_kwh is None:
        return None
    return energy_j * pue / J_PER_KWH * usd_per_kwh


def idle_share(idle_usd: float | None, all_usd: float | None) -> float | None:
    """Idle dollars ÷ all dollars, 0–1; None when nothing was spent."""
    return ratio(idle_usd, all_usd)


def cost_per_request_against_mean(gpu_share: float | None, request_share: float | None) -> float | None:
    """How many times the fleet's mean a request of these GPUs costs: share of GPUs ÷ share of requests, at one $/GPU-h.

    Infinite for GPUs that served no request. (The skew that Aegaeon, SOSP 2025, reports of a model market.)
    """
    return cost_each(gpu_share, request_share)
