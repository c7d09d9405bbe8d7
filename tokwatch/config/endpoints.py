"""`[[servers]]` and `[[meters]]`: pages that are named rather than found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal
from urllib.parse import urlsplit

import msgspec


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A page that is read over HTTP, and how to log in there."""

    url: str
    token_file: str | None = None
    token_env: str | None = None
    user: str | None = None  # with password_file or password_env: basic auth
    password_file: str | None = None
    password_env: str | None = None
    ca_file: str | None = None


class MeterSection(Endpoint, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[meters]]`: an exporter of GPU or host power that is named rather than found."""


class ServerSection(Endpoint, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[servers]]`: a metrics endpoint that is named rather than found, or facts about a found one."""

    engine: str = ""
    model: str | None = None
    gpus: tuple[str | int, ...] | None = None  # indices or UUIDs
    deployment: str = ""  # servers of one name serve one model together: their GPUs and tokens are one account
    role: Literal["prefill", "decode"] | None = None  # of a disaggregated pair
    counts: bool | None = None  # whether its tokens are added up, where the rule gets it wrong
    tensor_parallel: int | None = None
    pipeline_parallel: int | None = None
    data_parallel: int | None = None
    expert_parallel: int | None = None
    accept: bool = True  # counts in the money although another user owns it


def problems(servers: Sequence[ServerSection], meters: Sequence[MeterSection]) -> Iterator[tuple[str, str]]:
    """(path, message) of each address and size that cannot be."""
    endpoints = [(f"servers[{i}]", server.url) for i, server in enumerate(servers)]
    endpoints += [(f"meters[{i}]", meter.url) for i, meter in enumerate(meters)]
    for where, url in endpoints:
        if problem := url_problem(url):
            yield f"{where}.url", problem
    for i, server in enumerate(servers):
        for key in ("tensor_parallel", "pipeline_parallel", "data_parallel", "expert_parallel"):
            size = getattr(server, key)
            if size is not None and size < 1:
                yield f"servers[{i}].{key}", f"must be 1 or more, is {size}"


def url_problem(url: str) -> str:
    """What is wrong with a server's address, "" if nothing; never repeats it, since it may hold a password."""
    if not url.startswith(("http://", "https://")):
        return "must start with http:// or https://"
    try:
        parts = urlsplit(url)
        named = _is_name(parts.hostname or "") and parts.port != 0 and url.isprintable() and " " not in url
    except ValueError:  # a port that is no number, a bracket left open, a part of a name that DNS cannot have
        named = False
    if not named:
        return "is no address: write http://HOST:PORT/metrics"
    if "@" in parts.netloc:
        return "holds a user or password: write user and password_file, or token_file, beside it"
    return ""


def _is_name(host: str) -> bool:
    """Whether DNS can have it. Raises UnicodeError where it can have no name like it."""
    # The codec would check ASCII too, and takes 0.8 MB, which a recorder would keep.
    name = host if host.isascii() else host.encode("idna").decode()
    return all(0 < len(label) < 64 for label in name.removesuffix(".").split("."))
