"""One box over ssh: called, listened to, watched, and called again with growing pauses."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from tokwatch.feeds.clock import Clock
from tokwatch.feeds.fleet import ssh_words
from tokwatch.feeds.fleet.agent_lines import MAX_LINE_BYTES, AgentLines, Noise, NotSpoken, WrongProtocol
from tokwatch.feeds.fleet.ssh_hosts import SshHost
from tokwatch.feeds.fleet.ssh_process import AGENT, AGENT_OF_A_USER, SshProcess, agent_argv
from tokwatch.feeds.fleet.ssh_words import SshFailure
from tokwatch.ledger.fleet.meter import FleetMeter
from tokwatch.ledger.fleet.report import Hello, Report
from tokwatch.ledger.fleet.tally import SourceNote

SILENT_INTERVALS: Final = 5  # without a line, after which ssh is started again
_MAX_IDLE_BYTES: Final = 2 * MAX_LINE_BYTES
_BREATH_S: Final = 0.1  # from read to read: who sends more waits for us, and we are not kept busy by it


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take, seconds."""

    hello_s: float = 30.0  # from the start of ssh: a jump host, a cold Python and NVML
    least_silence_s: float = 5.0
    end_s: float = 1.0  # before an ssh that was asked to end is killed
    steady_s: float = 30.0  # of reports, after which an end is no longer one of a row of failures


class SshBox:
    """Keeps an agent on one box running for as long as `run` is."""

    def __init__(
        self,
        host: SshHost,
        meter: FleetMeter,
        calling: asyncio.Semaphore,
        clock: Clock,
        *,
        ssh: Sequence[str],
        patience: Patience,
        share: Callable[[], float] = random.random,
    ) -> None:
        """calling: how many boxes are being called at once. share: of a pause that is chance, 0..1."""
        self.host = host
        self.hello: Hello | None = None  # its newest
        self.bytes = 0  # heard of it
        self._meter = meter
        self._calling = calling
        self._clock = clock
        self._ssh = ssh
        self._patience = patience
        self._share = share
        self._command = AGENT
        self._problem = f"{host.name} is being called"
        self._failures = 0  # in a row
        self._again_ns: int | None = None  # when it is called again
        self._reports = 0  # of this call
        self._steady_ns = 0  # when this call is no failure any more
        self._unread = 0
        self._unread_problem = ""

    @property
    def program(self) -> str:
        """What its tokwatch is called there."""
        return self._command[0]

    @property
    def is_settled(self) -> bool:
        """Whether there is something to show: rates, or why there are none."""
        return self._failures > 0 or self._reports > 2  # energy has a beginning from the second report on

    async def run(self) -> None:
        """Until cancelled; its ssh has ended then."""
        self._meter.failed(self.host.name, self._problem, self._clock.now().wall_ms)
        while True:
            failure = await self._call()
            if failure.not_found and self._command == AGENT:
                self._command = AGENT_OF_A_USER
                continue
            if failure.not_found:
                self._command = AGENT
            now = self._clock.now()
            is_steady = self._reports > 0 and now.boottime_ns >= self._steady_ns
            self._failures = 1 if is_steady else self._failures + 1
            self._problem = failure.words
            self._meter.failed(self.host.name, failure.words, now.wall_ms)
            pause_s = ssh_words.retry_s(self._failures, self._share(), lasts=failure.lasts)
            self._again_ns = now.boottime_ns + round(pause_s * 1e9)
            await self._clock.sleep(pause_s)
            self._again_ns = None

    def note(self) -> SourceNote:
        """What is known of it, for the screen of sources."""
        hints: list[str] = []
        found, hello = self._problem, self.hello
        if self._again_ns is not None:
            hints.append(f"called again in {max(0, self._again_ns - self._clock.now().boottime_ns) / 1e9:.0f} s")
        elif self._failures and found:
            hints.append("being called again")
        elif hello is not None:
            found = f"tokwatch {hello.version}: {_counted(hello.gpus, 'GPU')}, {_counted(hello.servers, 'server')}"
            hints.extend(hello.problems)
        if self._unread:
            hints.append(f"{self._unread} of its lines could not be read: {self._unread_problem}")
        return SourceNote(self.host.name, not self._problem, found, " · ".join(hints))

    # --- one call -------------------------------------------------------------------------------------------------

    async def _call(self) -> SshFailure:
        """One ssh from its start to its end."""
        self._reports = 0
        async with AsyncExitStack() as calling:
            await calling.enter_async_context(self._calling)
            try:
                process = await SshProcess.start(agent_argv(self._ssh, self.host.name, self._command))
            except OSError as error:
                return ssh_words.cannot_start(self._ssh[0], error)
            try:
                return await self._listen(process, calling)
            finally:
                await process.end(self._patience.end_s)

    async def _listen(self, process: SshProcess, calling: AsyncExitStack) -> SshFailure:
        """Take what it says until it ends or must be ended; `calling` is over with its first word."""
        name, lines = self.host.name, AgentLines()
        wait_s = self._patience.hello_s
        try:
            while True:
                async with asyncio.timeout(wait_s):
                    said = await self._next(process, lines)
                if not said:
                    break
                await calling.aclose()
                for one in said:
                    self._take(one)
                self._unread, self._unread_problem = lines.unread, lines.problem
                wait_s = self._silence_s()
                await asyncio.sleep(_BREATH_S)
        except TimeoutError:
            if lines.is_greeted:
                return ssh_words.silent(name, wait_s)
            return ssh_words.no_hello(name, wait_s, process.stderr, lines.noise)
        except WrongProtocol as error:
            return ssh_words.wrong_protocol(name, error.protocol, error.version)
        except Noise as error:
            return ssh_words.noise(name, str(error))
        except NotSpoken as error:
            return ssh_words.unusable(name, str(error))
        status = await process.status(self._patience.end_s)
        return ssh_words.ended(name, status, process.stderr, was_heard=lines.is_greeted)

    async def _next(self, process: SshProcess, lines: AgentLines) -> list[Hello | Report]:
        """What it says next, at least one thing; nothing at its end. Raises NotSpoken."""
        idle_bytes = 0
        while data := await process.read():
            self.bytes += len(data)
            if said := lines.feed(data):
                return said
            idle_bytes += len(data)
            if idle_bytes > _MAX_IDLE_BYTES:
                raise NotSpoken(f"more than {_MAX_IDLE_BYTES >> 20} MB without a report")
        return []

    def _take(self, said: Hello | Report) -> None:
        host, now = self.host, self._clock.now()
        try:
            if isinstance(said, Hello):
                self._meter.hello(host.name, said, now.wall_ms, region=host.region, cluster=host.cluster)
                self.hello = said
                return
            self._meter.report(host.name, said, now.wall_ms)
        except ValueError as error:  # it contradicts what it said before
            raise NotSpoken(str(error)) from error
        self._reports += 1
        if self._reports == 1:
            self._problem = ""
            self._steady_ns = now.boottime_ns + round(self._patience.steady_s * 1e9)

    def _silence_s(self) -> float:
        interval_s = self.hello.interval_s if self.hello is not None else 1.0
        return max(self._patience.least_silence_s, SILENT_INTERVALS * interval_s)


def _counted(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
