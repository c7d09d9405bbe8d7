"""The wire format of a plain HTTP/1.1 answer to a GET: bytes in, one answer out, no I/O.

Strict on purpose (RFC 9112): an answer that is not written in the one plain way is not guessed at but called unusual.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass

MOST_HEAD_BYTES = 16 * 1024
MOST_HEADERS = 100
_MOST_CHUNK_LINE_BYTES = 16

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?")  # 1xx comes before an answer
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)")  # no folding, no bare CR or LF
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")  # no extensions
_ONCE = frozenset({"content-length", "transfer-encoding", "content-encoding", "connection"})

_Steps = Generator[None, None, bytes]  # yields where more bytes are needed


class UnusualAnswer(Exception):
    """It may be a proper answer, or none at all: not for this reader to say."""


class AnswerTooLarge(Exception):
    """The body has, or says that it will have, more bytes than it may."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer. The body is that of a 200; of another status it is not read."""

    status: int
    headers: Mapping[str, str]  # lower-case names; the first of each
    body: bytes = b""
    is_exact: bool = False  # it ended where it said, nothing came after it, and the server goes on listening


class AnswerReader:
    """Reads one answer, from pieces that may be cut anywhere."""

    def __init__(self, most_bytes: int) -> None:
        """most_bytes: how long the body may be."""
        self._most_bytes = most_bytes
        self._received = bytearray()  # … and not read yet
        self._steps = self._read()
        self.began = False  # a byte of it came

    def feed(self, data: bytes) -> Answer | None:
        """The answer once it is whole. Raises UnusualAnswer and AnswerTooLarge; not to be fed again after any of it."""
        self.began = True
        self._received += data
        try:
            next(self._steps)
        except StopIteration as end:
            answer: Answer = end.value
            return answer
        return None

    def _read(self) -> Generator[None, None, Answer]:
        status, headers = _head((yield from self._until(b"\r\n\r\n", MOST_HEAD_BYTES)))
        if status != 200:
            return Answer(status, headers)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise UnusualAnswer("packed")
        match headers.get("transfer-encoding"), headers.get("content-length"):
            case None, str(length) if _LENGTH.fullmatch(length):
                body = yield from self._exactly(self._allowed(int(length)))
            case str(coding), None if coding.lower() == "chunked":
                body = yield from self._chunks()
            case _:
                raise UnusualAnswer("no end told, or two")
        goes_on = headers.get("connection", "keep-alive").lower() == "keep-alive"
        return Answer(status, headers, body, is_exact=goes_on and not self._received)

    def _chunks(self) -> _Steps:
        body = bytearray()
        while True:
            line = yield from self._until(b"\r\n", _MOST_CHUNK_LINE_BYTES)
            if not _CHUNK_SIZE.fullmatch(line):
                raise UnusualAnswer("chunk size")
            size = int(line, 16)
            self._allowed(len(body) + size)
            chunk = yield from self._exactly(size + 2)
            if not chunk.endswith(b"\r\n"):  # after the last, empty one: a trailer
                raise UnusualAnswer("chunk end")
            if not size:
                return bytes(body)
            body += chunk[:-2]

    def _until(self, end: bytes, most_bytes: int) -> _Steps:
        """What comes before the next `end`, which is taken too."""
        searched = 0
        while (found := self._received.find(end, searched)) < 0 and len(self._received) <= most_bytes:
            searched = max(0, len(self._received) - len(end) + 1)
            yield
        if not 0 <= found <= most_bytes:
            raise UnusualAnswer("too long")
        return self._take(found + len(end))[:found]

    def _exactly(self, size: int) -> _Steps:
        while len(self._received) < size:
            yield
        return self._take(size)

    def _take(self, size: int) -> bytes:
        taken = bytes(memoryview(self._received)[:size])
        del self._received[:size]
        return taken

    def _allowed(self, size: int) -> int:
        if size > self._most_bytes:
            raise AnswerTooLarge
        return size


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.split(b"\r\n")
    status_line = _STATUS_LINE.fullmatch(first)
    if status_line is None or len(lines) > MOST_HEADERS:
        raise UnusualAnswer("no plain head")
    headers: dict[str, str] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise UnusualAnswer("no plain header")
        name = header[1].decode("ascii").lower()
        if name in _ONCE and name in headers:
            raise UnusualAnswer("told twice")
        headers.setdefault(name, header[2].strip(b" \t").decode("utf-8", "surrogateescape"))
    return int(status_line[1]), headers
