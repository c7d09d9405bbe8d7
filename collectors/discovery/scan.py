"""Finds the inference servers that run on this box, process trees joined with listening ports, and its exporters.

A server is the topmost process whose command line starts an engine, with all its descendants. Command lines and
environments are read here and go no further: what leaves is in ServerFacts and Probe.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from collectors.discovery.addresses import where_to_read
from collectors.discovery.command_line import Launch, is_python, is_worker, mentions_engine, part_of, recognise
from collectors.discovery.containers import Network, Published, is_port_proxy, published_ports
from collectors.discovery.likely_exporters import likely_exporters
from collectors.discovery.processes import ListeningPort, Process, ProcessDetails, ProcSource, PsutilSource
from collectors.discovery.trust import is_trusted, runs_trusted
from collectors.discovery.visible_devices import DEVICE_VARIABLES, visible_devices
from collectors.labels import clean_label
from collectors.readings import Probe, ServerFacts

THIS_BOX = PsutilSource()


@dataclass(frozen=True, slots=True)
class Discovery:
    """One scan of the box."""

    servers: tuple[ServerFacts, ...]
    probes: tuple[Probe, ...]
    pids_are_the_hosts: bool = True  # False: never compare these pids with a GPU driver's
    own_hosts: frozenset[str] = frozenset()  # names and addresses of this box
    exporters: tuple[str, ...] = ()  # URLs at which an exporter of power may answer
    took_ms: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class _Tree:
    """The processes of one server."""

    root: int
    launch: Launch
    pids: frozenset[int]
    workers: frozenset[int]  # those that never listen for requests
    started_by_hand: bool  # the root is a program of the user's own that holds an engine


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A tree, what its root says about itself, and the sockets on which it answers."""

    tree: _Tree
    root: ProcessDetails
    trusted: bool
    sockets: tuple[ListeningPort, ...]
    network: Network | None = None  # of the container it lives in

    @property
    def variables(self) -> Mapping[str, str]:
        return self.root.variables or {}

    @property
    def page_port(self) -> int | None:
        return self.tree.launch.page_port(self.variables)


def discover(proc: ProcSource = THIS_BOX) -> Discovery:
    """Scan once. Blocks for some milliseconds; never raises because a process hides or vanishes."""
    began_ns = time.monotonic_ns()
    processes, hidden = proc.processes()
    proxies = (p.argv for p in processes if is_port_proxy(p.argv) and runs_trusted(p.pid, proc))
    published = published_ports(proxies)
    trees = _trees(processes, proc)
    ports = proc.listening_ports()
    candidates = [found for tree in trees if (found := _look_at(tree, ports or (), proc)) is not None]
    candidates = _claim_ownerless(candidates, ports or ())
    listening = _one_per_address(_server(candidate, proc, published) for candidate in candidates if candidate.sockets)
    silent = [candidate for candidate in candidates if not candidate.sockets]
    servers = (*listening, *_still_loading(silent, ports or (), proc))
    pids_are_the_hosts = proc.pids_are_the_hosts()
    probes = [
        *map(_server_probe, listening),
        *map(_silent_probe, silent),
        *_box_probes(bool(trees), hidden, ports is not None or not trees, pids_are_the_hosts),
    ]
    exporters = likely_exporters(ports or (), servers, proc)
    took_ms = (time.monotonic_ns() - began_ns) // 1_000_000
    return Discovery(servers, tuple(probes), pids_are_the_hosts, proc.own_hosts(), exporters, took_ms)


# --- process trees ------------------------------------------------------------------------------------------------


