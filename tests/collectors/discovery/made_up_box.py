"""A box whose processes, sockets and users a test makes up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from collectors.discovery.containers import Network
from collectors.discovery.processes import ListeningPort, Process, ProcessDetails
from collectors.discovery.scan import Discovery
from collectors.readings import Probe, ServerFacts

OPERATOR = 1500
USERS = {0: "root", 110: "llm", OPERATOR: "operator", 2000: "mallory"}


@dataclass
class Box:
    """A process table that a test fills in."""

    table: list[Process] = field(default_factory=list)
    above: dict[int, int] = field(default_factory=dict)
    ports: list[ListeningPort] | None = field(default_factory=list)
    uids: dict[int, int] = field(default_factory=dict)
    environments: dict[int, Mapping[str, str] | None] = field(default_factory=dict)
    networks: dict[int, Network] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    hidden: int = 0
    host_pids: bool = True
    socket_scans: int = 0

    def run(self, pid: int, command: str, parent: int = 1, uid: int = OPERATOR, **environment: str) -> None:
        self.table.append(Process(pid, tuple(command.split())))
        self.above[pid] = parent
        self.uids[pid] = uid
        self.environments[pid] = environment

    def listen(self, port: int, pid: int | None, ip: str = "0.0.0.0", uid: int | None = None) -> None:
        assert self.ports is not None
        self.ports.append(ListeningPort(ip, port, pid, uid))

    def processes(self) -> tuple[Sequence[Process], int]:
        return self.table, self.hidden

    def parents(self, pids: Iterable[int]) -> Mapping[int, int]:
        return {pid: self.above[pid] for pid in pids}

    def listening_ports(self) -> Sequence[ListeningPort] | None:
        self.socket_scans += 1
        return self.ports

    def network(self, pid: int) -> Network | None:
        return self.networks.get(pid)

    def details(self, pid: int, variables: frozenset[str]) -> ProcessDetails | None:
        if pid in self.gone:
            return None
        environment = self.environments[pid]
        wanted = None if environment is None else {name: environment[name] for name in variables & environment.keys()}
        return ProcessDetails(self.uids[pid], USERS[self.uids[pid]], 1000.0 + pid, wanted)

    def own_hosts(self) -> frozenset[str]:
        return frozenset({"localhost", "127.0.0.1", "10.0.0.5"})

    def own_uid(self) -> int:
        return OPERATOR

    def pids_are_the_hosts(self) -> bool:
        return self.host_pids


def only_server(found: Discovery) -> ServerFacts:
    (server,) = found.servers
    return server


def only_probe(found: Discovery) -> Probe:
    (probe,) = found.probes
    return probe
