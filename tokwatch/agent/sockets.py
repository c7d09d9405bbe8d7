"""Sockets to listen on: TCP with small buffers, or a Unix socket that only its user can connect to."""

from __future__ import annotations

import errno
import socket
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tokwatch.agent.errors import AgentError
from tokwatch.agent.guarding import Listening, Place

_BACKLOG: Final = 128
# What a peer can make the kernel and us keep of what nobody has read: a request's head needs 8 kB.
_RECEIVE_BYTES: Final = 16_384
_SEND_BYTES: Final = 131_072


def open_sockets(address: Listening, places: Sequence[Place]) -> tuple[list[socket.socket], Listening]:
    """Listening sockets, and the address with the port that was chosen for port 0. Raises AgentError.

    places: those of the address, asked for once: a name may stand for something else a moment later.
    """
    if address.unix is not None:
        return [_unix(address.unix)], address
    opened: list[socket.socket] = []
    try:
        for family, place in places if address.port else places[:1]:
            opened.append(_tcp(family, place))
    except OSError as error:
        for each in opened:
            each.close()
        hint = ": is another agent running? --listen HOST:PORT takes another" if error.errno == errno.EADDRINUSE else ""
        raise AgentError(f"cannot listen on {address}: {error.strerror}{hint}") from None
    return opened, address._replace(port=opened[0].getsockname()[1])


def _tcp(family: socket.AddressFamily, place: tuple[str, int]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)  # connections inherit these
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)
        listening.bind(place)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def _unix(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_way(path)
        listening.bind(str(path))
        path.chmod(0o600)  # before listen(): until then nobody can connect
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise AgentError(f"cannot listen on unix:{path}: {error.strerror or error}") from None
    return listening


def _make_way(path: Path) -> None:
    """Remove the socket of an agent that has ended. Raises AgentError where one answers, or it is something else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise AgentError(f"{path} is there and is no socket: name another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise AgentError(f"another agent listens on unix:{path}")
