"""Alerts of the box in every status."""

from __future__ import annotations

from msgspec.structs import replace

from tests.dashboard.snapshots import ALERTS, BOX, GPUS, at
from tokwatch.ledger.alert_rows import AT_WORK
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.snapshot import AlertRow, Figure, GpuWarning, Snapshot

_FREE, _PARKED, _SATURATED = ALERTS
AT_WORK_FIGURE = Figure(None, AT_WORK)
FREE = replace(_FREE, usd_per_hour=Figure(2.29))
PARKED = replace(_PARKED, usd_per_hour=Figure(2.30), models=("meta-llama/Llama-3.1-8B-Instruct",))
SATURATED = replace(
    _SATURATED,
    usd_per_hour=AT_WORK_FIGURE,
    usd_per_day=AT_WORK_FIGURE,
    usd_so_far=AT_WORK_FIGURE,
    models=("openai/gpt-oss-120b",),
)
DEAR = AlertRow(
    key="usd_per_m_output > 0.40",
    state="",
    severity="warning",
    status="firing",
    since_ms=at("13:40"),
    fired_ms=at("13:50"),
    gpus=(),
    text="usd_per_m_output is 0.42",
    usd_so_far=AT_WORK_FIGURE,
    usd_per_day=AT_WORK_FIGURE,
    usd_per_hour=AT_WORK_FIGURE,
)
MUTED = replace(PARKED, muted=True, muted_gpus=(6,), muted_until_ms=at("22:03"), mute_reason="kept warm for the demo")
STALE = replace(SATURATED, stale_since_ms=at("14:01"))
RESOLVING = replace(DEAR, status="resolving", cleared_ms=at("14:02"))
LOST = AlertRow(
    key="lost",
    state="lost",
    severity="critical",
    status="firing",
    since_ms=at("13:59"),
    fired_ms=at("13:59:15"),
    gpus=(3,),
    text="GPU lost",
    usd_so_far=Figure(0.17),
    usd_per_day=Figure(56.4),
    usd_per_hour=Figure(2.35),
)
PENDING = AlertRow(
    key="backlog",
    state="backlog",
    severity="info",
    status="pending",
    since_ms=at("14:03:01"),
    fired_ms=None,
    gpus=(5,),
    text="Llama-3.1-8B: 3 waiting although the KV cache has room",
    usd_so_far=AT_WORK_FIGURE,
    usd_per_day=AT_WORK_FIGURE,
    usd_per_hour=AT_WORK_FIGURE,
)
OVER = (
    replace(
        _PARKED,
        status="resolved",
        since_ms=at("12:31"),
        fired_ms=at("12:36"),
        cleared_ms=at("12:40"),
        gpus=(5,),
        text="loaded, no request",
        usd_so_far=Figure(0.35),
        usd_per_day=Figure(None, "over"),
    ),
    replace(
        _SATURATED,
        status="resolved",
        severity="warning",
        since_ms=at("17:20", 3),
        fired_ms=at("17:20:30", 3),
        cleared_ms=at("17:31", 3),
        text="requests wait, the KV cache is full",
        usd_so_far=AT_WORK_FIGURE,
        usd_per_day=AT_WORK_FIGURE,
    ),
)
MUTE = Mute(
    id=4,
    made_ms=at("13:53"),
    until_ms=at("22:03"),
    reason="kept warm for the demo",
    by="ml",
    state="parked",
    gpu="GPU-6",
)

FIRING: Snapshot = replace(BOX, alerts=(SATURATED, FREE, PARKED, DEAR))
EVERYTHING: Snapshot = replace(
    BOX,
    problems=("the disk is full: nothing is being recorded",),
    gpus=tuple(
        replace(row, warnings=(GpuWarning("Xid 79: GPU fell off the bus", at("13:58:03")),)) if row.index == 3 else row
        for row in GPUS
    ),
    alerts=(LOST, STALE, FREE, MUTED, RESOLVING),
)
