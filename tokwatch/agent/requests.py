"""A request's head: bytes → method, path and headers, strictly. What is not plainly a request for a page is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

HEAD_BYTES: Final = 8192  # of a whole request head
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST: Final = re.compile(rb"(%s) (/[!-~]*) HTTP/1\.([01])" % _TOKEN)
_HEADER: Final = re.compile(rb"(%s):[ \t]*([\t -~\x80-\xff]*?)[ \t]*" % _TOKEN)
_ONCE: Final = (b"host", b"authorization", b"content-length", b"transfer-encoding")


class Refusal(Exception):
    """A request that is not answered with what it asked for. The connection is closed after it."""

    def __init__(self, status: int, words: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(words)
        self.status, self.words, self.headers = status, words, headers


@dataclass(frozen=True, slots=True)
class Request:
    """One request without a body."""

    method: bytes
    path: bytes  # without the query
    headers: dict[bytes, bytes]  # lower-case names; the first of several of a name
    keep_alive: bool


def parse(head: bytes) -> Request:
    """`head`: up to the empty line. Raises Refusal."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    request = _REQUEST.fullmatch(first)
    if request is None:
        raise Refusal(400, "this is no HTTP/1.1 request for a path")
    headers: dict[bytes, bytes] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise Refusal(400, "a header cannot be read")
        name = header[1].lower()
        if name in _ONCE and name in headers:
            raise Refusal(400, "a header that must be told once is told twice")
        headers.setdefault(name, header[2])
    if b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0":
        raise Refusal(413, "a request here has no body")
    last = headers.get(b"connection", b"").lower()
    return Request(request[1], request[2].partition(b"?")[0], headers, request[3] == b"1" and b"close" not in last)


def wants_openmetrics(accept: bytes) -> bool:
    """Whether an Accept header asks for OpenMetrics, and for nothing that we have more than for it."""
    weights = {b"application/openmetrics-text": 0.0, b"text/plain": 0.0}
    for choice in accept.lower().split(b","):
        kind, *parameters = (part.strip() for part in choice.split(b";"))
        if kind in weights:
            weights[kind] = max(weights[kind], _weight(parameters))
    openmetrics, text = weights.values()
    return openmetrics > 0 and openmetrics >= text


def _weight(parameters: list[bytes]) -> float:
    for parameter in parameters:
        if re.fullmatch(rb"q=(0(\.\d{0,3})?|1(\.0{0,3})?)", parameter):
            return float(parameter[2:])
    return 1.0