def _trees(processes: Sequence[Process], proc: ProcSource) -> list[_Tree]:
    suspects = [process for process in processes if mentions_engine(process.argv)]
    launches = {process.pid: launch for process in suspects if (launch := recognise(process.argv))}
    parts = {process.pid: Launch(engine) for process in suspects if (engine := part_of(process.argv))}
    if not launches and not parts:
        return []
    workers = frozenset(process.pid for process in suspects if is_worker(process.argv))
    pythons = {process.pid for process in processes if is_python(process.argv)}
    parents = proc.parents(process.pid for process in processes)

    roots: dict[int, tuple[Launch, bool]] = {}
    for pid in launches | parts:
        top = [above for above in _line(pid, parents) if above in launches or above in parts][-1]
        parent = parents.get(top)
        if top in workers and parent in pythons:
            roots[parent] = (parts[top], True)
        else:
            roots[top] = (launches.get(top) or parts[top], False)
    children: defaultdict[int, list[int]] = defaultdict(list)
    for pid, parent in parents.items():
        children[parent].append(pid)
    return [
        _Tree(root, launch, below := _descendants(root, children), workers & below, by_hand)
        for root, (launch, by_hand) in sorted(roots.items())
    ]


def _line(pid: int, parents: Mapping[int, int]) -> list[int]:
    """`pid` and its ancestors, nearest first. A reused pid can close a circle; it is walked once."""
    line = [pid]
    while (parent := parents.get(line[-1])) is not None and parent not in line:
        line.append(parent)
    return line


def _descendants(root: int, children: Mapping[int, Sequence[int]]) -> frozenset[int]:
    """`root` and everything below it."""
    below: set[int] = set()
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid not in below:
            below.add(pid)
            waiting.extend(children.get(pid, ()))
    return frozenset(below)


# --- ports --------------------------------------------------------------------------------------------------------


def _look_at(tree: _Tree, ports: Sequence[ListeningPort], proc: ProcSource) -> _Candidate | None:
    root = proc.details(tree.root, frozenset((*tree.launch.engine.variables, *DEVICE_VARIABLES)))
    if root is None:
        return None
    page_port = tree.launch.page_port(root.variables or {})
    network = proc.network(tree.root)
    if network is not None:
        ports = [ListeningPort(ip, port, tree.root) for ip, port in network.sockets]
    return _Candidate(tree, root, is_trusted(root.uid, proc), _own_sockets(tree, page_port, ports), network)


def _own_sockets(tree: _Tree, page_port: int | None, ports: Sequence[ListeningPort]) -> tuple[ListeningPort, ...]:
    """The tree's sockets on one port: the expected one, else the lowest (ranks talk to each other on high ones)."""
    if page_port is None:
        return ()
    own = [socket for socket in ports if socket.pid in tree.pids]
    if expected := tuple(socket for socket in own if socket.port == page_port):
        return expected
    heard = {socket.port for socket in own if socket.pid not in tree.workers}
    if not heard or (tree.started_by_hand and len(heard) > 1):  # a notebook has ports of its own
        return ()
    return tuple(socket for socket in own if socket.port == min(heard))


def _claim_ownerless(candidates: Sequence[_Candidate], ports: Sequence[ListeningPort]) -> list[_Candidate]:
    """Without privileges the kernel hides who holds a socket: then the port a server should be on has to do.

    Two claims on one port cancel each other out, but an untrusted one cannot spoil a trusted one.
    """
    claims: defaultdict[int | None, list[_Candidate]] = defaultdict(list)
    for candidate in candidates:
        if not candidate.sockets and not candidate.tree.started_by_hand and candidate.network is None:
            claims[candidate.page_port].append(candidate)
    settled = list(candidates)
    for port, claimants in claims.items():
        sockets = tuple(socket for socket in ports if socket.pid is None and socket.port == port)
        best = [claimant for claimant in claimants if claimant.trusted] or claimants
        if sockets and len(best) == 1:
            settled[settled.index(best[0])] = replace(best[0], sockets=sockets)
    return settled


# --- servers ------------------------------------------------------------------------------------------------------


