"""A reply as it came over the wire, and how it is unpacked within a limit."""

from __future__ import annotations

import zlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawReply:
    """A reply that came whole, still packed."""

    status: int
    headers: dict[str, str]  # lower-case names
    body: bytes
    took_s: float  # from the request to its last byte


def unpacked(reply: RawReply, limit: int) -> bytes | None:
    """The body as it was before packing; None: it is larger than `limit`. Raises ValueError for a broken one."""
    encoding = reply.headers.get("content-encoding", "identity").lower()
    if encoding in ("identity", ""):
        return reply.body
    if encoding not in ("gzip", "x-gzip"):
        raise ValueError(f"content encoding {encoding}, which was not asked for")
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        body = unpacking.decompress(reply.body, limit + 1)
    except zlib.error:
        raise ValueError("the gzip is broken") from None
    if len(body) > limit:
        return None
    if not unpacking.eof:
        raise ValueError("the gzip is cut off")
    return body
