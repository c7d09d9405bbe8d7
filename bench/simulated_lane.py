"""What a simulated host's agent says on its lane: the same figures as on its pages, as tokwatch's own lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.report import (
    PROTOCOL,
    FlowAbout,
    FlowReport,
    GpuAbout,
    GpuReport,
    Hello,
    Report,
    ServerAbout,
    ServerReport,
)  # fmt: skip

if TYPE_CHECKING:
    from bench.simulated_fleet import Host

GPUS: Final = 8
_STATES: Final = {
    "serving": State.SERVING, "parked": State.PARKED, "free": State.UNALLOCATED, "other": State.OTHER_WORK,
}  # fmt: skip


def hello_line(host: Host, epoch_s: int) -> bytes:
    """Who speaks; counters began at `epoch_s`."""
    return _line(
        Hello(
            PROTOCOL,
            "0.1.0",
            host.name,
            f"{host.name}@{epoch_s}",
            epoch_s * 1000,
            1.0,
            tuple(GpuAbout(gpu, host.uuid(gpu), "NVIDIA H100 80GB HBM3", 81_920, 700.0) for gpu in range(GPUS)),
            (ServerAbout("127.0.0.1:8000", "vllm", host.model),) if host.has_server else (),
            (FlowAbout(0, host.model),) if host.has_server else (),
        )
    )


def report_line(host: Host, epoch_s: int, at_s: float) -> bytes:
    """How its counters stand; `at_s` since `epoch_s`."""
    at_ms, state, is_idle = round(at_s * 1000), _STATES[host.does], host.does in ("parked", "free")
    gpus = []
    for gpu in range(GPUS):
        energy_mj, busy = host.energy_mj(gpu, at_s), host.utilization(gpu, at_s)
        power_mw = round(1000 * host.power_w(gpu, at_s))
        idle_mj = energy_mj if is_idle else 0
        gpus.append(
            GpuReport(
                state.value,
                energy_mj,
                at_ms,
                power_mw,
                10 * busy,
                host.memory_mib(),
                34 + busy // 3,
                (0,) if host.has_server else (),
                ((state.value, at_ms),),
                idle_mj,
            )
        )
    done, running = host.requests(at_s), host.running(at_s)
    servers = (ServerReport(True, running, host.waiting(at_s), min(9900, running * 10_000 // 60)),)
    flows = (FlowReport(at_ms, done * 700, done * 200, done * 250, done, 0, 0),)
    return _line(
        Report(
            epoch_s * 1000 + at_ms,
            at_ms,
            tuple(gpus),
            servers if host.has_server else (),
            flows if host.has_server else (),
        )
    )


def _line(said: msgspec.Struct) -> bytes:
    return msgspec.json.encode(said) + b"\n"
