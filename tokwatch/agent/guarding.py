"""Who may ask: addresses that may be listened on, tokens, Host headers, and how many connections a peer may have."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
import stat
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from tokwatch.agent.errors import AgentError, UnsafeError

DEFAULT_PORT: Final = 9476
MOST_CONNECTIONS: Final = 64
MOST_OF_A_PEER: Final = 16
_LEAST_TOKEN: Final = 16  # characters


Place = tuple[socket.AddressFamily, tuple[str, int]]


class Listening(NamedTuple):
    """An address to listen on: a Unix socket, or a host and a port."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT  # 0: a free one
    unix: Path | None = None

    def places(self) -> list[Place]:
        """Each address that the host name stands for, none of a Unix socket. Raises AgentError."""
        if self.unix is not None:
            return []
        try:
            found = socket.getaddrinfo(
                self.host or None, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
            )
        except OSError as error:
            raise AgentError(f"cannot listen on {self}: {error.strerror or error}") from None
        return list(dict.fromkeys((family, (str(address[0]), self.port)) for family, _, _, _, address in found))

    def __str__(self) -> str:
        if self.unix is not None:
            return f"unix:{self.unix}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def listening(text: str, runtime_directory: str | None) -> Listening:
    """HOST:PORT, HOST, :PORT, [::1]:PORT or unix:PATH. Raises ValueError with words.

    ":PORT" is every address of this machine; a bare "unix:" the agent's own socket in `runtime_directory`
    ($XDG_RUNTIME_DIR), which nobody else can enter.
    """
    if text == "unix:":
        if not runtime_directory:
            raise ValueError("XDG_RUNTIME_DIR is not set, so there is no place for the socket: write unix:PATH")
        return Listening("", 0, Path(runtime_directory) / "tokwatch" / "agent.sock")
    if text.startswith("unix:"):
        return Listening("", 0, Path(text.removeprefix("unix:")).expanduser())
    host, colon, port = text.rpartition(":")
    if (
        not colon or text.endswith("]") or (":" in host and not host.startswith("["))
    ):  # no port: a name, or an IPv6 address as it is
        host, port = text, str(DEFAULT_PORT)
    number = int(port) if port.isascii() and port.isdecimal() else -1
    if not 0 <= number < 65_536:
        raise ValueError(f"{text!r} is no address: write HOST:PORT, [::1]:PORT or unix:PATH")
    return Listening(host.removeprefix("[").removesuffix("]"), number)


def is_loopback(text: str) -> bool:
    """Whether it is an address that only this machine has."""
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


class Token:
    """What a client must know. Only its digest is kept."""

    def __init__(self, secret: bytes) -> None:
        self._digest = hashlib.sha256(secret).digest()

    @classmethod
    def read(cls, path: Path) -> Token:
        """The token in a file. Raises AgentError, never with the token in it."""
        try:
            with path.open("rb") as file:
                data = file.read(4097)
                mode = stat.S_IMODE(path.stat().st_mode)
        except OSError as error:
            raise AgentError(f"cannot read the token file {path}: {error.strerror}") from None
        secret = data.strip()
        if not _LEAST_TOKEN <= len(secret) <= 4096 or not all(0x21 <= byte <= 0x7E for byte in secret):
            raise AgentError(
                f"the token file {path} holds no usable token: one line of {_LEAST_TOKEN} or more printable ASCII "
                "characters, such as `openssl rand -hex 32` makes"
            )
        if mode & stat.S_IROTH:
            raise AgentError(f"everybody on this machine may read the token file {path}: chmod 600 it")
        return cls(secret)

    def is_told_by(self, authorization: bytes | None) -> bool:
        """Whether an Authorization header has it. The time it takes says nothing of the token or its length."""
        scheme, _, told = (authorization or b"").partition(b" ")
        matches = hmac.compare_digest(hashlib.sha256(told.strip()).digest(), self._digest)
        return matches and scheme.lower() == b"bearer"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Names by which the agent may be called. A page of a web site that rebinds its name to this address has another
    one in its Host header."""

    names: frozenset[str]

    @classmethod
    def of(cls, address: Listening, extra: Collection[str]) -> Hosts:
        """Those of the address, and what the user adds."""
        own = {address.host} if address.unix is None else set()
        return cls(frozenset(name.lower().rstrip(".") for name in ("localhost", *own, *extra) if name))

    def has(self, header: bytes, local: str) -> bool:
        """Whether a Host header names us. `local`: the address of our end of the connection, "" of a Unix socket.

        Any port: it may be forwarded. An IP address is nobody's to rebind: loopback, or the one that was connected to.
        """
        name = _host_of(header.decode("latin-1")).lower().rstrip(".")
        return name in self.names or is_loopback(name) or (bool(local) and name == local)


def _host_of(header: str) -> str:
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


class Seats:
    """Connections that are open, by peer."""

    def __init__(self, most: int = MOST_CONNECTIONS, most_of_a_peer: int = MOST_OF_A_PEER) -> None:
        self._most, self._most_of_a_peer = most, most_of_a_peer
        self._taken: Counter[str] = Counter()
        self.refused = 0

    @property
    def taken(self) -> int:
        return self._taken.total()

    def take(self, peer: str) -> bool:
        """A seat for one connection more; False where there is none."""
        if self.taken >= self._most or self._taken[peer] >= self._most_of_a_peer:
            self.refused += 1
            return False
        self._taken[peer] += 1
        return True

    def leave(self, peer: str) -> None:
        self._taken[peer] -= 1
        if not self._taken[peer]:
            del self._taken[peer]


def check(address: Listening, places: Sequence[Place], *, token: bool, tls: bool) -> None:
    """Raises UnsafeError where other machines can reach one of its places, and it has not what that needs."""
    if all(is_loopback(ip) for _, (ip, _) in places):
        return
    missing = [
        *(() if token else ("a token file (--token-file FILE)",)),
        *(() if tls else ("a certificate (--cert FILE --key FILE)",)),
    ]
    if missing:
        raise UnsafeError(
            f"{address} can be reached from other machines, and so needs {' and '.join(missing)}; without them listen "
            "on 127.0.0.1 or on unix:PATH, and reach it with `ssh -L` or through a proxy on this machine"
        )
