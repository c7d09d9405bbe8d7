"""What is on the page: every family of it, out of a Statement. Counters in base units, no rates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from collectors.prometheus.dialects import AGENT_LATENCIES
from tokwatch import __version__
from tokwatch.ledger.bodies import GpuBody
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.latency_totals import LatencyTotal
from tokwatch.ledger.fleet.report import FlowReport
from tokwatch.ledger.fleet.report_of import Statement

_MIB: Final = 1 << 20

Labels = tuple[tuple[str, str], ...]
Samples = Iterable[tuple[Labels, float | None]]


@dataclass(frozen=True, slots=True)
class OwnCost:
    """What the agent's process has taken so far."""

    cpu_s: float
    rss_bytes: int


class Family(NamedTuple):
    """Series of one name."""

    name: str  # of a counter without "_total", of an info without "_info"
    kind: Literal["counter", "gauge", "info", "histogram"]
    help: str
    samples: Samples = ()
    histograms: Iterable[tuple[Labels, LatencyTotal]] = ()  # instead of samples


def families(statement: Statement, own: OwnCost) -> Iterator[Family]:
    """Those of which nothing is known have no samples."""
    yield Family("tokwatch_build", "info", "The version of tokwatch.", [((("version", __version__),), 1)])
    yield Family("tokwatch_ticks", "counter", "Ticks counted since the agent began.", [((), statement.ticks)])
    yield from _of_gpus(statement)
    yield from _of_servers(statement)
    yield from _of_flows(statement)
    yield from _of_latencies(statement)
    yield Family(
        "tokwatch_cost_dollars",
        "counter",
        "Cost of watched GPU time and its energy at the prices in force then, by part, in the label's currency.",
        [
            ((("part", part), ("currency", currency)), amount)
            for currency, parts in statement.cost
            for part, amount in parts._asdict().items()
            if amount
        ],
    )
    yield Family("process_cpu_seconds", "counter", "CPU time of this process.", [((), own.cpu_s)])
    yield Family("process_resident_memory_bytes", "gauge", "Memory of this process.", [((), own.rss_bytes)])


# --- GPUs -------------------------------------------------------------------------------------------------------------


def _of_gpus(statement: Statement) -> Iterator[Family]:
    gpus = [
        ((("gpu", str(fact.body.index)), ("uuid", fact.key), ("model_name", fact.body.name or "")), fact.body, report)
        for fact, report in zip(statement.gpus, statement.report.gpus, strict=True)
    ]
    yield Family(
        "tokwatch_gpu",
        "info",
        "What is known of a GPU.",
        [((*labels, *_facts(body)), 1) for labels, body, _ in gpus],
    )
    yield Family(
        "tokwatch_gpu_energy_joules",
        "counter",
        "Energy drawn by the board.",
        [(labels, _scaled(gpu.energy_mj, 1000)) for labels, _, gpu in gpus],
    )
    yield Family(
        "tokwatch_gpu_idle_energy_joules",
        "counter",
        "Of it, energy drawn in an idle state.",
        [(labels, _scaled(gpu.idle_energy_mj, 1000)) for labels, _, gpu in gpus],
    )
    yield Family(
        "tokwatch_gpu_power_watts",
        "gauge",
        "Board power.",
        [(labels, _scaled(gpu.power_mw, 1000)) for labels, _, gpu in gpus],
    )
    yield Family(
        "tokwatch_gpu_utilization_ratio",
        "gauge",
        "Share of time in which any kernel ran, 0 to 1.",
        [(labels, _scaled(gpu.util_permille, 1000)) for labels, _, gpu in gpus],
    )
    yield Family(
        "tokwatch_gpu_memory_used_bytes",
        "gauge",
        "Device memory in use, to the MiB.",
        [(labels, _times(gpu.memory_used_mib, _MIB)) for labels, _, gpu in gpus],
    )
    yield Family(
        "tokwatch_gpu_memory_total_bytes",
        "gauge",
        "Device memory, to the MiB.",
        [(labels, _times(body.memory_total_mib, _MIB)) for labels, body, _ in gpus],
    )
    yield Family(
        "tokwatch_gpu_temperature_celsius",
        "gauge",
        "Temperature of the GPU.",
        [(labels, gpu.temperature_c) for labels, _, gpu in gpus],
    )
    # A 0 for every state that it was in: an alert on a state sees it end, and no series is made for what never was.
    yield Family(
        "tokwatch_gpu_state",
        "gauge",
        "1 for the state that a GPU is in, 0 for those that it was in before.",
        [
            ((*labels, ("state", _state(state))), int(state == gpu.state))
            for labels, _, gpu in gpus
            for state in sorted({gpu.state, *(each for each, _ in gpu.state_ms)})
        ],
    )
    yield Family(
        "tokwatch_gpu_state_seconds",
        "counter",
        "Time that a GPU was in a state.",
        [((*labels, ("state", _state(state))), ms / 1000) for labels, _, gpu in gpus for state, ms in gpu.state_ms],
    )
    yield Family(
        "tokwatch_gpu_observed_seconds",
        "counter",
        "Time that a GPU was watched.",
        [(labels, sum(ms for _, ms in gpu.state_ms) / 1000) for labels, _, gpu in gpus],
    )


