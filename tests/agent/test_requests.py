"""Request heads: what is a request for a page, and what is refused before anybody looks what it wants."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.agent.requests import Refusal, parse, wants_openmetrics

HOST = b"Host: localhost\r\n"


def status_of(head: bytes) -> int:
    with pytest.raises(Refusal) as refusal:
        parse(head)
    return refusal.value.status


def test_a_request_has_a_method_a_path_without_its_query_and_headers_by_lower_case_name() -> None:
    request = parse(b"GET /metrics?x=/healthz HTTP/1.1\r\nHost: a\r\nACCEPT:  text/plain \r\nAccept: b\r\n\r\n")
    assert (request.method, request.path, request.keep_alive) == (b"GET", b"/metrics", True)
    assert request.headers == {b"host": b"a", b"accept": b"text/plain"}


@pytest.mark.parametrize(
    ("head", "keeps"),
    [
        (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", True),
        (b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n" + HOST + b"\r\n", False),
    ],
)
def test_a_connection_stays_unless_it_is_told_to_end(head: bytes, keeps: bool) -> None:
    assert parse(head).keep_alive is keeps


@pytest.mark.parametrize(
    "head",
    [
        b"\r\n\r\n",
        b"GET /metrics\r\n\r\n",
        b"GET  /metrics HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/2.0\r\n\r\n",
        b"GET http://evil.example/metrics HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n",
        b"GET /metrics\x00 HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nAuthorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ],
)
def test_what_is_no_plain_request_is_refused(head: bytes) -> None:
    assert status_of(head) == 400


@pytest.mark.parametrize("header", [b"Content-Length: 1", b"Content-Length: x", b"Transfer-Encoding: chunked"])
def test_a_body_is_refused(header: bytes) -> None:
    assert status_of(b"POST /metrics HTTP/1.1\r\n" + HOST + header + b"\r\n\r\n") == 413


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_parse_or_be_refused(noise: bytes) -> None:
    for head in (noise + b"\r\n\r\n", b"GET / HTTP/1.1\r\n" + noise + b"\r\n\r\n"):
        with contextlib.suppress(Refusal):
            assert parse(head).path.startswith(b"/")


@pytest.mark.parametrize(
    ("accept", "wants"),
    [
        (b"", False),
        (b"*/*", False),
        (b"text/plain", False),
        (b"application/openmetrics-text", True),
        (b"application/openmetrics-text; version=1.0.0; q=0", False),
        (b"Application/OpenMetrics-Text;version=1.0.0,text/plain;q=0.5,*/*;q=0.1", True),
        (b"application/openmetrics-text;q=0.3,text/plain;version=0.0.4;q=0.7", False),
    ],
)
def test_openmetrics_comes_only_where_it_is_asked_for(accept: bytes, wants: bool) -> None:
    assert wants_openmetrics(accept) is wants
