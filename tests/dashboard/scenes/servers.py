"""Servers of the box under their deployments, with what can be wrong with a server."""

from __future__ import annotations

from msgspec.structs import replace

from tests.dashboard.snapshots import BOX, GPUS, SERVERS, deployment, quantiles, server
from tokwatch.ledger.money.shapes import TokenCosts
from tokwatch.ledger.snapshot import Figure, Interval, Quantiles, Snapshot

QWEN = replace(
    SERVERS[0],
    facts=(("tensor parallel", "4"), ("precision", "fp8"), ("prefix caching", "on")),
    e2e_s=quantiles((2.5, 5), (10, 15), (15, 20)),
    queue_s=quantiles((0, 0.3), (0, 0.3), (0.3, 0.5)),
)
GPT_OSS = replace(
    SERVERS[1],
    tok_s=Figure(2894),
    prompt_tok_s=Figure(11_400),
    cached_tok_s=Figure(1200),
    running=256,
    waiting=37,
    kv_usage=Figure(0.97),
    ttft_p95_s=Interval(2.5, 5.0),
    ttft_s=quantiles((0.75, 1), (2.5, 5), (5, None)),
    tpot_p95_s=Interval(None, None, "not on page"),
    tpot_s=Quantiles(),
    itl_s=quantiles((0.025, 0.05), (0.05, 0.075), (0.075, 0.1)),
    per_token="per token",
    slo_met=Interval(0.884, 0.912, n=1400),
    usd_per_m_output=Figure(0.23),
    tok_per_j=Figure(4.17),
    facts=(("precision", "mxfp4"), ("experts", "128, 4 active"), ("expert parallel", "1"), ("speculation", "EAGLE-3")),
)
LLAMA = replace(
    SERVERS[2],
    tok_s=Figure(3333),
    usd_per_m_output=Figure(0.39),
    tok_per_j=Figure(4.77),
    slo_met=Interval(0.998, 1.0, n=3100),
    slo_verdict="met",
)
ROUTER = replace(
    server(5, "127.0.0.1:9000", "sglang-router", "openai/gpt-oss-120b", ()),
    layer="router",
    tok_s=Figure(2894),
    counts="shown, counted at its engines",
    kv_usage=Figure(None, "not on page"),
    usd_per_m_output=Figure(None, "placed on no GPU"),
    tok_per_j=Figure(None, "placed on no GPU"),
    slo_met=Interval(None, None, "its page tells no latencies"),
    slo_verdict="",
)
DOWN = replace(
    server(6, "127.0.0.1:8002", "vllm", "Qwen/Qwen3-32B", ()),
    up=False,
    problem="connection refused for 42 s; is the server running?",
)
ANNAS = replace(server(7, "127.0.0.1:8003", "vllm", "google/gemma-3-27b-it", ()), verified=False, owner="anna")

SERVING: Snapshot = replace(
    BOX,
    servers=(QWEN, LLAMA, GPT_OSS),
    deployments=(
        deployment("Qwen3-32B", (QWEN,), 6204, 0.42),
        deployment("gpt-oss-120b", (GPT_OSS,), 2894, 0.23),
        deployment("Llama-3.1-8B", (LLAMA,), 3333, 0.39),
    ),
)
AILING: Snapshot = replace(SERVING, servers=(*SERVING.servers, DOWN, ANNAS, ROUTER))

_PREFILL = replace(
    QWEN, role="prefill", gpus=(0, 1), counts="prompt here, output at the decode servers", deployment="chat"
)
_DECODE = replace(
    QWEN,
    entity=8,
    address="127.0.0.1:8010",
    role="decode",
    gpus=(2, 3),
    counts="output here, prompt at the prefill servers",
    deployment="chat",
)
_CHAT = deployment("chat", (_PREFILL, _DECODE), 6204, 0.42)
DISAGGREGATED: Snapshot = replace(
    BOX,
    gpus=tuple(replace(row, servers=(8,)) if row.index in (2, 3) else row for row in GPUS),
    servers=(_PREFILL, _DECODE),
    deployments=(
        replace(
            _CHAT,
            economy=replace(
                _CHAT.economy,
                tokens=TokenCosts(output_only=Figure(0.42), prefill=Figure(0.07), decode=Figure(0.21)),
            ),
        ),
    ),
)


def many_servers(deployments: int, servers: int) -> Snapshot:
    """Deployments of so many servers each."""
    rows = [
        [
            replace(QWEN, entity=100 + servers * group + number, address=f"10.0.{group}.{number}:8000", gpus=(number,))
            for number in range(servers)
        ]
        for group in range(deployments)
    ]
    return replace(
        BOX,
        servers=tuple(row for group in rows for row in group),
        deployments=tuple(
            deployment(f"model-{number}", tuple(group), 6204 * servers, 0.42) for number, group in enumerate(rows)
        ),
    )
