"""Snapshots made by hand: the box of the design mockups, and what can become of it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import replace

from tests.dashboard.answers import ANSWERS
from tests.dashboard.scenes.frontier import capacity
from tokwatch.feeds.mark import Kind, Mark, next_mark
from tokwatch.feeds.question import Question
from tokwatch.ledger.entries import State
from tokwatch.ledger.gpu_rows import state_name
from tokwatch.ledger.money.shapes import CostPerHour, DeploymentRow, Economy, TokenCosts
from tokwatch.ledger.snapshot import (
    SCHEMA,
    AlertRow,
    Figure,
    GpuRow,
    GpuWarning,
    Interval,
    ProbeRow,
    Quantiles,
    SelfCost,
    ServerRow,
    Snapshot,
    StateSpan,
    StripRow,
    Totals,
)
from tokwatch.ledger.window_figures import WindowFigures

Answer = TypeVar("Answer")

UNKNOWN = Figure(None, "not measured")
WARMING_UP = Figure(None, "warming up")
NO_PRICE = Figure(None, "no price set")
INFINITE = Figure(None, infinite=True)


def at(clock: str, day: int = 4) -> int:
    """Unix milliseconds of a time of the day on which the box is looked at; its clock is UTC."""
    hour, minute, second = (int(part) for part in f"{clock}:0".split(":")[:3])
    return int(datetime(2026, 5, day, hour, minute, second, tzinfo=UTC).timestamp() * 1000)


NOW_MS = at("14:03:22")


def wave(length: int, base: float, swing: float, phase: float = 0.0) -> tuple[float, ...]:
    """Values that rise and fall a little, always the same ones."""
    return tuple(base + swing * math.sin(phase + 0.9 * i) + swing / 2 * math.sin(2.3 * i) for i in range(length))


def gpu(index: int, **changes: object) -> GpuRow:
    """A GPU that serves Qwen3-32B with three others, unless said otherwise."""
    row = GpuRow(
        entity=10 + index,
        index=index,
        uuid=f"GPU-{index}",
        name="NVIDIA H100 80GB HBM3",
        state="serving",
        confirmed=True,
        since_ms=at("10:50"),
        note="",
        serves="Qwen3-32B tp4",
        servers=(2,),
        placed_by="process",
        idle=False,
        tok_s=Figure(1551),
        spark=wave(12, 1500, 220, index),
        tok_per_j=Figure(2.53),
        usd_per_m_output=Figure(0.42),
        idle_usd_today=Figure(1.31),
        usd_per_hour=Figure(2.35),
        power_w=Figure(612),
        power_limit_w=700,
        utilization=Figure(0.93),
        memory_used_gib=Figure(71),
        memory_total_gib=80,
        temperature_c=Figure(61),
        processes=1,
        tensor_activity=Figure(0.31 + index / 100),
        dram_activity=Figure(0.62),
        memory_temperature_c=Figure(74),
        throttle=(),
    )
    return replace(row, **changes)


PARKED = gpu(
    6,
    state="parked",
    since_ms=at("13:22"),
    serves="Llama-3.1-8B",
    servers=(4,),
    idle=True,
    tok_s=Figure(0),
    spark=(0.0,) * 12,
    tok_per_j=UNKNOWN,
    usd_per_m_output=INFINITE,
    idle_usd_today=Figure(8.74),
    power_w=Figure(128),
    memory_used_gib=Figure(66),
    temperature_c=Figure(38),
)
FREE = gpu(
    7,
    state="unallocated",
    since_ms=at("11:58"),
    serves="",
    servers=(),
    placed_by="",
    idle=True,
    tok_s=UNKNOWN,
    spark=(None,) * 12,
    tok_per_j=UNKNOWN,
    usd_per_m_output=UNKNOWN,
    idle_usd_today=Figure(11.70),
    power_w=Figure(68),
    memory_used_gib=Figure(0),
    temperature_c=Figure(34),
    processes=0,
)
GPUS = (
    gpu(0),
    gpu(1, tok_per_j=Figure(2.59), power_w=Figure(598), temperature_c=Figure(60)),
    gpu(2, tok_per_j=Figure(2.50), power_w=Figure(621), temperature_c=Figure(63)),
    gpu(3, tok_per_j=Figure(2.57), power_w=Figure(604)),
    gpu(
        4,
        state="saturated",
        since_ms=at("13:57"),
        serves="gpt-oss-120b",
        servers=(3,),
        tok_s=Figure(2894),
        spark=tuple(1500 + 120.0 * i for i in range(12)),
        tok_per_j=Figure(4.17),
        usd_per_m_output=Figure(0.23),
        idle_usd_today=Figure(0),
        power_w=Figure(694),
        memory_used_gib=Figure(77),
        temperature_c=Figure(72),
    ),
    gpu(
        5,
        serves="Llama-3.1-8B",
        servers=(4,),
        tok_s=Figure(3333),
        spark=wave(12, 3200, 260, 2),
        tok_per_j=Figure(5.84),
        usd_per_m_output=Figure(0.20),
        idle_usd_today=Figure(5.42),
        power_w=Figure(571),
        memory_used_gib=Figure(66),
        temperature_c=Figure(57),
    ),
    PARKED,
    FREE,
)


def span(state: str, start: str, end: str) -> StateSpan:
    return StateSpan(at(start), at(end), state)


def strip_row(index: int, idle_usd: Figure, *spans: StateSpan) -> StripRow:
    return StripRow(10 + index, index, spans, idle_usd)


START = "11:03:22"
END = "14:03:22"
_WATCHED = (span("serving", START, "12:28"), span("serving", "12:31:30", END))
STRIP = (
    *(strip_row(index, UNKNOWN, *_WATCHED) for index in range(4)),
    strip_row(
        4,
        UNKNOWN,
        span("serving", START, "11:45"),
        span("saturated", "11:45", "11:52"),
        span("serving", "11:52", "13:57"),
        span("saturated", "13:57", END),
    ),
    strip_row(
        5,
        Figure(1.06),
        span("serving", START, "11:17"),
        span("parked", "11:17", "11:36"),
        span("serving", "11:36", "12:31"),
        span("parked", "12:31", "12:40"),
        span("serving", "12:40", END),
    ),
    strip_row(
        6,
        Figure(3.05),
        span("serving", START, "11:13"),
        span("parked", "11:13", "11:38"),
        span("serving", "11:38", "12:30"),
        span("parked", "12:30", "12:44"),
        span("serving", "12:44", "13:22"),
        span("parked", "13:22", END),
    ),
    strip_row(
        7,
        Figure(5.41),
        span("parked", START, "11:20"),
        span("loading", "11:20", "11:26"),
        span("serving", "11:26", "11:58"),
        span("unallocated", "11:58", END),
    ),
)
ALERTS = (
    AlertRow(
        key="unallocated",
        state="unallocated",
        severity="warning",
        status="firing",
        since_ms=at("11:58"),
        fired_ms=at("13:00"),
        gpus=(7,),
        text="no process for 2 h 05 min",
        usd_so_far=Figure(4.77),
        usd_per_day=Figure(54.90),
    ),
    AlertRow(
        key="parked",
        state="parked",
        severity="warning",
        status="firing",
        since_ms=at("13:22"),
        fired_ms=at("13:52"),
        gpus=(6,),
        text="Llama-3.1-8B has had no request for 41 min",
        usd_so_far=Figure(1.57),
        usd_per_day=Figure(55.12),
    ),
    AlertRow(
        key="saturated",
        state="saturated",
        severity="critical",
        status="firing",
        since_ms=at("13:57"),
        fired_ms=at("13:57"),
        gpus=(4,),
        text="gpt-oss-120b: 37 waiting, KV cache 97 %, TTFT p99 4.1 s",
        usd_so_far=UNKNOWN,
        usd_per_day=UNKNOWN,
    ),
)


def server(entity: int, address: str, engine: str, model: str, gpus: tuple[int, ...]) -> ServerRow:
    return ServerRow(
        entity=entity,
        address=address,
        engine=engine,
        model=model,
        up=True,
        problem="",
        verified=True,
        owner="ml",
        gpus=gpus,
        tok_s=Figure(6204),
        prompt_tok_s=Figure(31_000),
        cached_tok_s=Figure(12_000),
        running=48,
        waiting=0,
        kv_usage=Figure(0.61),
        requests_s=Figure(40),
        ttft_p95_s=Interval(0.25, 0.5),
        tpot_p95_s=Interval(0.025, 0.05),
        usd_per_m_output=Figure(0.42),
        moves="live",
        facts=(("tensor parallel", "4"),),
        used=("generation_tokens_total", "prompt_tokens_total", "num_requests_running", "time_to_first_token_seconds"),
        missing=(),
        per_token="per request",
        ttft_s=quantiles((0.1, 0.25), (0.25, 0.5), (0.5, None)),
        tpot_s=quantiles((0.01, 0.025), (0.025, 0.05), (0.025, 0.05)),
        slo="TTFT ≤ 2 s, TPOT ≤ 0.05 s",
        slo_target=0.99,
        slo_met=Interval(0.972, 0.989, n=2400),
        slo_verdict="missed",
        goodput_req_s=Interval(38.9, 39.6),
        ttft_met=Interval(0.991, 0.998, n=2400),
        tpot_met=Interval(0.981, 0.989, n=2400),
        tok_per_j=Figure(2.55),
        counts="tokens counted here",
    )


def quantiles(*buckets: tuple[float, float | None]) -> Quantiles:
    """p50, p95 and p99 of 2400 requests."""
    return Quantiles(*(Interval(low, high, n=2400) for low, high in buckets))


SERVERS = (
    server(2, "127.0.0.1:8000", "vLLM", "Qwen/Qwen3-32B", (0, 1, 2, 3)),
    server(3, "127.0.0.1:30000", "SGLang", "openai/gpt-oss-120b", (4,)),
    server(4, "127.0.0.1:8001", "vLLM", "meta-llama/Llama-3.1-8B-Instruct", (5, 6)),
)


def deployment(name: str, servers: tuple[ServerRow, ...], tok_s: float, usd_per_m: float) -> DeploymentRow:
    """As the ledger has it: cost and tokens of all its servers together."""
    return DeploymentRow(
        key="+".join(row.address for row in servers),
        name=name,
        models=(servers[0].model,),
        servers=tuple(row.entity for row in servers),
        gpus=tuple(sorted({gpu for row in servers for gpu in row.gpus})),
        shared=False,
        economy=Economy(
            cost=CostPerHour(total=Figure(9.4)),
            tokens=TokenCosts(output_only=Figure(usd_per_m)),
            output_tok_s=Figure(tok_s),
        ),
    )


DEPLOYMENTS = (
    deployment("Qwen3-32B", SERVERS[:1], 6204, 0.42),
    deployment("gpt-oss-120b", SERVERS[1:2], 2894, 0.23),
    deployment("Llama-3.1-8B", SERVERS[2:], 3333, 0.39),
)
PROBES = (
    ProbeRow("NVIDIA driver", True, "8 GPUs, driver 580.65.06", ""),
    ProbeRow(
        "host power", False, "no readable RAPL counter", "allow it: sudo chmod a+r /sys/class/powercap/*/energy_uj"
    ),
    ProbeRow("inference servers", True, "3 of 41 listening ports", ""),
)
TOTALS = Totals(
    gpus=8,
    gpus_idle=2,
    idle_since_ms=at("11:58"),
    deployments=3,
    tok_s=Figure(12_431),
    tok_s_all=Figure(58_000),
    tok_s_spark=wave(60, 11_800, 900),
    tok_per_j=Figure(3.19),
    tok_per_j_spark=wave(12, 3.0, 0.25),
    power_w=Figure(3896),
    power_limit_w=5600,
    memory_used_gib=Figure(493),
    memory_total_gib=640,
    usd_per_hour=Figure(18.80),
    usd_per_m_output=Figure(0.42),
    usd_per_m_all=Figure(0.09),
    usd_per_m_output_busy=Figure(0.32),
    idle_usd_per_hour=Figure(4.58),
    idle_usd_today=Figure(31.10),
    idle_share_of_cost=Figure(0.24),
    slo_met=Interval(0.972, 0.989),
    goodput_req_s=Interval(117.4, 119.5),
    ttft_p95_s=Interval(0.25, 0.5),
    requests_s=Figure(120.8),
    slo="TTFT ≤ 2 s, TPOT ≤ 0.05 s",
    slo_target=0.99,
    slo_verdict="missed",
)
BOX = Snapshot(
    schema=SCHEMA,
    mode="live",
    kind="recorded",
    session="",
    recorded_s=3 * 3600 + 12 * 60 + 44,
    host="dgx-03",
    tick_ms=NOW_MS,
    wall_ms=NOW_MS,
    utc_offset_s=0,
    interval_s=1.0,
    window_s=60.0,
    warm=True,
    hardware="8× H100 80GB",
    engines=(("vLLM", 2), ("SGLang", 1)),
    currency="USD",
    price="2.35 USD/GPU-h, set by you, since 10:50",
    totals=TOTALS,
    gpus=GPUS,
    strip=STRIP,
    strip_from_ms=at(START),
    strip_idle_usd=Figure(9.52),
    alerts=ALERTS,
    servers=SERVERS,
    probes=PROBES,
    self_cost=SelfCost(Figure(0.021), Figure(62), Figure(51_000)),
    problems=(),
    deployments=DEPLOYMENTS,
    capacity=capacity(NOW_MS),
)


def with_unknown_money(totals: Totals, figure: Figure) -> Totals:
    return replace(
        totals,
        usd_per_hour=figure,
        usd_per_m_output=figure,
        usd_per_m_all=figure,
        usd_per_m_output_busy=figure,
        idle_usd_per_hour=figure,
        idle_usd_today=figure,
        idle_share_of_cost=figure,
    )


def _unknown_deployments(figure: Figure) -> tuple[DeploymentRow, ...]:
    """Without what they cost."""
    unknown = {"cost": CostPerHour(total=figure), "tokens": TokenCosts(output_only=figure)}
    return tuple(replace(row, economy=replace(row.economy, **unknown)) for row in DEPLOYMENTS)


def nothing_found() -> Snapshot:
    """A laptop: no GPU, no server."""
    nothing = Figure(None, "no GPU")
    totals = replace(
        with_unknown_money(TOTALS, nothing),
        gpus=0,
        gpus_idle=0,
        idle_since_ms=None,
        deployments=0,
        tok_s=nothing,
        tok_s_all=nothing,
        tok_s_spark=(None,) * 60,
        tok_per_j=nothing,
        tok_per_j_spark=(None,) * 12,
        power_w=nothing,
        power_limit_w=None,
        memory_used_gib=nothing,
        memory_total_gib=None,
        slo="",
        slo_met=Interval(None, None, "no SLO set"),
        goodput_req_s=Interval(None, None, "no SLO set"),
        ttft_p95_s=Interval(None, None, "no server"),
        requests_s=nothing,
    )
    return replace(
        BOX,
        host="laptop",
        hardware="",
        engines=(),
        price="",
        totals=totals,
        gpus=(),
        strip=(),
        alerts=(),
        servers=(),
        deployments=(),
        capacity=(),
        recorded_s=4.0,
        probes=(
            ProbeRow(
                "NVIDIA driver",
                False,
                "libnvidia-ml.so.1 is not installed",
                "on a GPU box: install the NVIDIA driver, or in a container pass --gpus all",
            ),
            ProbeRow("NVIDIA device nodes", False, "no /dev/nvidia*", ""),
            ProbeRow(
                "inference servers",
                False,
                "none on 12 listening ports",
                "name one in config.toml under [[servers]]",
            ),
            ProbeRow("configuration", True, "~/.config/tokwatch/config.toml is not there, defaults are used", ""),
        ),
    )


def warming_up() -> Snapshot:
    """The first tick: gauges are there, rates are not."""
    rows = tuple(
        replace(
            row,
            state="unknown",
            confirmed=False,
            idle=False,
            tok_s=WARMING_UP,
            tok_per_j=WARMING_UP,
            usd_per_m_output=WARMING_UP,
            idle_usd_today=Figure(0),
            spark=(None,) * 12,
        )
        for row in GPUS
    )
    totals = replace(
        with_unknown_money(TOTALS, WARMING_UP),
        gpus_idle=0,
        idle_since_ms=None,
        tok_s=WARMING_UP,
        tok_s_all=WARMING_UP,
        tok_s_spark=(None,) * 60,
        tok_per_j=WARMING_UP,
        tok_per_j_spark=(None,) * 12,
        slo_met=Interval(None, None, "warming up"),
        goodput_req_s=Interval(None, None, "warming up"),
        requests_s=WARMING_UP,
    )
    strip = tuple(replace(row, spans=(), idle_usd=UNKNOWN) for row in STRIP)
    return replace(
        BOX,
        warm=False,
        recorded_s=1.0,
        gpus=rows,
        totals=totals,
        strip=strip,
        strip_idle_usd=UNKNOWN,
        alerts=(),
        deployments=_unknown_deployments(WARMING_UP),
        capacity=tuple(replace(row, now=None) for row in BOX.capacity),
    )


def no_price() -> Snapshot:
    """Everything but money, and no SLO."""
    rows = tuple(
        replace(row, usd_per_m_output=NO_PRICE, idle_usd_today=NO_PRICE, usd_per_hour=NO_PRICE) for row in GPUS
    )
    totals = replace(
        with_unknown_money(TOTALS, NO_PRICE),
        slo="",
        slo_met=Interval(None, None, "no SLO set"),
        goodput_req_s=Interval(None, None, "no SLO set"),
    )
    return replace(
        BOX,
        price="",
        gpus=rows,
        totals=totals,
        strip=tuple(replace(row, idle_usd=NO_PRICE) for row in STRIP),
        strip_idle_usd=NO_PRICE,
        deployments=_unknown_deployments(NO_PRICE),
        alerts=tuple(replace(alert, usd_so_far=NO_PRICE, usd_per_day=NO_PRICE) for alert in ALERTS),
    )


def all_at_work() -> Snapshot:
    """Nothing is idle: a screen of grey and teal with white money."""
    rows = tuple(gpu(index, power_w=Figure(600.0 + index)) for index in range(8))
    totals = replace(
        TOTALS,
        gpus_idle=0,
        idle_since_ms=None,
        idle_usd_per_hour=Figure(0),
        idle_usd_today=Figure(1.31),
        idle_share_of_cost=Figure(0),
    )
    strip = tuple(strip_row(index, UNKNOWN, span("serving", START, END)) for index in range(8))
    return replace(BOX, gpus=rows, totals=totals, strip=strip, strip_idle_usd=UNKNOWN, alerts=())


def one_gpu() -> Snapshot:
    """A workstation."""
    totals = replace(
        TOTALS, gpus=1, gpus_idle=0, idle_since_ms=None, deployments=1, idle_usd_per_hour=Figure(0), power_w=Figure(612)
    )
    return replace(
        BOX,
        host="desk",
        hardware="1× RTX 4090",
        engines=(("llama.cpp", 1),),
        totals=totals,
        gpus=GPUS[:1],
        strip=STRIP[:1],
        strip_idle_usd=UNKNOWN,
        alerts=(),
        servers=SERVERS[:1],
    )


def many_gpus(number: int = 64) -> Snapshot:
    """More GPUs than fit on the screen."""
    rows = tuple(replace(GPUS[i % 8], index=i, entity=10 + i) for i in range(number))
    strip = tuple(replace(STRIP[i % 8], index=i, entity=10 + i) for i in range(number))
    totals = replace(TOTALS, gpus=number, gpus_idle=number // 4, tok_s=Figure(99_448), power_w=Figure(31_168))
    return replace(BOX, hardware=f"{number}× H100 80GB", gpus=rows, strip=strip, totals=totals)


def every_state() -> Snapshot:
    """One row for each state, and one that is not confirmed yet."""
    rows = [
        replace(GPUS[0], index=i, entity=10 + i, state=state_name(state), idle=state.idle)
        for i, state in enumerate(State)
    ]
    nothing = {
        name: Figure(None, "lost")
        for name in ("tok_s", "tok_per_j", "usd_per_m_output", "power_w", "memory_used_gib", "temperature_c")
    }
    rows[State.LOST] = replace(rows[State.LOST], **nothing)
    rows.append(replace(PARKED, index=15, entity=25, confirmed=False))
    rows.append(gpu(16, power_w=Figure(203, marks=("est",)), usd_per_m_output=Figure(0.31, marks=("few",))))
    return replace(BOX, gpus=tuple(rows), strip=(), totals=replace(TOTALS, gpus=17))


def shared_and_ailing() -> Snapshot:
    """Two servers share GPUs 0 and 1, GPU 5 counts at the end, two GPUs are at fault, one is split into MIG devices."""
    rows = list(GPUS)
    marks = ("allocated",)
    for i in (0, 1):
        rows[i] = replace(
            rows[i],
            serves="Qwen3-32B + Llama-8B",
            tok_per_j=Figure(2.53, marks=marks),
            usd_per_m_output=Figure(0.42, marks=marks),
        )
    brake = GpuWarning("power brake")
    for i in (2, 3):
        rows[i] = replace(rows[i], throttle=("power brake", "power cap"), throttle_alert=True, warnings=(brake,))
    fallen = "Xid 79: GPU fell off the bus"
    rows[4] = replace(
        rows[4],
        throttle=("power cap",),
        xid=fallen,
        xid_at_ms=at("13:58:03"),
        warnings=(GpuWarning(fallen, at("13:58:03")),),
    )
    rows[5] = replace(
        rows[5],
        serves="Llama-3.1-8B",
        tok_s=Figure(3333, marks=("long",)),
        tok_per_j=Figure(5.84, marks=("est", "long")),
        usd_per_m_output=Figure(0.20, marks=("long",)),
    )
    rows[7] = replace(rows[7], mig=("1g.10gb", "1g.10gb", "3g.40gb"))
    first, second, third = SERVERS
    refused = Figure(None, "shares its GPUs: tokens per watt are told per GPU only")
    servers = (
        replace(first, tok_per_j=refused, usd_per_m_output=Figure(0.42, marks=marks)),
        replace(second, layer="router", deployment="chat", counts="shown, counted at its engines", gpus=()),
        replace(
            third,
            moves="at end",
            role="decode",
            per_token="per token",
            tpot_s=Quantiles(),
            itl_s=quantiles((0.01, 0.025), (0.025, 0.05), (0.025, 0.05)),
            slo_met=Interval(8 / 11, 9 / 11, "few requests: 8–9 of 11", n=11),
            slo_verdict="",
        ),
    )
    totals = replace(
        TOTALS,
        tok_s=Figure(12_431, marks=("long",)),
        tok_per_j=Figure(3.19, marks=("allocated", "est", "long")),
        usd_per_m_output=Figure(0.42, marks=("allocated",)),
        slo_met=Interval(8 / 11, 9 / 11, "few requests: 8–9 of 11", n=11),
        slo_verdict="",
    )
    return replace(BOX, gpus=tuple(rows), servers=servers, totals=totals)


def processors() -> Snapshot:
    """A laptop that serves on its processor, measured by RAPL."""
    scope = ("package",)
    row = gpu(
        0,
        kind="package",
        name="AMD Ryzen 9 7940HS",
        meter="RAPL",
        power_scope="package",
        serves="Qwen3-0.6B",
        tok_s=Figure(38),
        tok_per_j=Figure(1.02, marks=scope),
        power_w=Figure(37, marks=scope),
        power_limit_w=None,
        memory_used_gib=Figure(9),
        memory_total_gib=32,
        temperature_c=Figure(None, "unsupported"),
        tensor_activity=Figure(None, "not told by RAPL"),
        dram_activity=Figure(None, "not told by RAPL"),
        throttle=None,
    )
    totals = replace(
        TOTALS,
        gpus=1,
        gpus_idle=0,
        idle_since_ms=None,
        deployments=1,
        tok_s=Figure(38),
        tok_per_j=Figure(1.02, marks=scope),
        power_w=Figure(37, marks=scope),
        power_limit_w=None,
        memory_used_gib=Figure(9),
        memory_total_gib=32,
    )
    return replace(
        BOX,
        host="laptop",
        hardware="AMD Ryzen 9 7940HS",
        engines=(("llama.cpp", 1),),
        totals=totals,
        gpus=(row,),
        strip=(strip_row(0, UNKNOWN, span("serving", START, END)),),
        alerts=(),
        servers=(replace(SERVERS[2], engine="llama.cpp", gpus=(0,)),),
    )


def replaying(mode: str = "replay") -> Snapshot:
    """The same box, looked at in a stored session."""
    return replace(BOX, mode=mode, session="s1")


def down_server() -> Snapshot:
    """One server does not answer, one is another user's, one lacks a metric."""
    first, second, third = SERVERS
    return replace(
        BOX,
        servers=(
            replace(first, up=False, problem="connection refused for 42 s; is the server running?"),
            replace(second, verified=False, owner="anna"),
            replace(third, missing=(("prefix cache hits", "cached tokens count as prompt tokens"),)),
        ),
        problems=("the disk is full: nothing is being recorded",),
    )


