"""Where a server's page is read: from the sockets it listens on to one address, or the reason why there is none."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from collectors.discovery.containers import Network, Published
from collectors.discovery.processes import ListeningPort


def where_to_read(
    sockets: Sequence[ListeningPort], network: Network | None, published: Published, *, root: int, trusted: bool
) -> tuple[str, str]:
    """(host:port of a server that listens on `sockets`, why its page is not read there all the same).

    network: of the container it lives in. root: its first process, which names what has no address. trusted: whether
    its user may be believed; in a network of his own anybody can take any address, and have us ask some other box.
    """
    if network is None:
        return _on_this_box(sockets)
    port = sockets[0].port
    if not trusted:
        return f"pid-{root}:{port}", "another user's, in a network of its own: name it in the config to have it read"
    if reached := network.reached_at(port, published):
        return reached, ""
    unread = f"listens on port {port} inside its container only: publish it, or name it in the config"
    return f"pid-{root}:{port}", unread


def _on_this_box(sockets: Iterable[ListeningPort]) -> tuple[str, str]:
    """Sockets on every address are reached by 127.0.0.1; one on another address is not read unless it is named."""
    ranked: list[tuple[int, str]] = []
    for socket in sockets:
        ip = ipaddress.ip_address(socket.ip.partition("%")[0])
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        if ip.is_unspecified:
            ranked.append((0, f"127.0.0.1:{socket.port}"))
        elif ip.version == 4:
            ranked.append((1 if ip.is_loopback else 3, f"{ip}:{socket.port}"))
        else:
            ranked.append((2 if ip.is_loopback else 3, f"[{ip}]:{socket.port}"))
    rank, address = min(ranked)
    return address, f"listens on {address} only: name it in the config to have it read" if rank == 3 else ""
