"""Hosts that are read by their agents' lanes: one task a host, which opens its lane anew whenever it ends."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from collectors.credential import Credential, Origin
from tokwatch.feeds.clock import Clock
from tokwatch.feeds.fleet.direct_host import Ledger
from tokwatch.feeds.fleet.lane import LEAST_SILENCE_S, Lane, LaneError, trusting
from tokwatch.feeds.fleet.ssh_words import retry_s
from tokwatch.ledger.fleet.report import Hello

MOST_OPENED_S: Final = 100  # lanes a second: a TLS handshake takes milliseconds of the event loop
STEADY_S: Final = 30.0  # of reports, after which an end is no longer one of a row of failures
_BREATH_S: Final = 0.1  # from read to read, at the least: who sends more waits, and we are not kept busy by it


def is_lane(url: str) -> bool:
    """Whether a target is an agent's lane; a proxy may have put something before its path."""
    return urlsplit(url).path.endswith("/report")


class Opening:
    """What all lanes of one recorder are opened with: log-ins, a TLS context for each CA, and one after another."""

    def __init__(
        self,
        credentials: Collection[Credential],
        clock: Clock,
        *,
        least_silence_s: float = LEAST_SILENCE_S,
        share: Callable[[], float] = random.random,
    ) -> None:
        """share: of a pause that is chance, 0..1."""
        self.clock = clock
        self.share = share
        self._credentials = {credential.origin: credential for credential in credentials}
        self._contexts: dict[Path | None, ssl.SSLContext] = {}
        self._least_silence_s = least_silence_s
        self._next_ns = 0  # when the next one may be opened, CLOCK_BOOTTIME

    async def open(self, url: str) -> Lane:
        """Its turn may be a while. Raises LaneError."""
        now_ns = self.clock.now().boottime_ns
        turn_ns = max(now_ns, self._next_ns)
        self._next_ns = turn_ns + 1_000_000_000 // MOST_OPENED_S
        if turn_ns > now_ns:
            await self.clock.sleep((turn_ns - now_ns) / 1e9)
        origin = Origin.of(url)
        credential = self._credentials.get(origin)
        context = self._context(credential.ca_file if credential else None) if origin.scheme == "https" else None
        return await Lane.open(url, credential, context, least_silence_s=self._least_silence_s)

    def _context(self, ca_file: Path | None) -> ssl.SSLContext:
        if ca_file not in self._contexts:
            self._contexts[ca_file] = trusting(ca_file)
        return self._contexts[ca_file]


class LaneHost:
    """Tells what its agent says to whoever takes it, from `start` to `close`."""

    def __init__(self, name: str, url: str, opening: Opening, ledger: Ledger) -> None:
        """Raises ValueError for a URL that cannot be read."""
        Origin.of(url)
        self.name = name
        self.url = url
        self.is_connected = False  # and has said how its counters stand
        self.problem = ""  # why it is not, once that is known
        self.reports = 0
        self._opening = opening
        self._clock = opening.clock
        self._ledger = ledger
        self._failures = 0  # in a row
        self._connected_ns = 0
        self._bytes = 0  # of lanes that have ended
        self._lane: Lane | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def bytes(self) -> int:
        """That have come."""
        return self._bytes + (self._lane.bytes if self._lane is not None else 0)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will be heard."""
        return self._task is None or self._task.done()

    def start(self) -> None:
        """Call it in the event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())
        self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)  # a defect has been told

    async def _run(self) -> None:
        while True:
            try:
                self._lane = await self._opening.open(self.url)
                try:
                    await self._listen(self._lane)
                finally:
                    self._bytes += self._lane.bytes
                    lane, self._lane = self._lane, None
                    await lane.close()
            except LaneError as error:
                self._fail(str(error))
            await self._clock.sleep(retry_s(self._failures, self._opening.share(), lasts=False))

    async def _listen(self, lane: Lane) -> None:
        """Until it ends. Raises LaneError."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            for said in await lane.said():
                at_ms = self._clock.now().wall_ms
                try:
                    if isinstance(said, Hello):
                        self._ledger.hello(self.name, said, at_ms)
                        continue
                    self._ledger.report(self.name, said, at_ms)
                except ValueError as error:
                    raise LaneError(f"{lane.where} contradicts itself: {error}") from None
                self.reports += 1
                if not self.is_connected:
                    self.is_connected, self.problem = True, ""
                    self._connected_ns = self._clock.now().boottime_ns
            if loop.time() - began < _BREATH_S:
                await asyncio.sleep(_BREATH_S)

    def _fail(self, problem: str) -> None:
        now = self._clock.now()
        was_steady = self.is_connected and now.boottime_ns - self._connected_ns >= STEADY_S * 1e9
        self._failures = 1 if was_steady else self._failures + 1
        self.is_connected, self.problem = False, problem
        self._ledger.failed(self.name, problem, now.wall_ms)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._fail(f"{self.url}: a defect of tokwatch: {task.exception()!r}")