def _server(candidate: _Candidate, proc: ProcSource, published: Published) -> ServerFacts:
    tree, launch = candidate.tree, candidate.tree.launch
    # A forked worker inherits the socket; the root is the one that answers then.
    holders = {socket.pid for socket in candidate.sockets if socket.pid is not None} - tree.workers
    pid = min(holders, default=tree.root)
    process = (proc.details(pid, frozenset()) if pid != tree.root else None) or candidate.root
    address, unread = where_to_read(
        candidate.sockets, candidate.network, published, root=tree.root, trusted=candidate.trusted
    )
    if unread:
        metrics_url, hint = None, unread
    elif launch.has_page(candidate.variables, candidate.sockets[0].port):
        scheme = "https" if launch.tls else "http"
        metrics_url, hint = f"{scheme}://{address}{launch.engine.metrics_path}", ""
    else:
        metrics_url, hint = None, launch.engine.no_metrics_hint
    return ServerFacts(
        address=address,
        engine=launch.engine.name,
        metrics_url=metrics_url,
        pid=pid,
        pids=tuple(sorted(tree.pids)),
        owner=clean_label(process.user, 64),
        verified=candidate.trusted and is_trusted(process.uid, proc),
        started_at_s=process.started_at_s,
        model=launch.model,
        tensor_parallel=launch.tensor_parallel,
        pipeline_parallel=launch.pipeline_parallel,
        data_parallel=launch.data_parallel,
        expert_parallel=launch.expert_parallel,
        role=launch.role,
        speculation=launch.speculation,
        precision=launch.precision,
        visible_devices=visible_devices(candidate.variables),
        hint=hint,
    )


def _still_loading(
    silent: Iterable[_Candidate], ports: Sequence[ListeningPort], proc: ProcSource
) -> Iterable[ServerFacts]:
    """Servers that do not listen yet, at the address they will have: their GPUs are loading, not held by a stranger."""
    taken = {socket.port for socket in ports}
    for candidate in silent:
        port, tree = candidate.page_port, candidate.tree
        orphan = tree.root in tree.workers  # its server is gone: nothing will listen
        contained = candidate.network is not None  # which address it will have there, nobody knows yet
        if port is not None and port not in taken and not orphan and not tree.started_by_hand and not contained:
            taken.add(port)
            yield _server(replace(candidate, sockets=(ListeningPort("127.0.0.1", port, None),)), proc, {})


def _one_per_address(servers: Iterable[ServerFacts]) -> tuple[ServerFacts, ...]:
    """vLLM sets SO_REUSEPORT, so two of them can share a port: no page tells them apart, so they are one server."""
    found: dict[str, ServerFacts] = {}
    for server in servers:
        first = found.get(server.address)
        found[server.address] = (
            server
            if first is None
            else replace(
                first,
                pids=tuple(sorted({*first.pids, *server.pids})),
                verified=first.verified and server.verified,
                hint="two servers share this port and their counters mix: give each its own",
            )
        )
    return tuple(found.values())


# --- what was found, in words -------------------------------------------------------------------------------------


def _server_probe(server: ServerFacts) -> Probe:
    model = f" with {server.model}" if server.model else ""
    hint = server.hint
    if not server.verified:
        hint = f"belongs to user {server.owner}: accept it in the config to count it" + (f"; {hint}" if hint else "")
    return Probe(
        f"server {server.address}", server.metrics_url is not None, f"{server.engine}{model}, pid {server.pid}", hint
    )


def _silent_probe(candidate: _Candidate) -> Probe:
    tree = candidate.tree
    return Probe(
        f"{tree.launch.engine.name} pid {tree.root}",
        False,
        "runs, but no listening port of it is seen",
        tree.launch.engine.no_metrics_hint
        if candidate.page_port is None
        else "it may be loading; if it runs in a container or under another user, name its address in the config",
    )


def _box_probes(any_server: bool, hidden: int, sockets_seen: bool, pids_are_the_hosts: bool) -> Iterable[Probe]:
    if not any_server:
        yield Probe("inference servers", False, "none found on this box", "start one, or name it in the config")
    if hidden:
        # Not how many: they come and go, and every change of a probe is kept.
        yield Probe("processes", False, "some hide their command line", "run tokwatch as root to see all servers")
    if not sockets_seen:
        yield Probe("listening ports", False, "not readable", "run tokwatch as root, or name servers in the config")
    if not pids_are_the_hosts:
        yield Probe(
            "process ids",
            False,
            "tokwatch runs in a container: the GPU driver's process ids name other processes there",
            "start the container with the host's pid namespace, or declare each server's GPUs in the config",
        )
