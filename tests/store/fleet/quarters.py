"""Made-up quarter hours and tallies of hosts."""

from __future__ import annotations

from tokwatch.ledger.entries import Run
from tokwatch.ledger.fleet.host_quarters import QUARTER_MS, FlowPart, GpuPart, HostQuarter
from tokwatch.ledger.fleet.report import FlowAbout, GpuAbout, ServerAbout
from tokwatch.ledger.fleet.tally import FlowTally, HostTally, TrendPoint
from tokwatch.store.fleet.frames import Frame

NOON_MS = 1_790_000_100_000 // QUARTER_MS * QUARTER_MS
RUN = Run(0, "recorded", "recorder", "boot", "0.9", "UTC", NOON_MS)
SERVERS = (ServerAbout("127.0.0.1:8000", "vllm", "qwen"), ServerAbout("127.0.0.1:8001", "vllm", "qwen"))


def quarter(
    host: str = "h1",
    *,
    start_ms: int = NOON_MS,
    length_ms: int = QUARTER_MS,
    servers: tuple[ServerAbout, ...] = SERVERS[:1],
    output: int = 6000,
    elsewhere: int = 0,
) -> HostQuarter:
    gpu = GpuPart(
        GpuAbout(0, f"GPU-{host}", "H100", 81_559),
        servers,
        state_ms={4: length_ms},
        energy_mj=500 * length_ms,
        measured_ms=length_ms,
        power_mw_ms=500_000 * length_ms,
        power_ms=length_ms,
        looks=length_ms // 5000,
    )
    counts = (2 * output, 0, output, output // 100, 0, None)
    flow = FlowPart(FlowAbout(0, "qwen", elsewhere=elsewhere), SERVERS[0], length_ms, counts, length_ms // 5000)
    return HostQuarter(host, start_ms, start_ms, start_ms + length_ms, (gpu,), (flow,))


def frame(at_ms: int, hosts: int = 2, grain_ms: int = 10_000) -> Frame:
    tallies = tuple(
        HostTally(
            f"h{number}",
            at_ms,
            grain_ms,
            gpus=8,
            states=((4, 7), (5, 1)),
            power_w=4100.5 + number,
            energy_mj=41_005_000,
            flows=(FlowTally("qwen", output_tokens=5000, running=3),),
            region="eu",
        )
        for number in range(hosts)
    )
    return Frame(at_ms, grain_ms, tallies, TrendPoint(at_ms, 1000.0, 8200.0, 2))
