"""The lines between versions: fields that were added are no other protocol, to readers of before and of now."""

from __future__ import annotations

import msgspec

from tests.ledger.fleet.reports import hello, report
from tokwatch.ledger.fleet.report import FlowAbout, GpuAbout, Hello, LatencyAbout, LatencyReport, Report, ServerAbout

LATENCIES = (LatencyAbout(0, "qwen", "ttft", (0.1, 0.5)),)
TOLD = (LatencyReport((1, 2, 3), 456),)


class HelloOfBefore(msgspec.Struct, frozen=True):
    """Without latencies."""

    tokwatch: int
    version: str
    host: str
    run: str
    started_ms: int
    interval_s: float
    gpus: tuple[GpuAbout, ...] = ()
    servers: tuple[ServerAbout, ...] = ()
    flows: tuple[FlowAbout, ...] = ()
    simulated: bool = False
    problems: tuple[str, ...] = ()


class ReportOfBefore(msgspec.Struct, frozen=True, array_like=True):
    """Likewise."""

    wall_ms: int
    watched_ms: int
    gpus: tuple[object, ...] = ()
    servers: tuple[object, ...] = ()
    flows: tuple[object, ...] = ()
    host_energy_mj: int | None = None
    self_cpu_ms: int | None = None


def test_a_reader_of_before_reads_what_it_knows() -> None:
    now = msgspec.structs.replace(hello(), latencies=LATENCIES)
    read = msgspec.json.decode(msgspec.json.encode(now), type=HelloOfBefore)
    assert (read.host, read.flows) == ("box", now.flows)
    line = msgspec.json.encode(msgspec.structs.replace(report(5, output=70), latencies=TOLD))
    assert msgspec.json.decode(line, type=ReportOfBefore).watched_ms == 5000


def test_what_an_agent_of_before_does_not_tell_is_not_there() -> None:
    before = HelloOfBefore(1, "0.9", "box", "one", 0, 1.0)
    assert msgspec.json.decode(msgspec.json.encode(before), type=Hello).latencies == ()
    assert msgspec.json.decode(b"[1000,2000,[],[],[],null,7]", type=Report).latencies == ()


def test_latencies_survive_the_wire() -> None:
    told = msgspec.structs.replace(report(5), latencies=TOLD)
    assert msgspec.json.decode(msgspec.json.encode(told), type=Report) == told
    said = msgspec.structs.replace(hello(), latencies=LATENCIES)
    assert msgspec.json.decode(msgspec.json.encode(said), type=Hello) == said
