"""`[agent]`: where `tokwatch agent --listen` listens, and what a client must show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}", re.ASCII)


class AgentSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[agent]`: the command line goes before it."""

    listen: str = ""  # "HOST:PORT", "unix:PATH"; "": 127.0.0.1:9476
    token_file: str | None = None
    cert_file: str | None = None  # PEM, with the chain up to the CA that clients know
    key_file: str | None = None
    hosts: tuple[str, ...] = ()  # other names that clients may call it by


def problems(section: AgentSection) -> Iterator[tuple[str, str]]:
    """(path, message) of what no agent can be run with."""
    if (section.cert_file is None) != (section.key_file is None):
        missing = "key_file" if section.key_file is None else "cert_file"
        yield f"agent.{missing}", "is needed beside the other: a certificate and its key"
    for i, name in enumerate(section.hosts):
        if not _HOST.fullmatch(name):
            yield f"agent.hosts[{i}]", "is no host's name: without a port and without *"
