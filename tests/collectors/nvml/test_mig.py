"""MIG: one GPU with one power, its instances beneath it without any, and every process once."""

from __future__ import annotations

from collectors.nvml.processes import joined
from collectors.readings import GpuProcess, MigInstance, Reason
from tests.nvml_stub.stub import Box, pynvml_as_found

__all__ = ["pynvml_as_found"]

MIB = 1 << 20
H100 = """
gpu NVIDIA H100 80GB HBM3
mig on
power_w 250
utilization_percent 90
memory_used_mib 31000
mig_instance 0 3g.40gb 40192
mig_instance 2 1g.10gb 9856 0 60
mig_process 0 4711 30000
mig_process 2 4712 500
"""


def pids(processes: tuple[GpuProcess, ...] | None) -> list[int]:
    return [process.pid for process in processes or ()]


def test_power_and_energy_are_the_whole_gpus() -> None:
    gpu = Box(H100).gpu_at(4)
    assert gpu.facts.mig
    assert (gpu.power_w, gpu.energy_mj) == (250, 1_000_000)


def test_utilization_does_not_exist_under_mig_and_is_not_invented() -> None:
    gpu = Box(H100).gpu_at(4)
    assert gpu.utilization is None
    assert dict(gpu.reasons)["utilization"] is Reason.UNSUPPORTED


def test_each_instance_has_its_own_name_memory_and_processes() -> None:
    first, second = Box(H100).gpu_at(4).mig_instances
    assert first == MigInstance(
        uuid="MIG-00000000-0000-0000-0000-000000000000",
        profile="3g.40gb",
        memory_used_bytes=30000 * MIB,
        memory_total_bytes=40192 * MIB,
        processes=(GpuProcess(4711, 30000 * MIB),),
    )
    assert (second.profile, second.memory_used_bytes, pids(second.processes)) == ("1g.10gb", 500 * MIB, [4712])


def test_a_process_on_an_instance_is_on_the_gpu_once() -> None:
    assert Box(H100).gpu_at(4).processes == (GpuProcess(4711, 30000 * MIB), GpuProcess(4712, 500 * MIB))


def test_processes_are_known_by_their_instances_where_the_whole_gpu_refuses_its_list() -> None:
    gpu = Box(H100 + "error nvmlDeviceGetComputeRunningProcesses_v3 NO_PERMISSION").gpu_at(4)
    assert pids(gpu.processes) == [4711, 4712]
    assert "processes" not in dict(gpu.reasons)


def test_processes_are_known_by_the_whole_gpu_where_its_instances_refuse_theirs() -> None:
    gpu = Box(H100 + "error mig:nvmlDeviceGetComputeRunningProcesses_v3 NOT_SUPPORTED").gpu_at(4)
    assert pids(gpu.processes) == [4711, 4712]
    assert [instance.processes for instance in gpu.mig_instances] == [None, None]


def test_where_all_refuse_the_processes_are_unknown() -> None:
    refused = "error nvmlDeviceGetComputeRunningProcesses_v3 NO_PERMISSION\n"
    gpu = Box(H100 + refused + refused.replace("nvml", "mig:nvml", 1)).gpu_at(4)
    assert gpu.processes is None
    assert dict(gpu.reasons)["processes"] is Reason.NO_PERMISSION


def test_an_instance_that_was_destroyed_is_gone_and_the_one_in_its_place_is_another() -> None:
    box = Box(H100 + "mig_instance 2 2g.20gb 20096 80\n")
    profiles = [[mig.profile for mig in box.gpu_at(second).mig_instances] for second in (0, 61, 81)]
    assert profiles == [["3g.40gb", "1g.10gb"], ["3g.40gb"], ["3g.40gb", "2g.20gb"]]
    assert box.gpu_at(86).mig_instances[1].uuid.endswith("2")
    assert pids(box.gpu_at(91).processes) == [4711, 4712]


def test_an_instance_that_dies_while_it_is_read_is_left_out() -> None:
    box = Box(H100 + "error mig:nvmlDeviceGetUUID INVALID_ARGUMENT 0 3\n")
    gpu = box.gpu_at(0)
    assert (gpu.mig_instances, gpu.power_w) == ((), 250)
    assert "mig_instances" not in dict(gpu.reasons)
    assert len(box.gpu_at(5).mig_instances) == 2


def test_instances_that_may_not_be_read_are_told() -> None:
    gpu = Box(H100 + "error nvmlDeviceGetMigDeviceHandleByIndex NO_PERMISSION").gpu_at(0)
    assert gpu.mig_instances == ()
    assert dict(gpu.reasons)["mig_instances"] is Reason.NO_PERMISSION


def test_a_gpu_that_is_lost_while_its_instances_are_read_is_lost() -> None:
    gpu = Box(H100 + "error mig:nvmlDeviceGetMemoryInfo_v2 GPU_IS_LOST\n").gpu_at(0)
    assert gpu.problem is Reason.LOST


def test_an_instance_without_version_2_of_the_memory_call_has_its_memory() -> None:
    gpu = Box(H100 + "error mig:nvmlDeviceGetMemoryInfo_v2 FUNCTION_NOT_FOUND").gpu_at(0)
    assert [mig.memory_total_bytes for mig in gpu.mig_instances] == [40192 * MIB, 9856 * MIB]


def test_an_instance_without_a_name_has_no_profile() -> None:
    gpu = Box(H100 + "error mig:nvmlDeviceGetName NOT_SUPPORTED").gpu_at(0)
    assert [mig.profile for mig in gpu.mig_instances] == ["", ""]


def test_garbled_pids_of_an_instance_are_not_used_either() -> None:
    more = "mig_process 0 4713 64\nmig_process 0 4714 64\nprocess_struct 535\n"
    gpu = Box(H100 + more + "error nvmlDeviceGetComputeRunningProcesses_v3 NO_PERMISSION").gpu_at(0)
    assert gpu.processes is None
    assert {mig.processes for mig in gpu.mig_instances} == {None}
    assert dict(gpu.reasons)["processes"] is Reason.DRIVER_ERROR


def test_without_mig_nothing_about_it_is_asked() -> None:
    box = Box("gpu NVIDIA H100 80GB HBM3\nmig_instance 0 1g.10gb 9856")
    assert box.gpu_at(0).mig_instances == ()
    assert box.stub.call_count("nvmlDeviceGetMaxMigDeviceCount") == 0


def instance(*processes: GpuProcess) -> MigInstance:
    return MigInstance("MIG-1", "1g.10gb", processes=processes)


def test_a_process_on_two_instances_has_the_memory_of_both() -> None:
    both = (instance(GpuProcess(7, 100)), instance(GpuProcess(7, 20)))
    assert joined(None, both) == (GpuProcess(7, 120),)
    assert joined((GpuProcess(7, 100), GpuProcess(7, 20)), both) == (GpuProcess(7, 120),)
    assert joined((GpuProcess(7, 100), GpuProcess(7, 20)), ()) == (GpuProcess(7, 120),)


def test_memory_that_is_unknown_on_one_instance_is_unknown_in_sum() -> None:
    assert joined(None, (instance(GpuProcess(7, None)), instance(GpuProcess(7, 20)))) == (GpuProcess(7, None),)


def test_no_process_is_not_the_same_as_not_known() -> None:
    assert joined(None, (instance(),)) == ()
    assert joined((), ()) == ()
    assert joined(None, ()) is None
