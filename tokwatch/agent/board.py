"""The board: the newest Statement, put up once a tick, and each of its forms made once however many ask for it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from tokwatch.agent.exposition import page
from tokwatch.agent.families import OwnCost
from tokwatch.ledger.fleet.report_of import Statement

_STATM: Final = Path("/proc/self/statm")
_PAGE_BYTES: Final = os.sysconf("SC_PAGESIZE")
_FRESH_S: Final = 15.0  # without a tick; longer where it ticks more seldom than every three seconds


class Notice:
    """One Statement on the board. Belongs to the event loop's thread."""

    def __init__(self, statement: Statement, number: int, hello: bytes) -> None:
        self.number = number  # ascending
        self.hello = hello  # the line; the very same object while nothing of it has changed
        self._statement = statement
        self._report: bytes | None = None
        self._pages: dict[bool, bytes] = {}

    @property
    def statement(self) -> Statement:
        return self._statement

    @property
    def report(self) -> bytes:
        """The line."""
        if self._report is None:
            self._report = line_of(self._statement.report)
        return self._report

    def page(self, *, openmetrics: bool) -> bytes:
        """For whoever asks before the next tick."""
        if openmetrics not in self._pages:
            self._pages[openmetrics] = page(self._statement, own_cost(), openmetrics=openmetrics)
        return self._pages[openmetrics]


class Board:
    """Where the recording side puts Statements, and all that tell them look."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self.notice: Notice | None = None  # None until the first tick
        self._now_s = now_s
        self._put_up_s = now_s()
        self._news = asyncio.Event()

    def put_up(self, statement: Statement) -> None:
        """The next one."""
        before = self.notice
        if before is not None and before.statement.hello == statement.hello:
            statement = replace(statement, hello=before.statement.hello)
            hello = before.hello
        else:
            hello = line_of(statement.hello)
        self.notice = Notice(statement, before.number + 1 if before else 1, hello)
        self._put_up_s = self._now_s()
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def after(self, seen: int) -> Notice:
        """The newest notice as soon as its number is higher than `seen`."""
        while self.notice is None or self.notice.number <= seen:
            await self._news.wait()
        return self.notice

    def silence(self) -> str:
        """Words where no tick has come for too long; empty while all is well."""
        silent_s = self._now_s() - self._put_up_s
        interval_s = self.notice.statement.hello.interval_s if self.notice else 1.0
        if silent_s < max(_FRESH_S, 5 * interval_s):
            return ""
        return f"no tick for {silent_s:.0f} s: the recorder's own messages say why"


def line_of(said: msgspec.Struct) -> bytes:
    """One line of JSON."""
    return msgspec.json.encode(said) + b"\n"


def own_cost() -> OwnCost:
    """Of this process."""
    resident = int(_STATM.read_bytes().split()[1])
    return OwnCost(time.process_time(), resident * _PAGE_BYTES)
