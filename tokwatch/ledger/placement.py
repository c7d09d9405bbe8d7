"""Which GPUs serve which server. Every GPU is in the result once; what serves nothing known is left unassigned."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collectors.readings import GpuReading, ServerFacts
from tokwatch.ledger.registry import gpu_key

_MIN_PREFIX = 8  # characters of a UUID that may stand for all of it
_INDEX = re.compile(r"(?P<pci>pci:)?(?P<gpu>[0-9]{1,3})(:[0-9]{1,3})?")  # "3"; "3:1" is the second MIG instance of it
_OLD_MIG = re.compile(r"mig-(gpu-[0-9a-f-]+)/[0-9]+/[0-9]+")  # before driver 470: the GPU's UUID and two numbers


class Method(enum.StrEnum):
    """How a server came to its GPU, the surest first."""

    CONFIG = "config"
    PROCESS = "process"  # the driver lists one of the server's processes on the GPU
    POD = "pod"  # a cluster's scheduler gave the GPU to the pod that the server runs in
    VISIBLE = "visible devices"  # the server was started with CUDA_VISIBLE_DEVICES or the like
    THIS_BOX = "this box"  # the box has no accelerator: what runs on it runs on its processors
    SAME_HOST = "same host"  # nothing tells more: the servers of a host have those GPUs that nobody is known to have
    NONE = "unassigned"


@dataclass(frozen=True, slots=True)
class GpuPlacement:
    """The servers on one GPU."""

    gpu_key: str
    servers: tuple[str, ...]  # addresses, the surest first; several share the GPU
    method: str  # the Method, or several joined by " + " where servers came by different ones
    has_process: bool  # a process is listed, or a server is placed here although none is listed
    foreign: bool  # a listed process belongs to no known server


@dataclass(frozen=True, slots=True)
class Placement:
    """All GPUs with their servers, and what did not fit."""

    gpus: tuple[GpuPlacement, ...]
    unplaced: tuple[str, ...]  # addresses of servers on no GPU
    unverified: tuple[str, ...]  # addresses of servers of another ordinary user: shown, not counted
    conflicts: tuple[str, ...]  # for the user: what contradicts what, and which of them holds

    def gpus_of(self, address: str) -> tuple[str, ...]:
        """Keys of the GPUs that serve `address`."""
        return tuple(gpu.gpu_key for gpu in self.gpus if address in gpu.servers)


def place(servers: Sequence[ServerFacts], gpus: Sequence[GpuReading], *, host_pids: bool = True) -> Placement:
    """Join servers with GPUs: by config, else by the driver's process list, else by pods, else by visible devices.

    A config entry overrides the other two for its server; it is the only way for a server on another host. Visible
    devices speak only where the driver's list does not: where it is unknown, or empty for a server that it lists on
    no GPU at all (a container hides processes). CUDA numbers devices the fastest first: its indices are the driver's
    only with CUDA_DEVICE_ORDER=PCI_BUS_ID or on a box of equal GPUs, and elsewhere they place nothing.
    A MIG instance, by its UUID or by a process on it, stands for the GPU it is a part of: only that has a meter.
    Servers that may be anywhere on their host, and are placed by nothing, share the GPUs on which nobody is placed.

    With `host_pids` False the servers' pids are a container's: they are never compared with the driver's.
    """
    listed = {gpu_key(gpu.facts): _pids(gpu) for gpu in gpus}
    comparable = listed if host_pids else dict.fromkeys(listed)
    on_gpu: dict[str, dict[str, Method]] = {key: {} for key in listed}
    conflicts: list[str] = []
    for server in servers:
        methods, contradictions = _evidence(server, comparable, gpus)
        conflicts += contradictions
        for key, method in methods.items():
            on_gpu[key][server.address] = method
    _share_what_is_left(servers, on_gpu)

    known = frozenset(pid for server in servers for pid in server.pids)
    untold = {server.address for server in servers if not server.pids}
    addresses = dict.fromkeys(server.address for server in servers)
    placed = {address for methods in on_gpu.values() for address in methods}
    return Placement(
        gpus=tuple(
            _gpu(key, on_gpu[key], listed[key], known if host_pids and untold.isdisjoint(on_gpu[key]) else None)
            for key in listed
        ),
        unplaced=tuple(address for address in addresses if address not in placed),
        unverified=tuple(dict.fromkeys(server.address for server in servers if not server.verified)),
        conflicts=tuple(conflicts),
    )


def _share_what_is_left(servers: Iterable[ServerFacts], on_gpu: Mapping[str, dict[str, Method]]) -> None:
    placed = {address for methods in on_gpu.values() for address in methods}
    left = [methods for methods in on_gpu.values() if not methods]
    for server in servers:
        if server.anywhere and server.gpus is None and server.address not in placed:
            for methods in left:
                methods[server.address] = Method.SAME_HOST


_PidsByGpu = Mapping[str, frozenset[int] | None]  # None: the driver's list is not known


def _pids(gpu: GpuReading) -> frozenset[int] | None:
    lists = (gpu.processes, *(instance.processes for instance in gpu.mig_instances))
    known = [processes for processes in lists if processes is not None]
    return frozenset(process.pid for processes in known for process in processes) if known else None


def _evidence(
    server: ServerFacts, listed: _PidsByGpu, gpus: Sequence[GpuReading]
) -> tuple[dict[str, Method], list[str]]:
    """(GPU key → how the server is known to be there, what contradicts it)."""
    seen = {key for key, pids in listed.items() if pids and not pids.isdisjoint(server.pids)}
    if server.gpus is not None:
        keys, unknown = _resolve(server.gpus, gpus)
        conflicts = [f"{server.address}: the config names GPU {name}, which is not on this box" for name in unknown]
        if elsewhere := ", ".join(sorted(seen - keys)):
            conflicts.append(
                f"{server.address}: the driver lists it on {elsewhere}, not in the config; the config holds"
            )
        return dict.fromkeys(keys, Method.CONFIG), conflicts
    methods = dict.fromkeys(seen, Method.PROCESS)
    methods |= dict.fromkeys(_given_to(server.pod, gpus) - seen, Method.POD)
    conflicts = []
    if server.visible_devices:
        visible, unclear = _resolve(server.visible_devices.split(","), gpus, cuda_order=True)
        if not seen and not _cuda_counts_as_the_driver(gpus) and any(map(_INDEX.fullmatch, unclear)):
            conflicts.append(
                f"{server.address}: CUDA counts different GPUs in another order than the driver; start it with"
                " CUDA_DEVICE_ORDER=PCI_BUS_ID, or name its GPUs in the config"
            )
        silent = {key for key, pids in listed.items() if pids is None or not (pids or seen)}
        methods |= dict.fromkeys((visible & silent) - seen, Method.VISIBLE)
    if server.pids and all(gpu.facts.kind == "package" for gpu in gpus):
        methods |= dict.fromkeys(listed, Method.THIS_BOX)
    return methods, conflicts


def _given_to(pod: str, gpus: Sequence[GpuReading]) -> set[str]:
    """Keys of the GPUs that a pod was given."""
    return {gpu_key(gpu.facts) for gpu in gpus if pod and any(_same_pod(pod, other) for other in gpu.pods)}


def _same_pod(one: str, other: str) -> bool:
    """ "namespace/pod", or the name alone where one of the two was told without its namespace."""
    (one_namespace, _, one_name), (other_namespace, _, other_name) = one.rpartition("/"), other.rpartition("/")
    return one_name == other_name and (one_namespace == other_namespace or not (one_namespace and other_namespace))


def _cuda_counts_as_the_driver(gpus: Sequence[GpuReading]) -> bool:
    """Equal GPUs are in the order of the PCI bus for both."""
    return len({gpu.facts.name for gpu in gpus if gpu.facts.name}) <= 1


def _gpu(
    key: str, methods: Mapping[str, Method], listed: frozenset[int] | None, known: frozenset[int] | None
) -> GpuPlacement:
    order = list(Method)
    servers = sorted(methods, key=lambda address: (order.index(methods[address]), address))
    listed = listed or frozenset()
    # Where pids cannot be compared (`known` is None: a container's, or a placed server whose processes nobody sees), a
    # listed process is taken to be the placed server's.
    return GpuPlacement(
        gpu_key=key,
        servers=tuple(servers),
        method=" + ".join(dict.fromkeys(methods[address] for address in servers)) or Method.NONE,
        has_process=bool(listed or servers),
        foreign=bool(listed - known) if known is not None else bool(listed and not servers),
    )


def _resolve(
    names: Iterable[str], gpus: Sequence[GpuReading], *, cuda_order: bool = False
) -> tuple[set[str], list[str]]:
    """(keys of the GPUs that the names mean, the names that mean none or several)."""
    in_order = not cuda_order or _cuda_counts_as_the_driver(gpus)
    keys: set[str] = set()
    unknown: list[str] = []
    for name in map(str.strip, names):
        matches = {gpu_key(gpu.facts) for gpu in gpus if _names(name, gpu, in_order=in_order)}
        if len(matches) == 1:
            keys |= matches
        else:
            unknown.append(name)
    return keys, unknown


def _names(name: str, gpu: GpuReading, *, in_order: bool) -> bool:
    """Whether `name` is the GPU's index, its UUID or the UUID's beginning, with or without "GPU-", or a part of it."""
    if index := _INDEX.fullmatch(name):
        return (in_order or bool(index["pci"])) and int(index["gpu"]) == gpu.facts.index
    name = name.lower()
    if any(name == instance.uuid.lower() for instance in gpu.mig_instances):
        return True
    uuid, name = (gpu.facts.uuid or "").lower(), _OLD_MIG.sub(r"\1", name)
    return len(name) >= _MIN_PREFIX and (uuid.startswith(name) or uuid.removeprefix("gpu-").startswith(name))
