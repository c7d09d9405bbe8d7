"""What attacks do to `tokwatch agent --listen`: who is refused, its memory, and how late the ticks it records come.

Run it from a checkout with the dev extra installed and a C compiler:

    python bench/agent_attack.py [--seconds 10] [--rounds 2]

An agent with TLS and a token records 8 GPUs of the tests' NVML stub and two vLLM pages, five times a second; each
attack goes on for so long from another process. A well-behaved reader holds the push lane all the while, and a scraper
asks for the page once a second, over connections of their own from another address.

answers   what came of the attempts: a status; "closed": the connection was ended without one
RSS       of the agent in MB of 2^20 bytes, the highest seen during the attack
ticks     recorded during it; p99 and max: how much more than the interval two of them are apart, in ms
CPU       of the agent, share of one core
reader    reports that came over the lane, and pages that the scraper got
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.stub_box import StubBox, stub_box  # noqa: E402
from tokwatch.store.reader import Reader  # noqa: E402

INTERVAL_S = 0.2
TOKEN = "correct-horse-battery-staple"
AUTH = f"Authorization: Bearer {TOKEN}\r\n"
CERT = ROOT / "tests" / "collectors" / "tls" / "server.pem"
TRUST = ssl.create_default_context(cafile=str(CERT))
TRUST.check_hostname = False
_ENDS = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError)


@dataclass
class Attack:
    """One kind: what `once` does again and again, `at_once` times in parallel."""

    name: str
    once: Callable[[int, Counter[str]], Awaitable[None]]
    at_once: int = 8
    answers: Counter[str] = field(default_factory=Counter)


async def connected(
    port: int, *, tls: bool = True, own: str = "127.0.0.2"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = TRUST if tls else None
    return await asyncio.open_connection("127.0.0.1", port, ssl=context, limit=1 << 16, local_addr=(own, 0))


def asking(
    *, auth: str = AUTH, host: str = "localhost", first: str = "GET /metrics HTTP/1.1", more: str = "", body: int = 0
) -> Callable[[int, Counter[str]], Awaitable[None]]:
    """One connection, one request, and the status that comes."""

    async def once(port: int, answers: Counter[str]) -> None:
        reader, writer = await connected(port)
        try:
            writer.write(f"{first}\r\nHost: {host}\r\n{auth}{more}\r\n".encode())
            with suppress(*_ENDS):
                for _ in range(body // 65536):
                    writer.write(bytes(65536))
                    await writer.drain()
            answers[(await reader.readuntil(b"\r\n"))[9:12].decode()] += 1
        finally:
            writer.transport.abort()

    return once


async def slow_head(port: int, answers: Counter[str]) -> None:
    reader, writer = await connected(port)
    ended = asyncio.ensure_future(reader.read())
    writer.write(b"GET /metrics HTTP/1.1\r\nX-Slow: ")
    began_s = time.monotonic()
    while not ended.done():
        writer.write(b"a")
        await asyncio.wait({ended}, timeout=0.2)
    writer.transport.abort()
    answers[f"closed after {time.monotonic() - began_s:.0f} s"] += 1
    ended.exception()


async def held(port: int, answers: Counter[str]) -> None:
    """A connection that is kept for as long as the server lets it, and says nothing."""
    reader, writer = await connected(port, tls=False)
    try:
        await reader.read(1)
        raise ConnectionResetError
    finally:
        writer.transport.abort()


async def no_tls(port: int, answers: Counter[str]) -> None:
    reader, writer = await connected(port, tls=False)
    try:
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if not await reader.read(100):
            raise ConnectionResetError
        answers["answered by TLS alone"] += 1
    finally:
        writer.transport.abort()


async def pipelined(port: int, answers: Counter[str]) -> None:
    reader, writer = await connected(port)
    try:
        writer.write(f"GET /metrics HTTP/1.1\r\nHost: localhost\r\n{AUTH}\r\n".encode() * 200)
        found = 0
        while found < 200 and (data := await reader.read(1 << 16)):
            found += data.count(b"HTTP/1.1 200")
        answers["200"] += found
    finally:
        writer.transport.abort()


def never_reading(path: str, times: int) -> Callable[[int, Counter[str]], Awaitable[None]]:
    async def once(port: int, answers: Counter[str]) -> None:
        reader, writer = await connected(port)
        try:
            writer.transport.pause_reading()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{AUTH}\r\n".encode() * times)
            await asyncio.sleep(12)
            writer.transport.resume_reading()
            with suppress(*_ENDS):
                while await reader.read(1 << 16):
                    continue
            answers["closed, unread"] += 1
        finally:
            writer.transport.abort()

    return once


async def nothing(port: int, answers: Counter[str]) -> None:
    await asyncio.sleep(0.5)


ATTACKS = (
    Attack("none", nothing, 1),
    Attack("no token", asking(auth="")),
    Attack("wrong token", asking(auth="Authorization: Bearer wrong-horse-battery-staple\r\n")),
    Attack("foreign Host", asking(host="evil.example")),
    Attack("slow-loris, 64 heads a byte at a time", slow_head, 64),
    Attack("1000 connections at once, held", held, 1000),
    Attack("request line of 1 MB", asking(first=f"GET /{'a' * (1 << 20)} HTTP/1.1")),
    Attack("headers of 1 MB", asking(more="X-Much: yes\r\n" * 80_000)),
    Attack(
        "body of 256 MB", asking(first="POST /metrics HTTP/1.1", more="Content-Length: 268435456\r\n", body=1 << 28)
    ),
    Attack("200 requests pipelined, over and over", pipelined, 12),
    Attack("no TLS", no_tls),
    Attack("pages that nobody reads", never_reading("/metrics", 500), 12),
    Attack("lanes that nobody reads", never_reading("/report", 1), 12),
)


class Agent:
    """The process that is attacked."""

    def __init__(self, box: StubBox) -> None:
        config = box.folder / "config.toml"
        config.write_text(f"interval_s = {INTERVAL_S}\n{config.read_text()}")
        token, cert = box.folder / "token", box.folder / "cert.pem"
        token.write_text(TOKEN)
        shutil.copy(CERT, cert)
        for secret in (token, cert):
            secret.chmod(0o600)
        words = ("agent", "--listen", "127.0.0.1:0", "--token-file", token, "--cert", cert, "--key", cert)
        self.process = subprocess.Popen(
            box.tokwatch(*words), env=box.environment, stderr=subprocess.PIPE, text=True, cwd=box.folder
        )
        assert self.process.stderr is not None
        found = next(found for line in self.process.stderr if (found := re.search(r"https://127.0.0.1:(\d+)", line)))
        self.port = int(found[1])

    def rss_mb(self) -> float:
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class GoodReaders:
    """The readers that must not notice anything: a lane, and a scraper once a second."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.reports = self.pages = self.refused = 0

    async def lane(self) -> None:
        reader, writer = await connected(self._port, own="127.0.0.1")
        writer.write(f"GET /report HTTP/1.1\r\nHost: localhost\r\n{AUTH}\r\n".encode())
        while line := await reader.readline():
            self.reports += line.startswith(b"[")

    async def scraper(self) -> None:
        reader, writer = await connected(self._port, own="127.0.0.1")
        while True:
            writer.write(f"GET /metrics HTTP/1.1\r\nHost: localhost\r\n{AUTH}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"Content-Length: (\d+)", head)
            assert found is not None
            await reader.readexactly(int(found[1]))
            self.pages += head.startswith(b"HTTP/1.1 200")
            await asyncio.sleep(1)


async def attacked(attack: Attack, agent: Agent, seconds: float) -> float:
    """The highest RSS in MB."""
    until_s = time.monotonic() + seconds

    async def again() -> None:
        while time.monotonic() < until_s:
            try:
                async with asyncio.timeout(max(until_s - time.monotonic(), 0.1) + 20):
                    await attack.once(agent.port, attack.answers)
            except _ENDS:
                attack.answers["closed"] += 1
                await asyncio.sleep(0.001)

    tasks = [asyncio.create_task(again()) for _ in range(attack.at_once)]
    highest = 0.0
    while time.monotonic() < until_s:
        highest = max(highest, agent.rss_mb())
        await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return highest


def lateness_ms(store: Path, from_ns: int, to_ns: int) -> tuple[int, float, float]:
    """Ticks between two instants, and how much more than the interval they are apart: p99 and longest, in ms."""
    with Reader(store) as reader:
        ticks = [record.tick.boottime_ns for record in reader.records(None, 0, 2**62)]
    late = [
        max(0.0, (at_ns - before_ns) / 1e6 - INTERVAL_S * 1000)
        for before_ns, at_ns in pairwise(ticks)
        if from_ns < at_ns <= to_ns
    ]
    late.sort()
    return len(late), late[int(len(late) * 0.99)], late[-1]


async def run(seconds: float, rounds: int) -> None:
    with stub_box() as box:
        agent = Agent(box)
        try:
            await asyncio.sleep(5)
            readers = GoodReaders(agent.port)
            reading = [asyncio.create_task(readers.lane()), asyncio.create_task(readers.scraper())]
            await asyncio.sleep(2)
            columns = f"{'RSS':>6} {'ticks':>6} {'p99':>6} {'max':>6} {'CPU':>6} {'lane':>5} {'pages':>5}"
            print(f"{'attack':<38} {columns}  answers")
            for attack in ATTACKS * rounds:
                attack.answers.clear()
                reports, pages, cpu_s = readers.reports, readers.pages, agent.cpu_s()
                from_ns, began_s = time.clock_gettime_ns(time.CLOCK_BOOTTIME), time.monotonic()
                highest = await attacked(attack, agent, seconds)
                to_ns, took_s = time.clock_gettime_ns(time.CLOCK_BOOTTIME), time.monotonic() - began_s
                cpu = (agent.cpu_s() - cpu_s) / took_s
                await asyncio.sleep(1.5)  # the last ticks reach the disk, the last seats are given back
                ticks, p99, longest = lateness_ms(box.store, from_ns, to_ns)
                told = ", ".join(f"{answer} ×{count}" for answer, count in attack.answers.most_common(4))
                print(
                    f"{attack.name:<38} {highest:6.1f} {ticks:6} {p99:6.1f} {longest:6.1f} {cpu:6.1%} "
                    f"{readers.reports - reports:5} {readers.pages - pages:5}  {told}",
                    flush=True,
                )
            await asyncio.sleep(5)
            print(f"{'afterwards':<38} {agent.rss_mb():6.1f}")
            for task in reading:
                if task.done():
                    print("a reader was dropped:", task.exception())
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
        finally:
            agent.process.send_signal(signal.SIGTERM)
            try:
                agent.process.wait(20)
            finally:
                agent.process.kill()


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it tells of every connection that is closed under a write
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument(
        "--rounds", type=int, default=2, help="of all attacks, on one agent: what memory does the second time"
    )
    options = parser.parse_args()
    asyncio.run(run(options.seconds, options.rounds))
