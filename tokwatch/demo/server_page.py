"""What a simulated server shows of itself at an instant: its metrics page, and what a scan of the box finds of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from collectors.readings import ServerFacts
from tokwatch.demo.engine_pages import llama_cpp_page, vllm_page
from tokwatch.demo.simulated_server import Life, SimulatedServer


@dataclass(frozen=True, slots=True)
class MetricsPage:
    """What a GET of /metrics gives."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def page_of(server: SimulatedServer, t_s: float, booted_wall_s: float) -> MetricsPage | None:
    """The page at a second of the scenario; None while the server is not up. booted_wall_s: second 0, Unix seconds."""
    life = server.life_at(t_s)
    if life is None or t_s < life.up_s:
        return None
    counters = server.load.at(t_s, life.from_s)
    if server.engine == "llama.cpp":
        # Microseconds since boot, whatever the name says: as in the real one.
        return MetricsPage(llama_cpp_page(counters), {"Process-Start-Time-Unix": str(round(life.from_s * 1e6))})
    return MetricsPage(vllm_page(server.model, counters, booted_wall_s + life.from_s))


def facts_of(server: SimulatedServer, life: Life, address: str, booted_wall_s: float) -> ServerFacts:
    """What a scan finds of its process group."""
    return ServerFacts(
        address=address,
        engine=server.engine,
        metrics_url=f"http://{address}/metrics",
        pid=life.pids[0],
        pids=life.pids,
        owner="inference",
        started_at_s=booted_wall_s + life.from_s,
        model=server.model,
        tensor_parallel=len(server.gpus) if len(server.gpus) > 1 else None,
        precision=server.precision,
        role=server.role,
        deployment=server.deployment,
    )
