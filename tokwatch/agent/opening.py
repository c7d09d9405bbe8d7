"""From what the user asked for to a server: checks first, so that nothing listens that must not."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tokwatch.agent import tls
from tokwatch.agent.board import Board
from tokwatch.agent.guarding import Hosts, Listening, Token, check
from tokwatch.agent.serving import Server
from tokwatch.agent.sockets import open_sockets


@dataclass(frozen=True, slots=True)
class Asked:
    """Where to listen, and what a client must show."""

    address: Listening
    token_file: Path | None = None
    certificate: tuple[Path, Path] | None = None  # the chain and the key, PEM
    hosts: tuple[str, ...] = ()  # other names of the address


@dataclass(frozen=True, slots=True)
class Door:
    """Sockets that listen; clients wait until `serve`."""

    address: Listening
    secure: bool
    _sockets: list[socket.socket]
    _hosts: Hosts
    _token: Token | None
    _tls: ssl.SSLContext | None

    def serve(self, board: Board, tell: Callable[[str], None]) -> Server:
        """On the running event loop."""
        return Server(board, self._sockets, self._hosts, token=self._token, tls=self._tls, tell=tell)

    @property
    def url(self) -> str:
        """For people."""
        if self.address.unix is not None:
            return str(self.address)
        return f"{'https' if self.secure else 'http'}://{self.address}"

    def remove(self) -> None:
        """What is left in the file system; when the server has closed."""
        if self.address.unix is not None:
            self.address.unix.unlink(missing_ok=True)


def open_door(asked: Asked) -> Door:
    """Raises UnsafeError, AgentError."""
    places = asked.address.places()
    check(asked.address, places, token=asked.token_file is not None, tls=asked.certificate is not None)
    token = None if asked.token_file is None else Token.read(asked.token_file)
    context = None if asked.certificate is None else tls.serving(*asked.certificate)
    sockets, address = open_sockets(asked.address, places)
    return Door(address, context is not None, sockets, Hosts.of(address, asked.hosts), token, context)