MARKS = (
    Mark(at("11:02"), "gap", "nobody watched", length_ms=600_000),
    Mark(at("11:58:03"), "idle", "gpu 7", "unallocated", 7_500_000),
    Mark(at("12:10"), "restart", "127.0.0.1:8001"),
    Mark(at("12:31"), "price", "set by you"),
    Mark(at("12:57:40"), "alert", "gpu 4: 37 waiting, KV cache 97 %", "saturated"),
    Mark(at("13:22"), "idle", "gpu 6", "parked", 2_460_000),
    Mark(at("13:52"), "alert", "gpu 6: no request for 30 min", "parked"),
)


def windows(end_ms: int, length_ms: int) -> WindowFigures:
    """Of the box, twice as busy after 13:00."""
    busy = 2 if end_ms > at("13:00") else 1
    return WindowFigures(
        end_ms - length_ms,
        end_ms,
        coverage=1.0 if busy > 1 else 0.83,
        tok_s=Figure(6215.5 * busy),
        prompt_tok_s=Figure(24_000 * busy),
        tok_per_j=Figure(2.1 * busy**0.5),
        usd_per_m_output=Figure(0.84 / busy, marks=() if busy > 1 else ("part",)),
        usd_per_m_all=Figure(0.18 / busy),
        usd_per_hour=Figure(18.8),
        power_w=Figure(2960 * busy**0.5),
        gpus_at_work=Figure(6),
        gpus_idle=Figure(2),
        requests_s=Figure(0 if busy == 1 else 118),
        prompt_tokens=Figure(None, "no request finished") if busy == 1 else Figure(203),
        running=Figure(14.25 * busy),
        waiting=Figure(None, "not on page"),
        slo_met=Interval(0.972, 0.989),
    )


