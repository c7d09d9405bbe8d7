"""GETs of one small page from one endpoint, again and again: a kept connection, a borrowed buffer, no task.

A page is first read by the strict reader of plain answers. Where that finds a plain answer of a told length, whose
connection goes on, later heads that differ from it in digits alone (length, date) need not be read again.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final, Protocol, cast

from collectors.fleet.buffers import Buffers
from collectors.http_answer import MOST_HEAD_BYTES, Answer, AnswerReader, AnswerTooLarge, UnusualAnswer
from collectors.scrape_error import MAX_PAGE_BYTES, ScrapeError, bad_answer, no_answer, too_large

_HEAD_END: Final = b"\r\n\r\n"
_DIGITS: Final = b"0123456789"
_OK: Final = b"HTTP/1.1 200"
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r\n", re.IGNORECASE)


class Asker(Protocol):
    """Who asked, and is told what came of it: exactly one of these for each `ask`."""

    def got(self, answer: Answer) -> None:
        """An answer, of any status."""
        ...

    def got_body(self, body: bytes) -> None:
        """The body of another answer like the one before."""
        ...

    def failed(self, error: ScrapeError | UnusualAnswer) -> None: ...


class FastConnection(asyncio.BufferedProtocol):
    """One connection to one endpoint. Asks once at a time."""

    _transport: asyncio.Transport

    def __init__(self, request: bytes, where: str, buffers: Buffers, asker: Asker) -> None:
        self._request = request
        self._where = where
        self._buffers = buffers
        self._asker = asker
        self._buffer: bytearray | None = None
        self._used = 0
        self._head = 0  # bytes of the head and its end; 0: it is not whole yet
        self._whole = 0  # bytes of head and body, once the length is known
        self._reader: AnswerReader | None = None  # where the answer is read strictly
        self._skeleton = b""  # of the last strictly read head: without digits
        self._asking = False
        self.is_open = False

    def ask(self) -> None:
        """Send the request; the connection is open and nothing is being asked."""
        self._asking = True
        self._used = self._head = self._whole = 0
        self._reader = None if self._skeleton else AnswerReader(MAX_PAGE_BYTES)
        self._transport.write(self._request)

    def close(self) -> None:
        """Ends without a word to the asker."""
        self._asking = False
        if self.is_open:
            self.is_open = False
            self._transport.abort()

    # --- called by the loop ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not derived from it
        self.is_open = True

    def get_buffer(self, sizehint: int) -> memoryview:
        buffer = self._buffer
        if buffer is None:
            buffer = self._buffer = self._buffers.borrow()
        elif self._used == len(buffer):
            buffer = self._buffer = self._buffers.larger(buffer, self._used)
        return memoryview(buffer)[self._used :]

    def buffer_updated(self, nbytes: int) -> None:
        buffer = self._buffer
        assert buffer is not None
        if not self._asking:
            self._return_buffer()
            self.close()  # nobody asked for this: what comes next could not be trusted to be an answer
            return
        read_from, self._used = self._used, self._used + nbytes
        if self._reader is None and not self._whole and not self._measure(buffer):
            return
        if self._reader is not None:
            self._read_strictly(buffer, read_from)
        elif self._used == self._whole:
            body = bytes(memoryview(buffer)[self._head : self._whole])
            self._end()
            self._asker.got_body(body)
        elif self._used > self._whole:
            self._fail(UnusualAnswer("more than was told"))

    def eof_received(self) -> None:
        return

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._asking:
            began = self._used > 0 or (self._reader is not None and self._reader.began)
            self._fail(bad_answer(self._where, "cut off") if began else no_answer(self._where))
        self._return_buffer()

    # --- one answer -----------------------------------------------------------------------------------------------

    def _measure(self, buffer: bytearray) -> bool:
        """Whether it is known how to go on: to which length, or strictly, where the head is not like the one before."""
        found = buffer.find(_HEAD_END, 0, self._used)
        if found < 0 and self._used <= MOST_HEAD_BYTES:
            return False
        head = bytes(memoryview(buffer)[: found + 2]) if found > 0 else b""
        length = _LENGTH.search(head)
        if length is None or head.translate(None, _DIGITS) != self._skeleton or not head.startswith(_OK):
            self._read_anew(buffer)
            return False
        self._head = found + len(_HEAD_END)
        self._whole = self._head + int(length[1])
        if self._whole > MAX_PAGE_BYTES:
            self._fail(too_large(self._where))
            return False
        return True

    def _read_anew(self, buffer: bytearray) -> None:
        self._reader = AnswerReader(MAX_PAGE_BYTES)
        self._read_strictly(buffer, 0)

    def _read_strictly(self, buffer: bytearray, read_from: int) -> None:
        """What came from `read_from` on."""
        assert self._reader is not None
        try:
            answer = self._reader.feed(bytes(memoryview(buffer)[read_from : self._used]))
        except UnusualAnswer as error:
            self._fail(error)
            return
        except AnswerTooLarge:
            self._fail(too_large(self._where))
            return
        if answer is None:
            return
        is_plain = answer.is_exact and answer.status == 200 and "content-length" in answer.headers
        head = bytes(memoryview(buffer)[: buffer.index(_HEAD_END) + 2])
        self._skeleton = head.translate(None, _DIGITS) if is_plain else b""
        self._end()
        if not answer.is_exact:
            self.close()
        self._asker.got(answer)

    def _end(self) -> None:
        self._asking, self._reader = False, None
        self._return_buffer()

    def _fail(self, error: ScrapeError | UnusualAnswer) -> None:
        self._end()
        self.close()
        self._asker.failed(error)

    def _return_buffer(self) -> None:
        if self._buffer is not None:
            self._buffers.give_back(self._buffer)
            self._buffer = None
