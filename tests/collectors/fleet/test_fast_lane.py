"""The fast lane's connection, fed byte by byte: what it takes for an answer, and what it leaves to others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.fleet.buffers import FIRST_BYTES, Buffers
from collectors.fleet.fast_lane import FastConnection
from collectors.http_answer import Answer, UnusualAnswer
from collectors.scrape_error import Failure, ScrapeError

REQUEST = b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"


class Wire(asyncio.Transport):
    """Keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.is_aborted = False

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def abort(self) -> None:
        self.is_aborted = True


class Heard:
    """Keeps what is told."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.bodies: list[bytes] = []
        self.errors: list[ScrapeError | UnusualAnswer] = []

    def got(self, answer: Answer) -> None:
        self.answers.append(answer)

    def got_body(self, body: bytes) -> None:
        self.bodies.append(body)

    def failed(self, error: ScrapeError | UnusualAnswer) -> None:
        self.errors.append(error)


class Line:
    """A connection with a wire, and who listens."""

    def __init__(self) -> None:
        self.heard, self.wire, self.buffers = Heard(), Wire(), Buffers()
        self.connection = FastConnection(REQUEST, "h/metrics", self.buffers, self.heard)
        self.connection.connection_made(self.wire)

    def exchange(self, answer: bytes, *, piece: int = 1 << 20) -> None:
        self.connection.ask()
        self.feed(answer, piece=piece)

    def feed(self, data: bytes, *, piece: int = 1 << 20) -> None:
        for first in range(0, len(data), piece):
            rest = data[first : first + piece]
            while rest:
                buffer = self.connection.get_buffer(-1)
                taken = rest[: len(buffer)]
                buffer[: len(taken)] = taken
                buffer.release()
                self.connection.buffer_updated(len(taken))
                rest = rest[len(taken) :]


def answer(body: bytes, date: str = "Sun, 22 Nov 2026 03:00:00 GMT", more: str = "") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def test_the_first_answer_is_read_strictly_and_later_ones_by_its_head() -> None:
    line = Line()
    line.exchange(answer(b"a 1\n"))
    line.exchange(answer(b"a 22\n", "Sun, 22 Nov 2026 03:00:01 GMT"))
    assert [each.body for each in line.heard.answers] == [b"a 1\n"]
    assert line.heard.bodies == [b"a 22\n"]
    assert line.wire.sent == [REQUEST, REQUEST]


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.integers(1, 64))
def test_answers_may_be_cut_anywhere(bodies: list[bytes], piece: int) -> None:
    line = Line()
    for body in bodies:
        line.exchange(answer(body), piece=piece)
    assert [*(each.body for each in line.heard.answers), *line.heard.bodies] == bodies
    assert not line.heard.errors


def test_a_page_larger_than_the_buffer_is_given_one_and_the_next_page_gets_it() -> None:
    line = Line()
    body = b"x" * (5 * FIRST_BYTES)
    line.exchange(answer(b""))
    line.exchange(answer(body), piece=10_000)
    assert line.heard.bodies == [body]
    assert len(line.buffers.borrow()) > len(body)


def test_between_answers_a_connection_holds_no_buffer() -> None:
    line = Line()
    line.exchange(answer(b"a 1\n"))
    line.exchange(answer(b"a 1\n"))
    assert len(line.buffers.borrow()) == FIRST_BYTES
    assert line.buffers.borrow() is not None


def test_another_head_is_read_strictly_again() -> None:
    line = Line()
    line.exchange(answer(b"a 1\n"))
    line.exchange(answer(b"a 2\n", more="X-New: yes\r\n"))
    assert [each.body for each in line.heard.answers] == [b"a 1\n", b"a 2\n"]


def test_another_status_is_an_answer_without_its_body() -> None:
    line = Line()
    line.exchange(answer(b"a 1\n"))
    line.exchange(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy")
    assert [each.status for each in line.heard.answers] == [200, 503]
    assert line.wire.is_aborted  # where its body ends is not looked at


def test_a_page_in_chunks_is_read_and_never_by_length() -> None:
    line = Line()
    for _ in range(2):
        line.exchange(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na 1\n\r\n0\r\n\r\n")
    assert [each.body for each in line.heard.answers] == [b"a 1\n", b"a 1\n"]


@pytest.mark.parametrize(
    "unusual",
    [
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
        b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n",
    ],
)
def test_what_is_unusual_is_left_to_others(unusual: bytes) -> None:
    for learnt in (False, True):
        line = Line()
        if learnt:
            line.exchange(answer(b"a 1\n"))
        line.exchange(unusual)
        assert isinstance(line.heard.errors[-1], UnusualAnswer)
        assert line.wire.is_aborted


def test_more_than_was_told_is_not_taken_for_an_answer() -> None:
    line = Line()
    line.exchange(answer(b"a 1\n"))
    line.exchange(answer(b"a 2\n") + b"HTTP/1.1")
    assert not line.heard.bodies
    assert isinstance(line.heard.errors[-1], UnusualAnswer)


def test_what_nobody_asked_for_ends_the_connection() -> None:
    line = Line()
    line.exchange(answer(b"a 1\n"))
    line.feed(b"HTTP/1.1 200 OK\r\n")
    assert line.wire.is_aborted
    assert not line.connection.is_open


def test_a_page_that_says_it_is_too_large_is_refused_before_it_comes() -> None:
    line = Line()
    line.exchange(answer(b"a 1\n"))
    line.connection.ask()
    line.feed(answer(b"").replace(b"Content-Length: 0", b"Content-Length: 999999999"))
    (error,) = line.heard.errors
    assert isinstance(error, ScrapeError)
    assert error.failure is Failure.TOO_LARGE


@pytest.mark.parametrize(("came", "words"), [(b"", "closed the connection"), (b"HTTP/1.1 200 OK\r\n", "cut off")])
def test_a_connection_that_ends_is_told(came: bytes, words: str) -> None:
    line = Line()
    line.connection.ask()
    line.feed(came)
    line.connection.connection_lost(None)
    assert words in str(line.heard.errors[-1])


def test_a_connection_that_ends_between_answers_tells_nobody() -> None:
    line = Line()
    line.exchange(answer(b"a 1\n"))
    line.connection.connection_lost(None)
    assert not line.heard.errors
    assert not line.connection.is_open
