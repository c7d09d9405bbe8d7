"""Containers as their host sees them: sockets in a network of their own, and where the host reaches those.

A process list of the host shows the processes of containers, but the socket list of the host does not show theirs.
`/proc/<pid>/net` does: it is the network that the process itself lives in.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from collectors.discovery.sockets import listening_sockets

PROC = Path("/proc")

Published = Mapping[tuple[str, int], int]  # (address, port) in a container → the host's port that leads there


@dataclass(frozen=True, slots=True)
class Network:
    """The network of one container."""

    address: str | None  # IPv4 at which the host reaches it; None: it has none beside loopback
    sockets: tuple[tuple[str, int], ...]  # (ip, port) that something listens on inside

    def reached_at(self, port: int, published: Published) -> str | None:
        """host:port at which the host reaches a port that is open inside; None where it does not."""
        if self.address is None:
            return None
        open_to = [ip for ip, open_port in self.sockets if open_port == port]
        if not any(ipaddress.ip_address(ip).is_unspecified or ip == self.address for ip in open_to):
            return None
        host_port = published.get((self.address, port))
        return f"127.0.0.1:{host_port}" if host_port else f"{self.address}:{port}"


def network_of(pid: int, proc: Path = PROC) -> Network | None:
    """The network of a process that does not live in ours; None where it does, has gone, or hides."""
    try:
        if os.readlink(proc / str(pid) / "ns/net") == os.readlink(proc / "self/ns/net"):
            return None
        net = proc / str(pid) / "net"
        sockets = tuple((socket.ip, socket.port) for socket in listening_sockets(net))
        return Network(_own_address((net / "fib_trie").read_text()), sockets)
    except (OSError, ValueError):  # gone, closed to us, or a kernel that writes otherwise
        return None


def published_ports(command_lines: Iterable[Sequence[str]]) -> dict[tuple[str, int], int]:
    """The ports that docker-proxy processes lead into containers. Ask only of those whose user may be believed."""
    ports = {}
    for argv in command_lines:
        if is_port_proxy(argv):
            flags = dict(pairwise(argv))
            inside, outside = _port(flags.get("-container-port", "")), _port(flags.get("-host-port", ""))
            if inside and outside and flags.get("-proto", "tcp") == "tcp":
                ports[flags.get("-container-ip", ""), inside] = outside
    return ports


def is_port_proxy(argv: Sequence[str]) -> bool:
    """Whether the process calls itself docker-proxy, which anybody's may."""
    return bool(argv) and argv[0].rpartition("/")[2] == "docker-proxy"


def _port(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65_535 else None


def _own_address(trie: str) -> str | None:
    """The first address of this network's own beside loopback, by its routing table."""
    address = ""
    for line in trie.splitlines():
        if "|--" in line:
            address = line.rpartition("|--")[2].strip()
        elif "/32 host LOCAL" in line and not address.startswith("127."):
            return address
    return None
