"""A box that a test makes up: GPUs on the C stub, servers that show real page text, and clocks turned by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from collectors.discovery.scan import Discovery
from collectors.nvml.collector import NvmlCollector
from collectors.readings import HostReading, Probe, ServerFacts, ServerReading
from collectors.vocabularies import read_page
from tests.nvml_stub.stub import StubLibrary
from tokwatch.feeds.sources import Sources
from tokwatch.ledger.bookkeeper import Instant

_NS_PER_MS = 1_000_000


@dataclass
class TurnedClock:
    """A Clock that moves only when told. Nobody sleeps by it: a test turns the recorder tick by tick."""

    wall_ms: int
    boottime_ms: int = 0

    def now(self) -> Instant:
        return Instant(self.wall_ms, self.boottime_ms * _NS_PER_MS)

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a turned clock is never waited for")

    def advance_ms(self, length_ms: int) -> None:
        self.wall_ms += length_ms
        self.boottime_ms += length_ms


@dataclass
class Server:
    """One inference server: how fast it counts, and what its page says."""

    facts: ServerFacts
    started_at_s: float
    rate: int = 0  # output tokens a second
    page: Callable[[Server], str] = field(default=lambda server: vllm_text(server))
    problem: str = ""  # why there is no page
    tokens: int = 0
    requests: int = 0
    _left_ms: int = 0

    def pass_ms(self, length_ms: int) -> None:
        """Serve for so long: whole tokens, the rest is kept."""
        due = self.rate * length_ms + self._left_ms
        self.tokens += due // 1000
        self.requests = self.tokens // 100
        self._left_ms = due % 1000

    def restart(self, started_at_s: float) -> None:
        self.started_at_s, self.tokens, self.requests, self._left_ms = started_at_s, 0, 0, 0

    def reading(self, at_ms: int) -> ServerReading:
        at_ns = at_ms * _NS_PER_MS
        if self.problem:
            return ServerReading(self.facts, at_ns, ok=False, problem=self.problem)
        return read_page(self.page(self).encode(), self.facts, at_ns, took_ms=3)


def vllm_text(server: Server) -> str:
    """The part of vLLM's page that is read; every value as vLLM writes it."""
    label = f'engine="0",model_name="{server.facts.model}"'
    fast, slow = server.requests * 2 // 3, server.requests
    return "\n".join(
        [
            f"process_start_time_seconds {server.started_at_s}",
            f"vllm:num_requests_running{{{label}}} {float(min(server.rate, 8))}",
            f"vllm:num_requests_waiting{{{label}}} 0.0",
            f"vllm:kv_cache_usage_perc{{{label}}} {0.25 if server.rate else 0.0}",
            f"vllm:prompt_tokens_total{{{label}}} {float(server.tokens * 4)}",
            f"vllm:prompt_tokens_cached_total{{{label}}} {float(server.tokens * 3)}",
            f"vllm:generation_tokens_total{{{label}}} {float(server.tokens)}",
            f'vllm:request_success_total{{{label},finished_reason="stop"}} {float(server.requests)}',
            f'vllm:time_to_first_token_seconds_bucket{{{label},le="0.1"}} {float(fast)}',
            f'vllm:time_to_first_token_seconds_bucket{{{label},le="1.0"}} {float(slow)}',
            f'vllm:time_to_first_token_seconds_bucket{{{label},le="+Inf"}} {float(slow)}',
            f"vllm:time_to_first_token_seconds_count{{{label}}} {float(slow)}",
            f"vllm:time_to_first_token_seconds_sum{{{label}}} {fast * 0.05 + (slow - fast) * 0.4}",
            "",
        ]
    )


def llama_text(server: Server) -> str:
    """llama-server's page: no labels, no start time, output counted when a request ends."""
    finished = server.requests * 100
    return "\n".join(
        [
            f"llamacpp:prompt_tokens_total {finished * 2}",
            f"llamacpp:tokens_predicted_total {finished}",
            f"llamacpp:n_decode_total {server.tokens}",
            f"llamacpp:requests_processing {1 if server.rate else 0}",
            "llamacpp:requests_deferred 0",
            "",
        ]
    )


class Servers:
    """A ServerSource whose pages a test writes. `lag_ms`: how long before the tick each page came."""

    def __init__(self, clock: TurnedClock, servers: Mapping[str, Server]) -> None:
        self._clock = clock
        self.servers = dict(servers)
        self.lag_ms = 0
        self.closed = False

    def set_servers(self, servers: object) -> None:
        """The test decides which servers are watched."""

    def drain(self) -> tuple[ServerReading, ...]:
        at_ms = self._clock.boottime_ms - self.lag_ms
        return tuple(server.reading(at_ms) for server in self.servers.values())

    def probes(self) -> tuple[Probe, ...]:
        return tuple(
            Probe(f"server {address}", ok=not server.problem, found=server.problem or f"{server.tokens} tokens")
            for address, server in self.servers.items()
        )

    async def close(self) -> None:
        self.closed = True


class Host:
    """A HostSource: a quiet box."""

    def __init__(self, clock: TurnedClock) -> None:
        self._clock = clock

    def collect(self) -> HostReading:
        seconds = self._clock.boottime_ms / 1000
        return HostReading(
            self._clock.boottime_ms * _NS_PER_MS,
            cpu_utilization=0.125,
            memory_used_bytes=64 << 30,
            memory_total_bytes=512 << 30,
            self_cpu_s=seconds * 0.0125,
            self_rss_bytes=48 << 20,
        )


class World:
    """Everything a recorder sees of the box, on one clock."""

    def __init__(self, scenario: str, wall_ms: int, servers: Mapping[str, Server]) -> None:
        self.clock = TurnedClock(wall_ms)
        self.stub = StubLibrary(scenario)
        self.servers = Servers(self.clock, servers)

    def sources(self) -> Sources:
        """What a newly started recorder is given. `patience_s` is long: the real clock must not matter."""
        return Sources(
            NvmlCollector(self.stub.driver, now_ns=self.stub.clock, patience_s=30.0, stall_after_s=1e9),
            self.servers,
            Host(self.clock),
            scan=self._scan,
            monotonic_s=lambda: self.clock.boottime_ms / 1000,
        )

    def pass_ms(self, length_ms: int, *, read_early_ms: int = 0) -> None:
        """Let time pass; the driver is read so long before the tick that follows."""
        self.clock.advance_ms(length_ms)
        for server in self.servers.servers.values():
            server.pass_ms(length_ms)
        self.stub.set_time((self.clock.boottime_ms - read_early_ms) / 1000)

    def _scan(self) -> Discovery:
        return Discovery(tuple(server.facts for server in self.servers.servers.values()), ())
