"""Whom a GPU serves in a quarter hour: the servers in the pod that has it, else all servers of its host. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tokwatch.feeds.prometheus_quarters.gpus import Cell, GpuTold
from tokwatch.feeds.prometheus_quarters.servers import ServersFound
from tokwatch.feeds.prometheus_quarters.things import Pod, Server


def owners(gpus: Mapping[Cell, GpuTold], found: ServersFound) -> dict[Cell, tuple[Server, ...]]:
    """The servers of each GPU, () none.

    Pods decide on a host where both its GPUs and its servers have them: a GPU whose pod runs no known server, or that
    no pod has, then serves none.
    """
    quarters = {quarter_ms: found.engines_on_host(quarter_ms) for quarter_ms in {quarter_ms for _, quarter_ms in gpus}}
    by_pods = {(gpu.host, quarter_ms) for (gpu, quarter_ms), told in gpus.items() if told.pods}
    return {
        (gpu, quarter_ms): _of(
            told, quarters[quarter_ms].get(gpu.host, ()), found.pods, by_pods=(gpu.host, quarter_ms) in by_pods
        )
        for (gpu, quarter_ms), told in gpus.items()
    }


def at_work(servers: Iterable[Server], quarter_ms: int, found: ServersFound) -> float | None:
    """The share of minutes in which one of them was, at least; None of none."""
    return max((found.at_work.get((server, quarter_ms), 0.0) for server in servers), default=None)


def _of(told: GpuTold, on_host: Sequence[Server], pods: Mapping[Server, Pod], *, by_pods: bool) -> tuple[Server, ...]:
    if not by_pods or not any(server in pods for server in on_host):
        return tuple(sorted(on_host))
    longest = max(told.pods, key=lambda pod: told.pods[pod], default=None)
    return tuple(sorted(server for server in on_host if longest is not None and pods.get(server) == longest))
