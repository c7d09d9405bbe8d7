"""Which GPUs serve which server."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.readings import GpuFacts, GpuProcess, GpuReading, MigInstance, ServerFacts
from tokwatch.ledger.placement import GpuPlacement, Method, place
from tokwatch.ledger.registry import gpu_key


def gpu(index: int, pids: tuple[int, ...] | None = (), uuid: str | None = "") -> GpuReading:
    """A GPU whose UUID is GPU- and its index eight times, unless told otherwise."""
    processes = None if pids is None else tuple(GpuProcess(pid, None) for pid in pids)
    return GpuReading(
        GpuFacts(index, f"GPU-{str(index) * 8}-aaaa" if uuid == "" else uuid), at_ns=0, processes=processes
    )


def server(
    address: str,
    pids: tuple[int, ...] = (),
    gpus: tuple[str, ...] | None = None,
    visible_devices: str | None = None,
    verified: bool = True,
    pod: str = "",
    anywhere: bool = False,
) -> ServerFacts:
    return ServerFacts(
        address,
        "vllm",
        pids=pids,
        gpus=gpus,
        visible_devices=visible_devices,
        verified=verified,
        pod=pod,
        anywhere=anywhere,
    )


def test_a_server_is_where_the_driver_lists_one_of_its_processes() -> None:
    placement = place([server("a:1", pids=(10, 11, 12))], [gpu(0, (11,)), gpu(1, (12,)), gpu(2)])
    assert placement.gpus_of("a:1") == ("GPU-00000000-aaaa", "GPU-11111111-aaaa")
    assert [found.method for found in placement.gpus] == ["process", "process", "unassigned"]
    assert placement.unplaced == ()


def test_a_process_of_no_server_is_foreign_and_an_empty_gpu_is_not() -> None:
    free, other, shared = place([server("a:1", pids=(10,))], [gpu(0), gpu(1, (99,)), gpu(2, (10, 99))]).gpus
    assert (free.has_process, free.foreign, free.servers) == (False, False, ())
    assert (other.has_process, other.foreign, other.servers) == (True, True, ())
    assert (shared.has_process, shared.foreign, shared.servers) == (True, True, ("a:1",))


def test_a_process_beside_a_server_whose_own_are_not_seen_may_be_its() -> None:
    unseen, seen = server("a:1", gpus=("0",)), server("a:2", pids=(20,))
    (found,) = place([unseen, seen], [gpu(0, (20, 4711))]).gpus
    assert (found.servers, found.foreign) == (("a:1", "a:2"), False)


def test_servers_on_one_gpu_share_it() -> None:
    (found,) = place([server("a:2", pids=(20,)), server("a:1", pids=(10,))], [gpu(0, (10, 20))]).gpus
    assert found == GpuPlacement("GPU-00000000-aaaa", ("a:1", "a:2"), "process", has_process=True, foreign=False)


@pytest.mark.parametrize("name", ["1", "GPU-11111111-aaaa", "gpu-11111111", "11111111", " 1 "])
def test_the_config_names_a_gpu_by_index_uuid_or_the_uuids_beginning(name: str) -> None:
    placement = place([server("a:1", gpus=(name,))], [gpu(0), gpu(1)])
    assert placement.gpus_of("a:1") == ("GPU-11111111-aaaa",)
    assert placement.gpus[1].method == Method.CONFIG
    assert placement.gpus[1].has_process
    assert placement.conflicts == ()


def test_the_config_overrides_the_driver_and_the_conflict_is_told() -> None:
    placement = place([server("a:1", pids=(10,), gpus=("0",))], [gpu(0), gpu(1, (10,))])
    assert placement.gpus_of("a:1") == ("GPU-00000000-aaaa",)
    assert not placement.gpus[1].foreign
    (conflict,) = placement.conflicts
    assert "GPU-11111111-aaaa" in conflict


@pytest.mark.parametrize("name", ["7", "GPU-1111", "GPU-99999999", "", "[red]"])
def test_a_gpu_that_the_config_names_and_the_box_lacks_is_told(name: str) -> None:
    placement = place([server("a:1", gpus=(name,))], [gpu(0)])
    assert placement.unplaced == ("a:1",)
    assert len(placement.conflicts) == 1


def test_a_prefix_that_fits_two_gpus_names_neither() -> None:
    placement = place(
        [server("a:1", gpus=("GPU-abcdef01",))], [gpu(0, uuid="GPU-abcdef01-1"), gpu(1, uuid="GPU-abcdef01-2")]
    )
    assert placement.unplaced == ("a:1",)


@pytest.mark.parametrize("pids", [None, ()])
def test_visible_devices_speak_where_the_driver_is_silent(pids: tuple[int, ...] | None) -> None:
    servers = [server("a:1", pids=(10,), visible_devices="1,GPU-22222222")]
    placement = place(servers, [gpu(index, pids) for index in range(3)])
    assert placement.gpus_of("a:1") == ("GPU-11111111-aaaa", "GPU-22222222-aaaa")
    assert placement.gpus[1].method == "visible devices"


def test_visible_devices_do_not_add_a_gpu_that_the_driver_knows_to_be_empty() -> None:
    placement = place([server("a:1", pids=(10,), visible_devices="0,1")], [gpu(0, (10,)), gpu(1)])
    assert placement.gpus_of("a:1") == ("GPU-00000000-aaaa",)


def test_visible_devices_do_not_claim_a_gpu_that_lists_others() -> None:
    assert place([server("a:1", pids=(10,), visible_devices="0")], [gpu(0, (99,))]).unplaced == ("a:1",)


def test_pids_of_a_container_are_not_compared_with_the_drivers() -> None:
    servers = [server("a:1", pids=(10,), visible_devices="1")]
    by_chance, own, other = place(servers, [gpu(0, (10,)), gpu(1, (4711,)), gpu(2)], host_pids=False).gpus
    assert (by_chance.servers, by_chance.foreign) == ((), True)
    assert (own.servers, own.foreign) == (("a:1",), False)
    assert (other.servers, other.has_process) == ((), False)


def test_a_gpu_without_a_uuid_is_known_by_its_index() -> None:
    assert gpu_key(GpuFacts(3, None)) == "index:3"
    assert place([server("a:1", gpus=("3",))], [gpu(3, None, uuid=None)]).gpus_of("a:1") == ("index:3",)


def test_another_users_server_is_placed_and_named_as_unverified() -> None:
    placement = place([server("a:1", pids=(10,), verified=False), server("a:2", pids=(20,))], [gpu(0, (10, 20))])
    assert placement.gpus[0].servers == ("a:1", "a:2")
    assert placement.unverified == ("a:1",)


def test_trap_14_tensor_parallel_ranks_are_found_by_their_processes_and_not_by_the_size_they_were_told() -> None:
    """A wrong tensor-parallel size makes tokens per watt wrong by 2 to 8 times."""
    facts = replace(server("a:1", pids=(10, 11, 12, 13, 14)), tensor_parallel=8)
    placement = place([facts], [gpu(n, (11 + n,)) for n in range(4)] + [gpu(4)])
    assert len(placement.gpus_of("a:1")) == 4


def test_trap_26_data_parallel_engines_behind_one_port_are_one_server_on_all_their_gpus() -> None:
    placement = place([replace(server("a:1", pids=(10, 11, 12)), data_parallel=2)], [gpu(0, (11,)), gpu(1, (12,))])
    assert [found.servers for found in placement.gpus] == [("a:1",), ("a:1",)]


def test_a_server_on_another_host_is_where_the_config_says() -> None:
    remote = replace(server("10.0.0.7:8000", gpus=("0", "GPU-11111111")), origin="config")
    assert place([remote], [gpu(0), gpu(1)]).gpus_of("10.0.0.7:8000") == ("GPU-00000000-aaaa", "GPU-11111111-aaaa")
    assert place([replace(remote, gpus=None)], [gpu(0)]).unplaced == ("10.0.0.7:8000",)


def mig_gpu(processes: tuple[int, ...] | None) -> GpuReading:
    """GPU 0 cut into two instances, the second of which lists processes."""
    listed = None if processes is None else tuple(GpuProcess(pid, None) for pid in processes)
    instances = (MigInstance("MIG-aaaa0000-1", "1g.10gb"), MigInstance("MIG-bbbb0000-2", "2g.20gb", processes=listed))
    return replace(gpu(0, None), mig_instances=instances)


def test_a_process_on_a_mig_instance_is_on_the_gpu_it_is_a_part_of() -> None:
    assert place([server("a:1", pids=(10,))], [mig_gpu((10,)), gpu(1)]).gpus_of("a:1") == ("GPU-00000000-aaaa",)


@pytest.mark.parametrize("device", ["MIG-bbbb0000-2", "mig-BBBB0000-2", "0:1", "MIG-GPU-00000000-aaaa/2/0"])
def test_a_mig_instance_that_a_server_was_given_stands_for_its_gpu(device: str) -> None:
    assert place([server("a:1", visible_devices=device)], [mig_gpu(None), gpu(1)]).gpus_of("a:1") == (
        "GPU-00000000-aaaa",
    )


def test_servers_on_instances_of_one_gpu_share_it() -> None:
    servers = [server(f"a:{n}", visible_devices=name) for n, name in enumerate(("MIG-aaaa0000-1", "MIG-bbbb0000-2"))]
    assert place(servers, [mig_gpu(None)]).gpus[0].servers == ("a:0", "a:1")


@pytest.mark.parametrize(("device", "placed"), [("1", False), ("pci:1", True), ("GPU-11111111", True)])
def test_cudas_index_places_nothing_on_a_box_of_different_gpus(device: str, placed: bool) -> None:
    """CUDA counts the fastest first, the driver by the PCI bus."""
    h100, l4 = (replace(gpu(n), facts=replace(gpu(n).facts, name=name)) for n, name in enumerate(("H100", "L4")))
    placement = place([server("a:1", visible_devices=device)], [h100, l4])
    assert placement.gpus_of("a:1") == (("GPU-11111111-aaaa",) if placed else ())
    assert ["CUDA_DEVICE_ORDER=PCI_BUS_ID" in words for words in placement.conflicts] == ([] if placed else [True])
    seen = place(
        [server("a:1", pids=(10,), visible_devices=device)], [h100, replace(l4, processes=(GpuProcess(10, 0),))]
    )
    assert (seen.gpus_of("a:1"), seen.conflicts) == (("GPU-11111111-aaaa",), ())


def test_a_server_on_a_box_without_accelerators_runs_on_its_processors() -> None:
    package = GpuReading(GpuFacts(0, None, kind="package", meter="RAPL"), at_ns=0)
    here, elsewhere = place([server("a:1", pids=(10,)), server("b:1")], [package]), place([], [package])
    assert (here.gpus[0].servers, here.gpus[0].method, here.unplaced) == (("a:1",), "this box", ("b:1",))
    assert elsewhere.gpus[0].servers == ()


PIDS = st.integers(1, 6)
DEVICES = st.sampled_from(["0", "1", "2", "9", "GPU-11111111-aaaa", "none", ""])
SERVERS = st.lists(
    st.builds(
        server,
        address=st.sampled_from(["a:1", "a:2", "a:3", "a:4"]),
        pids=st.lists(PIDS, max_size=3).map(tuple),
        gpus=st.none() | st.lists(DEVICES, max_size=3).map(tuple),
        visible_devices=st.none() | st.lists(DEVICES, max_size=3).map(",".join),
        verified=st.booleans(),
    ),
    max_size=5,
    unique_by=lambda facts: facts.address,
)
GPUS = st.lists(st.none() | st.lists(PIDS, max_size=3).map(tuple), max_size=4).map(
    lambda lists: [gpu(index, pids) for index, pids in enumerate(lists)]
)


@given(SERVERS, GPUS, st.booleans())
def test_every_gpu_is_there_once_and_every_server_is_placed_or_left_over(
    servers: list[ServerFacts], gpus: list[GpuReading], host_pids: bool
) -> None:
    placement = place(servers, gpus, host_pids=host_pids)
    assert [found.gpu_key for found in placement.gpus] == [gpu_key(one.facts) for one in gpus]
    placed = {address for found in placement.gpus for address in found.servers}
    assert placed.isdisjoint(placement.unplaced)
    assert placed | set(placement.unplaced) == {facts.address for facts in servers}
    for found in placement.gpus:
        assert len(set(found.servers)) == len(found.servers)
        assert (found.method == Method.NONE) == (found.servers == ())
        assert found.has_process or not (found.servers or found.foreign)


# --- where only a host or a pod is known ------------------------------------------------------------------------------


def seen_from_afar(index: int, *pods: str) -> GpuReading:
    """A GPU of a meter that sees no processes."""
    return replace(gpu(index, None), pods=pods)


def test_a_server_in_a_pod_is_on_the_gpus_that_the_pod_was_given() -> None:
    gpus = [
        seen_from_afar(0, "llm/vllm-0"),
        seen_from_afar(1, "llm/vllm-0"),
        seen_from_afar(2, "llm/vllm-1"),
        seen_from_afar(3),
    ]
    placement = place([server("a:1", pod="llm/vllm-0", anywhere=True)], gpus)
    assert placement.gpus_of("a:1") == ("GPU-00000000-aaaa", "GPU-11111111-aaaa")
    assert placement.gpus[0].method == Method.POD


@pytest.mark.parametrize(
    ("pod", "on_gpu", "same"),
    [("vllm-0", "llm/vllm-0", True), ("llm/vllm-0", "vllm-0", True), ("other/vllm-0", "llm/vllm-0", False)],
)
def test_pods_of_one_name_in_two_namespaces_are_two(pod: str, on_gpu: str, same: bool) -> None:
    assert bool(place([server("a:1", pod=pod)], [seen_from_afar(0, on_gpu)]).gpus_of("a:1")) is same


def test_the_only_server_of_a_host_has_all_its_gpus_where_nothing_else_tells() -> None:
    placement = place([server("a:1", anywhere=True)], [seen_from_afar(0), seen_from_afar(1)])
    assert [(placed.servers, placed.method) for placed in placement.gpus] == [(("a:1",), Method.SAME_HOST)] * 2


def test_several_servers_of_a_host_share_the_gpus_that_nobody_is_known_to_have() -> None:
    servers = [server(f"a:{n}", anywhere=True) for n in (1, 2)]
    servers.append(server("a:3", pod="vllm-3", anywhere=True))
    placement = place(servers, [seen_from_afar(0), seen_from_afar(1, "vllm-3")])
    assert [placed.servers for placed in placement.gpus] == [("a:1", "a:2"), ("a:3",)]


def test_what_the_config_says_is_not_shared_out_anew() -> None:
    servers = [server("a:1", gpus=("0",), anywhere=True), server("a:2", gpus=(), anywhere=True)]
    placement = place([*servers, server("a:3", anywhere=True)], [seen_from_afar(0), seen_from_afar(1)])
    assert [placed.servers for placed in placement.gpus] == [("a:1",), ("a:3",)]