def _facts(body: GpuBody) -> Labels:
    return ("driver", body.driver or ""), ("kind", body.kind), ("meter", body.meter), ("power_scope", body.power_scope)


def _state(state: int) -> str:
    return State(state).name.lower()


# --- servers ----------------------------------------------------------------------------------------------------------


def _of_servers(statement: Statement) -> Iterator[Family]:
    servers = [
        ((("server", about.address), ("engine", about.engine), ("model", about.model)), report)
        for about, report in zip(statement.hello.servers, statement.report.servers, strict=True)
    ]
    yield Family(
        "tokwatch_server_up",
        "gauge",
        "1 where the inference server's page could be read.",
        [(labels, int(server.up)) for labels, server in servers],
    )
    yield Family(
        "tokwatch_requests_running",
        "gauge",
        "Requests that are being worked on.",
        [(labels, server.running) for labels, server in servers],
    )
    yield Family(
        "tokwatch_requests_waiting",
        "gauge",
        "Requests that wait in the server.",
        [(labels, server.waiting) for labels, server in servers],
    )
    yield Family(
        "tokwatch_kv_cache_usage_ratio",
        "gauge",
        "KV cache in use, 0 to 1.",
        [(labels, _scaled(server.kv_permyriad, 10_000)) for labels, server in servers],
    )


def _of_flows(statement: Statement) -> Iterator[Family]:
    """By server and model, over roles, tenants and tiers: their number is not ours to bound."""
    by_server: defaultdict[Labels, list[FlowReport]] = defaultdict(list)
    for about, flow in zip(statement.hello.flows, statement.counted, strict=True):
        server = statement.hello.servers[about.server]
        by_server[("server", server.address), ("engine", server.engine), ("model", about.model)].append(flow)
    once = "each counted at one server only."
    yield Family(
        "tokwatch_prompt_tokens",
        "counter",
        f"Prompt tokens, cached ones included, {once}",
        [(labels, _total(flow.prompt_tokens for flow in flows)) for labels, flows in by_server.items()],
    )
    yield Family(
        "tokwatch_cached_tokens",
        "counter",
        f"Prompt tokens that came from a cache, {once}",
        [(labels, _total(flow.cached_tokens for flow in flows)) for labels, flows in by_server.items()],
    )
    yield Family(
        "tokwatch_output_tokens",
        "counter",
        f"Tokens that were made, {once}",
        [(labels, _total(flow.output_tokens for flow in flows)) for labels, flows in by_server.items()],
    )
    yield Family(
        "tokwatch_requests",
        "counter",
        f"Requests that ended, {once}",
        [
            ((*labels, ("outcome", outcome)), _total(getattr(flow, outcome) for flow in flows))
            for labels, flows in by_server.items()
            for outcome in ("finished", "failed", "aborted")
        ],
    )


_LATENCY_HELP: Final = {
    "ttft": "Time from a request to its first token",
    "tpot": "Time per output token after the first, the mean of a request",
    "itl": "Time between two tokens, or steps of the engine",
    "e2e": "Time from a request to its end",
}


def _of_latencies(statement: Statement) -> Iterator[Family]:
    """By server and model, in the buckets that the engine has."""
    servers = statement.hello.servers
    for latency, name in AGENT_LATENCIES.items():
        yield Family(
            name,
            "histogram",
            f"{_LATENCY_HELP[latency]}, as its engine tells it, each request at one server only.",
            histograms=[
                (
                    (
                        ("server", servers[about.server].address),
                        ("engine", servers[about.server].engine),
                        ("model", about.model),
                    ),
                    total,
                )
                for about, total in statement.latencies
                if about.name == latency
            ],
        )


def _scaled(value: int | None, scale: int) -> float | None:
    return None if value is None else value / scale


def _times(value: int | None, factor: int) -> int | None:
    return None if value is None else value * factor


def _total(counts: Iterable[int | None]) -> int | None:
    """Of what is known; None when nothing is."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