class FakeFeed:
    """A Feed over Snapshots given by hand. Remembers what the transport was told."""

    def __init__(self, snapshots: Sequence[Snapshot] = (BOX,), *, can_go_live: bool = True) -> None:
        self.can_go_live = can_go_live
        self.takes_prices = can_go_live
        self.store = Path("/nowhere/store.db")
        self.speed = 1.0
        self.span_ms: tuple[int, int] | None = (at("10:50:38"), NOW_MS)
        self.marks: tuple[Mark, ...] = ()
        self.what_if: float | None = None
        self.told: list[tuple[object, ...]] = []
        self.answers: dict[type[object], Callable[[Any], Any]] = dict(ANSWERS)
        self.refuses = ""  # why it takes no mutes
        self.closed = False
        self.clock: asyncio.Task[None] | None = None  # what sends, when something does
        self._queue: asyncio.Queue[Snapshot] = asyncio.Queue()
        for snapshot in snapshots:
            self.send(snapshot)

    def send(self, snapshot: Snapshot) -> None:
        self._queue.put_nowait(snapshot)

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        while True:
            yield await self._queue.get()

    def pause(self) -> None:
        self.told.append(("pause",))

    def play(self) -> None:
        self.told.append(("play",))

    def step(self, ticks: int) -> None:
        self.told.append(("step", ticks))

    def seek(self, at_ms: int) -> None:
        self.told.append(("seek", at_ms))

    def set_speed(self, speed: float) -> None:
        self.speed = speed
        self.told.append(("set_speed", speed))

    def go_live(self) -> None:
        self.told.append(("go_live",))

    def set_price(self, usd_per_gpu_hour: float) -> None:
        self.told.append(("set_price", usd_per_gpu_hour))

    def suppose_price(self, usd_per_gpu_hour: float | None) -> None:
        self.what_if = usd_per_gpu_hour
        self.told.append(("suppose_price", usd_per_gpu_hour))

    async def mute(self, key: str, gpus: Sequence[str], until_ms: int, reason: str) -> str:
        self.told.append(("mute", key, tuple(gpus), until_ms, reason))
        return self.refuses

    async def unmute(self, numbers: Sequence[int]) -> str:
        self.told.append(("unmute", tuple(numbers)))
        return self.refuses

    async def jump(self, kind: Kind | None, *, forward: bool) -> Mark | None:
        self.told.append(("jump", kind, forward))
        return next_mark(self.marks, NOW_MS, kind, forward=forward)

    async def window(self, end_ms: int, length_ms: int) -> WindowFigures:
        self.told.append(("window", end_ms, length_ms))
        return windows(end_ms, length_ms)

    async def ask(self, question: Question[Answer]) -> Answer:
        """The answer laid ready for this kind of question."""
        self.told.append(("ask", question))
        answer: Answer = self.answers[type(question)](question)
        return answer

    async def close(self) -> None:
        self.closed = True
