"""Whose GPUs are: those of the servers on the host, or in the pod that has them."""

from __future__ import annotations

from collectors.vocabularies.vllm import VLLM
from tokwatch.feeds.prometheus_quarters.gpus import GpuTold
from tokwatch.feeds.prometheus_quarters.owners import at_work, owners
from tokwatch.feeds.prometheus_quarters.servers import ServersFound
from tokwatch.feeds.prometheus_quarters.things import Gpu, Pod, Server

GPU, OTHER = Gpu("a", "GPU-0"), Gpu("a", "GPU-1")
FIRST, SECOND, ELSEWHERE = Server("a", "a:8000", "vllm"), Server("a", "a:8001", "vllm"), Server("b", "b:8000", "vllm")


def found(*servers: Server, pods: dict[Server, Pod] | None = None) -> ServersFound:
    return ServersFound(
        vocabularies=dict.fromkeys(servers, VLLM),
        pods=pods or {},
        observed_ms={(server, 0): 900_000 for server in servers},
    )


def test_a_gpu_serves_all_servers_of_its_host() -> None:
    told = {(GPU, 0): GpuTold(900_000)}
    assert owners(told, found(FIRST, SECOND, ELSEWHERE)) == {(GPU, 0): (FIRST, SECOND)}
    assert owners(told, found(ELSEWHERE)) == {(GPU, 0): ()}


def test_a_server_that_was_not_there_in_a_quarter_hour_has_no_gpu_in_it() -> None:
    assert owners({(GPU, 900_000): GpuTold(900_000)}, found(FIRST)) == {(GPU, 900_000): ()}


def test_pods_decide_where_gpus_and_servers_have_them() -> None:
    serving, training = Pod("ai", "llm-0"), Pod("ai", "train-1")
    servers = found(FIRST, SECOND, pods={FIRST: serving, SECOND: Pod("ai", "llm-1")})
    told = {
        (GPU, 0): GpuTold(900_000, pods={serving: 600_000, training: 300_000}),
        (OTHER, 0): GpuTold(900_000, pods={training: 900_000}),
    }
    assert owners(told, servers) == {(GPU, 0): (FIRST,), (OTHER, 0): ()}


def test_a_gpu_that_no_pod_has_serves_nobody_where_others_have_pods() -> None:
    serving = Pod("ai", "llm-0")
    told = {(GPU, 0): GpuTold(900_000, pods={serving: 900_000}), (OTHER, 0): GpuTold(900_000)}
    assert owners(told, found(FIRST, pods={FIRST: serving})) == {(GPU, 0): (FIRST,), (OTHER, 0): ()}


def test_an_exporter_without_pods_leaves_it_to_the_host() -> None:
    told = {(GPU, 0): GpuTold(900_000)}
    assert owners(told, found(FIRST, pods={FIRST: Pod("ai", "llm-0")})) == {(GPU, 0): (FIRST,)}


def test_a_gpu_is_at_work_with_the_busiest_of_its_servers() -> None:
    servers = found(FIRST, SECOND)
    servers.at_work = {(FIRST, 0): 0.25, (SECOND, 0): 0.75}
    assert at_work((FIRST, SECOND), 0, servers) == 0.75
    assert at_work((), 0, servers) is None
