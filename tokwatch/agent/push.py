"""The push lane: Hello and Reports to one reader, a line as soon as there is one, until it leaves or stops reading."""

from __future__ import annotations

import asyncio

from tokwatch.agent.board import Board


async def keep_telling(
    board: Board, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, write_s: float
) -> None:
    """Returns when the reader leaves, or says anything. Raises TimeoutError when it does not take a line in `write_s`.

    While a line is not taken none is added: counters go on, so a report that is left out loses nothing.
    """
    gone = asyncio.ensure_future(reader.read(1))
    seen, hello = 0, b""
    try:
        while True:
            news = asyncio.ensure_future(board.after(seen))
            await asyncio.wait({news, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                news.cancel()
                return
            notice = news.result()
            writer.write(notice.report if notice.hello is hello else notice.hello + notice.report)
            seen, hello = notice.number, notice.hello
            async with asyncio.timeout(write_s):
                await writer.drain()
    finally:
        gone.cancel()
