"""The kernel's tables of TCP sockets: what listens in a network, and which user opened it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_LISTEN = "0A"  # TCP_LISTEN in include/net/tcp_states.h
_FIELDS = 10  # up to the inode; newer kernels write more


class Listening(NamedTuple):
    """One listening socket. Anybody may read whose it is, also where its process hides."""

    ip: str
    port: int
    uid: int


def listening_sockets(net: Path) -> tuple[Listening, ...]:
    """Of a network's directory such as /proc/net. Raises OSError, and ValueError on a format that is not known."""
    return tuple(socket for name in ("tcp", "tcp6") for socket in _listening((net / name).read_text()))


def _listening(table: str) -> Iterator[Listening]:
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < _FIELDS:
            raise ValueError("not a table of sockets")
        address, _, port = fields[1].partition(":")
        if fields[3] == _LISTEN:
            yield Listening(_ip(address), int(port, 16), int(fields[7]))


def _ip(text: str) -> str:
    """The kernel prints addresses as 32-bit words in the byte order of the machine, which is little-endian here."""
    words = [bytes.fromhex(text[i : i + 8])[::-1] for i in range(0, len(text), 8)]
    ip = ipaddress.ip_address(b"".join(words))
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return str(mapped or ip)
