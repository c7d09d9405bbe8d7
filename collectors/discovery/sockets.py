"""The kernel's tables of TCP sockets: what listens in a network, which user opened it, and which processes hold it."""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")

_STATE = 3  # the column
_LISTEN = "0A"  # TCP_LISTEN in include/net/tcp_states.h
_FIELDS = 10  # up to the inode; newer kernels write more


class Listening(NamedTuple):
    """One listening socket. Anybody may read whose it is, also where its process hides."""

    ip: str
    port: int
    uid: int
    inode: int


def listening_sockets(net: Path) -> tuple[Listening, ...]:
    """Of a network's directory such as /proc/net. Raises OSError, and ValueError on a format that is not known."""
    tables = [(net / "tcp").read_text()]
    with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
        tables.append((net / "tcp6").read_text())
    return tuple(socket for table in tables for socket in _listening(table))


def _listening(table: str) -> Iterator[Listening]:
    for line in table.splitlines()[1:]:
        fields = line.split(None, _STATE + 1)  # not all of it: a busy box has thousands of connections here
        if len(fields) < _STATE + 1:
            raise ValueError("not a table of sockets")
        if fields[_STATE] == _LISTEN:
            fields = line.split()
            if len(fields) < _FIELDS:
                raise ValueError("not a table of sockets")
            address, _, port = fields[1].partition(":")
            yield Listening(_ip(address), int(port, 16), int(fields[7]), int(fields[9]))


def holders(inodes: Collection[int], pids: Iterable[int], proc: Path = PROC) -> dict[int, int]:
    """inode → the first of `pids` that holds that socket. Without privileges only our own processes tell."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[int, int] = {}
    for pid in pids:
        if not wanted:
            break
        for link in _open_files(proc / str(pid) / "fd"):
            if link in wanted:
                found[wanted.pop(link)] = pid
    return found


def _open_files(directory: Path) -> Iterator[str]:
    """What a process has open, as far as it lets us see. It may close a file, or go, at any time."""
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        try:
            yield os.readlink(f"{directory}/{name}")
        except OSError:
            continue


def _ip(text: str) -> str:
    """The kernel prints addresses as 32-bit words in the byte order of the machine, which is little-endian here."""
    words = [bytes.fromhex(text[i : i + 8])[::-1] for i in range(0, len(text), 8)]
    ip = ipaddress.ip_address(b"".join(words))
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return str(mapped or ip)
