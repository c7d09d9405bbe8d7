"""One answer out of bytes: the same however they are cut, and none where its end is not told in the one plain way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.http_answer import MOST_HEAD_BYTES, MOST_HEADERS, Answer, AnswerReader, AnswerTooLarge, UnusualAnswer

MOST = 64
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\na 1\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na 1\r\n1\r\n\n\r\n0\r\n\r\n"
BOTH = (LENGTH, CHUNKED)


def read(*pieces: bytes) -> Answer | None:
    reader = AnswerReader(MOST)
    answer = None
    for piece in pieces:
        assert answer is None
        answer = reader.feed(piece)
    return answer


def head(*lines: bytes) -> bytes:
    return b"\r\n".join((b"HTTP/1.1 200 OK", *lines, b"", b""))


def bodies(pieces: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("answer", BOTH)
def test_an_answer_may_be_cut_at_any_byte(answer: bytes) -> None:
    whole = read(answer)
    assert whole is not None
    assert (whole.status, whole.body, whole.is_exact) == (200, b"a 1\n", True)
    for cut in range(1, len(answer)):
        assert read(answer[:cut], answer[cut:]) == whole
    assert read(*(bytes([byte]) for byte in answer)) == whole


@pytest.mark.parametrize("answer", BOTH)
def test_no_beginning_of_an_answer_is_an_answer(answer: bytes) -> None:
    for cut in range(1, len(answer)):
        assert read(answer[:cut]) is None


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=3), st.data())
def test_chunks_are_put_together_however_they_are_cut(pieces: list[bytes], data: st.DataObject) -> None:
    wire = head(b"Transfer-Encoding: chunked") + bodies(pieces)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 1), max_size=8)))
    parts = [wire[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    answer = read(*parts)
    assert answer is not None
    assert answer.body == b"".join(pieces)
    assert answer.is_exact


@given(st.binary(max_size=200))
def test_whatever_comes_there_is_an_answer_or_more_is_needed_or_it_is_refused(wire: bytes) -> None:
    for began in (b"", b"HTTP/1.1 200 OK\r\n", head(b"Content-Length: 9"), head(b"Transfer-Encoding: chunked")):
        try:
            answer = read(began + wire)
        except (UnusualAnswer, AnswerTooLarge):
            continue
        assert answer is None or len(answer.body) <= MOST


def test_the_first_of_a_repeated_header_counts_and_names_have_no_case() -> None:
    answer = read(head(b"X-A: 1", b"x-a: 2", b"CONTENT-LENGTH: \t0 \t", b"Empty:"))
    assert answer is not None
    assert answer.headers == {"x-a": "1", "content-length": "0", "empty": ""}


@pytest.mark.parametrize("status", [204, 302, 404, 503])
def test_of_another_status_the_body_is_not_read(status: int) -> None:
    answer = read(b"HTTP/1.1 %d\r\nLocation: /a\r\nContent-Length: 1000000\r\n\r\nabc" % status)
    assert answer == Answer(status, {"location": "/a", "content-length": "1000000"})


@pytest.mark.parametrize("more", [b"x", LENGTH])
@pytest.mark.parametrize("answer", BOTH)
def test_bytes_after_the_end_make_it_inexact(answer: bytes, more: bytes) -> None:
    got = read(answer + more)
    assert got is not None
    assert (got.body, got.is_exact) == (b"a 1\n", False)


def test_a_server_that_will_close_is_not_asked_on_that_connection_again() -> None:
    answer = read(head(b"Connection: close", b"Content-Length: 0"))
    assert answer is not None
    assert not answer.is_exact


@pytest.mark.parametrize(
    "lines",
    [
        (),
        (b"Content-Length: -4",),
        (b"Content-Length: +4",),
        (b"Content-Length: 4, 4",),
        (b"Content-Length: 0x4",),
        (b"Content-Length: \xd9\xa4",),  # an Arabic four
        (b"Content-Length:",),
        (b"Content-Length: " + b"0" * 16,),
        (b"Content-Length: 4", b"Content-Length: 4"),
        (b"Content-Length: 4", b"content-length: 5"),
        (b"Content-Length: 4", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        (b"Transfer-Encoding: gzip, chunked",),
        (b"Transfer-Encoding: identity", b"Content-Length: 4"),
        (b"Content-Encoding: gzip", b"Content-Length: 4"),
        (b"Content-Length : 4",),
        (b"Content-Length: 4", b" folded"),
        (b"Content-Length: 4", b"no colon"),
        (b"Content-Length: 4", b": no name"),
        (b"Content-Length: 4", b"X: a\rb"),
        (b"Content-Length: 4", b"X: a\nContent-Length: 5"),
        (b"Content-Length: 4", b"X: \x00"),
        (b"Content-Length: 4", *(b"X-%d: 1" % i for i in range(MOST_HEADERS))),
    ],
)
def test_a_head_that_does_not_plainly_tell_where_the_body_ends_is_unusual(lines: tuple[bytes, ...]) -> None:
    with pytest.raises(UnusualAnswer):
        read(head(*lines) + b"a 1\n")


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.0 200 OK",
        b"HTTP/2 200",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 2000",
        b"HTTP/1.1  200 OK",
        b"http/1.1 200 OK",
        b"HTTP/1.1 200 \x00",
        b" HTTP/1.1 200 OK",
        b"SSH-2.0-OpenSSH_9.2",
        b"",
    ],
)
def test_a_first_line_that_is_no_plain_final_status_is_unusual(first: bytes) -> None:
    with pytest.raises(UnusualAnswer):
        read(first + b"\r\nContent-Length: 0\r\n\r\n")


def test_a_head_that_goes_on_and_on_is_not_waited_for() -> None:
    reader = AnswerReader(MOST)
    assert reader.feed(b"x" * MOST_HEAD_BYTES) is None
    with pytest.raises(UnusualAnswer):
        reader.feed(b"x")


@pytest.mark.parametrize(
    "body",
    [
        b"4;name=value\r\na 1\n\r\n0\r\n\r\n",
        b"4\r\na 1\n\r\n0\r\nTrailer: 1\r\n\r\n",
        b"4\r\na 1\nXX0\r\n\r\n",
        b"4\na 1\n\n0\n\n" + b" " * 20,
        b"-4\r\na 1\n\r\n",
        b"0x4\r\na 1\n\r\n",
        b" 4\r\na 1\n\r\n",
        b"\r\n",
        b"1_0\r\n",
        b"000000004\r\na 1\n\r\n",
        b"4" * 40,
    ],
)
def test_chunks_with_anything_beside_sizes_and_bytes_are_unusual(body: bytes) -> None:
    with pytest.raises(UnusualAnswer):
        read(head(b"Transfer-Encoding: chunked") + body)


@pytest.mark.parametrize(
    "wire",
    [
        head(b"Content-Length: 65"),
        head(b"Transfer-Encoding: chunked") + b"ffffffff\r\n",
        head(b"Transfer-Encoding: chunked") + (b"20\r\n" + b"a" * 32 + b"\r\n") * 2 + b"1\r\n",
    ],
)
def test_more_than_is_allowed_is_refused_before_it_comes(wire: bytes) -> None:
    with pytest.raises(AnswerTooLarge):
        read(wire)
