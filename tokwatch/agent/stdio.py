"""`agent --stdio`: lines on stdout, until stdin closes or nobody reads. For ssh, and for programs that start it.

Pipes, terminals and files block, each in its own way: so threads of their own read and write them, and a reader that
stops reading holds up nobody. It is told what is newest when it goes on; counters go on, so nothing is lost.
"""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tokwatch.agent.board import Board, Notice

_READ_BYTES: Final = 4096


async def tell_on(board: Board, stop: asyncio.Event, *, to: int = 1, until_closed: int = 0) -> None:
    """A Hello, again when it changes, and a Report a tick on descriptor `to`; returns when `stop` is set.

    Sets `stop` itself when `until_closed` ends, or when nobody reads `to` any more.
    """
    loop = asyncio.get_running_loop()

    def end() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    writer = _Writer(to, end)
    threading.Thread(target=_read_to_end, args=(until_closed, end), name="tokwatch-stdin", daemon=True).start()
    ending = asyncio.ensure_future(stop.wait())
    seen = 0
    while True:
        news = asyncio.ensure_future(board.after(seen))
        await asyncio.wait({news, ending}, return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            news.cancel()
            return
        notice = news.result()
        seen = notice.number
        writer.offer(notice)


class _Writer:
    """Writes the newest notice there is, one after another. Its thread dies with the process: a write may never end."""

    def __init__(self, to: int, failed: Callable[[], None]) -> None:
        self._to, self._failed = to, failed
        self._offered: tuple[bytes, bytes] | None = None
        self._has_news = threading.Condition()
        threading.Thread(target=self._write, name="tokwatch-stdout", daemon=True).start()

    def offer(self, notice: Notice) -> None:
        with self._has_news:
            self._offered = notice.hello, notice.report
            self._has_news.notify()

    def _write(self) -> None:
        told = b""
        while True:
            with self._has_news:
                self._has_news.wait_for(lambda: self._offered is not None)
                assert self._offered is not None
                hello, report = self._offered
                self._offered = None
            lines = report if hello is told else hello + report
            told = hello
            try:
                while lines:
                    select.select((), (self._to,), ())  # whoever started us may have made it non-blocking
                    with suppress(BlockingIOError):  # a pipe with room for less than PIPE_BUF
                        lines = lines[os.write(self._to, lines) :]
            except OSError:  # nobody reads it any more: the end of an agent like any other
                self._failed()
                return


def _read_to_end(descriptor: int, ended: Callable[[], None]) -> None:
    try:
        while select.select((descriptor,), (), ()) and os.read(descriptor, _READ_BYTES):
            continue
    except OSError:  # it was closed before we began
        pass
    ended()
