"""Boxes behind the stand-in for ssh, and waiting for what their tally says."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil
import pytest

from tests.feeds.fleet.ssh_program import Acts
from tokwatch.feeds.clock import SystemClock
from tokwatch.feeds.fleet.ssh import SshSource
from tokwatch.feeds.fleet.ssh_box import Patience
from tokwatch.feeds.fleet.ssh_hosts import SshHost
from tokwatch.ledger.fleet.report import FlowAbout, GpuAbout, Hello, ServerAbout
from tokwatch.ledger.fleet.tally import FleetTally, HostTally

QUICK = Patience(end_s=0.5, steady_s=0.0)
PROGRAM = Path(__file__).parent / "ssh_program.py"


def hello(host: str, gpus: int = 2, *, protocol: int = 1, version: str = "0.9", simulated: bool = False) -> str:
    """The first line of an agent."""
    said = Hello(
        tokwatch=protocol,
        version=version,
        host=host,
        run=f"run of {host}",
        started_ms=0,
        interval_s=0.02,
        gpus=tuple(GpuAbout(number, f"GPU-{host}-{number}", "NVIDIA H100", 81_559) for number in range(gpus)),
        servers=(ServerAbout("127.0.0.1:8000", "vllm", "qwen"),),
        flows=(FlowAbout(0, "qwen"),),
        simulated=simulated,
    )
    return msgspec.json.encode(said).decode() + "\n"


@dataclass(frozen=True, slots=True)
class Called:
    """One run of the stand-in."""

    argv: tuple[str, ...]
    pid: int


@dataclass(frozen=True, slots=True)
class Boxes:
    """Hosts whose acts are in a directory."""

    directory: Path

    @property
    def ssh(self) -> tuple[str, ...]:
        return (sys.executable, "-IS", str(PROGRAM), str(self.directory))

    def act(self, host: str, acts: Acts) -> None:
        (self.directory / f"{host}.json").write_text(json.dumps(acts))

    def calls(self) -> list[Called]:
        file = self.directory / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [Called(tuple(call["argv"]), call["pid"]) for call in map(json.loads, lines)]

    def source(self, hosts: Sequence[str], clock: Waiting | None = None, patience: Patience = QUICK) -> SshSource:
        return SshSource([SshHost(name) for name in hosts], ssh=self.ssh, clock=clock, patience=patience, share=_half)


class Waiting(SystemClock):
    """Its sleeps are written down, and end when they are told to."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self._go_on = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self._go_on.wait()
        self._go_on.clear()

    def go_on(self) -> None:
        self._go_on.set()


async def tally_when(source: SshSource, holds: Callable[[FleetTally], bool], within_s: float = 20.0) -> FleetTally:
    """The first tally for which something holds. Fails the test with what was said last."""
    tally = await source.now()
    try:
        async with asyncio.timeout(within_s):
            while not holds(tally):
                await asyncio.sleep(0.02)
                tally = await source.now()
    except TimeoutError:
        pytest.fail("\n".join(f"{host.host}: {host.problem}" for host in tally.hosts))
    return tally


def host_of(tally: FleetTally, name: str) -> HostTally:
    return next(host for host in tally.hosts if host.host == name)


def has_problem(name: str) -> Callable[[FleetTally], bool]:
    """Whether a host's first call has come to an end."""
    return lambda tally: not host_of(tally, name).problem.endswith("is being called") and not host_of(tally, name).up


def is_running(pid: int) -> bool:
    """A zombie is not: where process 1 is no init, nobody takes it away."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _half() -> float:
    """No chance: pauses are as long as they are said to be."""
    return 0.5
