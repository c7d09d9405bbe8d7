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

PROC = Path("/proc")
_LISTEN = "0A"  # TCP_LISTEN in include/net/tcp_states.h

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
        sockets = [*_listening((net / "tcp").read_text()), *_listening((net / "tcp6").read_text())]
        return Network(_own_address((net / "fib_trie").read_text()), tuple(sockets))
    except (OSError, ValueError):  # gone, closed to us, or a kernel that writes otherwise
        return None


def published_ports(command_lines: Iterable[Sequence[str]]) -> dict[tuple[str, int], int]:
    """The ports that docker-proxy processes lead into containers."""
    ports = {}
    for argv in command_lines:
        if argv and argv[0].rpartition("/")[2] == "docker-proxy":
            flags = dict(pairwise(argv))
            inside, outside = flags.get("-container-port", ""), flags.get("-host-port", "")
            if inside.isdigit() and outside.isdigit() and flags.get("-proto", "tcp") == "tcp":
                ports[flags.get("-container-ip", ""), int(inside)] = int(outside)
    return ports


def _listening(table: str) -> Iterable[tuple[str, int]]:
    """(ip, port) of a table as in /proc/net/tcp and tcp6. Raises ValueError on another format."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        address, _, port = fields[1].partition(":")
        if fields[3] == _LISTEN:
            yield _ip(address), int(port, 16)


def _ip(text: str) -> str:
    """The kernel prints addresses as 32-bit words in the byte order of the machine, which is little-endian here."""
    words = [bytes.fromhex(text[i : i + 8])[::-1] for i in range(0, len(text), 8)]
    ip = ipaddress.ip_address(b"".join(words))
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return str(mapped or ip)


def _own_address(trie: str) -> str | None:
    """The first address of this network's own beside loopback, by its routing table."""
    address = ""
    for line in trie.splitlines():
        if "|--" in line:
            address = line.rpartition("|--")[2].strip()
        elif "/32 host LOCAL" in line and not address.startswith("127."):
            return address
    return None
