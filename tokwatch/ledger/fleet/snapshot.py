"""The FleetSnapshot: everything the fleet's screens need for one moment, immutable. Shapes only."""

from __future__ import annotations

from typing import Final

import msgspec

from tokwatch.ledger.figure import UNMEASURED, Figure, Interval, Quantiles
from tokwatch.ledger.fleet.tally import FetchCost, HostKey, SourceNote, TrendPoint

SCHEMA: Final = 1


class HostRow(msgspec.Struct, frozen=True, gc=False):
    """One host."""

    key: HostKey  # by which it is found again, and looked into
    host: str
    label: str  # its name, with its place where others are called the same
    up: bool
    stale: bool  # what stands here is older than three of its source's intervals
    age_s: float
    problem: str
    region: str
    cluster: str
    site: str  # the price book's site that it is at, "" without one
    hardware: str  # "8× H100 80GB HBM3"
    gpus: int | None
    states: tuple[tuple[int, int], ...]  # (State, GPUs), no zeros
    gpus_idle: int
    state: int  # the State that most needs to be seen: a fault, else idleness, else what most GPUs do
    models: tuple[str, ...]
    running: int | None
    waiting: int | None
    tok_s: Figure  # output
    prompt_tok_s: Figure
    tok_per_j: Figure
    power_w: Figure  # boards
    facility_w: Figure
    memory_used_gib: Figure
    memory_total_gib: float | None
    utilization: Figure
    usd_per_hour: Figure
    usd_per_m_output: Figure
    idle_usd_per_hour: Figure
    clock_skew_s: float | None = None
    agent: str = ""


class ReplicaRow(msgspec.Struct, frozen=True, gc=False):
    """One host's part of a deployment."""

    key: HostKey  # the host's
    host: str
    label: str
    servers: int
    tok_s: Figure
    running: int | None
    waiting: int | None
    kv_usage: Figure
    verdict: str = ""  # "left out: no request while others queue" · "2.1× the mean" · ""


class ModelRow(msgspec.Struct, frozen=True, gc=False):
    """One model over the fleet: a deployment."""

    model: str
    engines: tuple[str, ...]
    hosts: int
    servers: int
    gpus: Figure  # whole where hosts serve one model alone, shared out by tokens else (marked "allocated")
    tok_s: Figure
    prompt_tok_s: Figure
    cached_share: Figure
    tok_per_j: Figure
    power_w: Figure
    usd_per_hour: Figure
    usd_per_m_output: Figure
    requests_s: Figure
    failed_share: Figure
    running: int | None
    waiting: int | None
    kv_usage: Figure  # of the fullest replica
    ttft_s: Quantiles
    tpot_s: Quantiles
    imbalance: Figure  # the busiest replica's running requests ÷ the mean of all; 1 is even
    misrouted: tuple[str, ...]  # labels of hosts without a request while others have a queue
    replicas: tuple[ReplicaRow, ...]


class GroupRow(msgspec.Struct, frozen=True, gc=False):
    """Hosts of one region, cluster, site, model or state together; or all of them."""

    by: str  # "region" | "cluster" | "site" | "model" | "state" | "all"
    name: str
    hosts: int
    hosts_down: int
    gpus: int
    gpus_idle: int
    tok_s: Figure
    tok_per_j: Figure
    power_w: Figure
    facility_w: Figure
    usd_per_hour: Figure
    usd_per_m_output: Figure
    idle_usd_per_hour: Figure
    usd_per_kwh: Figure = UNMEASURED
    pue: float | None = None
    carbon_g_per_kwh: float | None = None
    carbon_kg_per_hour: Figure = UNMEASURED
    power_cap_w: float | None = None
    power_of_cap: Figure = UNMEASURED  # facility power ÷ the cap, 0..1


class FleetSnapshot(msgspec.Struct, frozen=True):
    """One moment, complete. The screens compute nothing beyond it; groups other than `all` and sites are made by
    `groups.grouped(snapshot, by)`."""

    schema: int
    mode: str  # "live" | "replay" | "paused"
    source: str
    simulated: bool
    at_ms: int
    interval_s: float
    window_s: float
    currency: str
    price: str  # the price in force in words, "" without one
    total: GroupRow  # all hosts
    hosts: tuple[HostRow, ...]
    models: tuple[ModelRow, ...]
    sites: tuple[GroupRow, ...]  # of the price book, those without a host too
    trend: tuple[TrendPoint, ...]
    ttft_p95_s: Interval
    warnings: tuple[str, ...]
    notes: tuple[SourceNote, ...]
    problems: tuple[str, ...]
    cost: FetchCost
    cpu_share: Figure = UNMEASURED  # of this process, of one core
    notices: tuple[str, ...] = ()  # of how the source is asked, whatever it answers


def canonical_json(snapshot: FleetSnapshot) -> bytes:
    """The FleetSnapshot as JSON, keys in the order of the structs."""
    return msgspec.json.encode(snapshot)
