"""One GPU: what is read, what is unknown and why, and that no GPU stands in the way of another."""

from __future__ import annotations

import pytest

from collectors.readings import GpuProcess, Reason
from tests.nvml_stub.stub import Box, pynvml_as_found

__all__ = ["pynvml_as_found"]

H100 = """
gpu NVIDIA H100 80GB HBM3
power_w 300
utilization_percent 95
memory_used_mib 70000
memory_reserved_mib 500
temperature_c 61
memory_temperature_c 74
sm_clock_mhz 1980
throttle 4
process 4711 69000
"""


def test_every_field_is_in_the_unit_its_name_says() -> None:
    box = Box(H100)
    gpu = box.gpu_at(10)
    assert gpu.facts.name == "NVIDIA H100 80GB HBM3"
    assert gpu.facts.uuid == "GPU-00000000-0000-0000-0000-000000000000"
    assert gpu.facts.pci_bus_id == "00000000:01:00.0"
    assert gpu.facts.memory_total_bytes == 81559 << 20
    assert gpu.facts.power_limit_w == 700
    assert gpu.facts.driver_version == "580.82.07"
    assert gpu.power_w == 300
    assert gpu.power_instant_w == 300
    assert gpu.energy_mj == 3_000_000
    assert not gpu.energy_estimated
    assert gpu.utilization == 0.95
    assert gpu.memory_used_bytes == 70000 << 20  # version 2 of the call keeps the reserved part apart
    assert (gpu.temperature_c, gpu.memory_temperature_c) == (61, 74)
    assert (gpu.sm_clock_mhz, gpu.throttle) == (1980, 4)
    assert gpu.processes == (GpuProcess(4711, 69000 << 20),)
    assert gpu.problem is None
    assert gpu.reasons == ()


def test_unsupported_is_not_zero_and_asked_once() -> None:
    box = Box("""
gpu NVIDIA T1000
architecture 6
error nvmlDeviceGetUtilizationRates NOT_SUPPORTED
error nvmlDeviceGetClockInfo FUNCTION_NOT_FOUND
error nvmlDeviceGetEnforcedPowerLimit NOT_SUPPORTED
error field:185 NOT_SUPPORTED
error nvmlDeviceGetPowerUsage NOT_SUPPORTED
""")
    for second in range(8):
        gpu = box.gpu_at(second)
        assert (gpu.power_w, gpu.utilization, gpu.sm_clock_mhz, gpu.facts.power_limit_w) == (None, None, None, None)
        assert dict(gpu.reasons) == {
            "power_w": Reason.UNSUPPORTED,
            "utilization": Reason.UNSUPPORTED,
            "sm_clock_mhz": Reason.UNSUPPORTED,
            "power_limit_w": Reason.UNSUPPORTED,
            "memory_temperature_c": Reason.UNSUPPORTED,
            "tensor_activity": Reason.UNSUPPORTED,
            "dram_activity": Reason.UNSUPPORTED,
        }
    assert box.stub.call_count("nvmlDeviceGetUtilizationRates") == 1
    assert box.stub.call_count("nvmlDeviceGetPowerUsage") == 1
    assert box.stub.call_count("nvmlDeviceGetFieldValues") == 8 + 1  # the recovery action, once
    assert box.stub.call_count("nvmlGpmQueryDeviceSupport") == 1


def test_what_may_pass_is_asked_again() -> None:
    box = Box("""
gpu NVIDIA A100-SXM4-80GB
temperature_c 40
error nvmlDeviceGetTemperatureV NO_PERMISSION 0 2
error nvmlDeviceGetTemperatureV TIMEOUT 2 4
""")
    assert dict(box.gpu_at(1).reasons)["temperature_c"] is Reason.NO_PERMISSION
    assert dict(box.gpu_at(3).reasons)["temperature_c"] is Reason.DRIVER_ERROR
    assert box.gpu_at(5).temperature_c == 40


def test_an_older_call_stands_in_for_a_missing_one() -> None:
    box = Box("""
gpu NVIDIA A100-SXM4-80GB
power_w square 100 500 0.4 0.5
temperature_c 40
memory_used_mib 1000
memory_reserved_mib 24
error field:185 NOT_SUPPORTED
error nvmlDeviceGetTemperatureV FUNCTION_NOT_FOUND
error nvmlDeviceGetMemoryInfo_v2 ARGUMENT_VERSION_MISMATCH
""")
    gpu = box.gpu_at(10)
    assert gpu.power_w == 500  # PowerUsage; on this board the last moment, not an average
    assert gpu.temperature_c == 40
    assert gpu.memory_used_bytes == 1024 << 20  # version 1 counts the reserved part as used
    assert not {"power_w", "temperature_c", "memory_used_bytes"} & dict(gpu.reasons).keys()


def test_a_driver_without_field_values_still_gives_power_and_energy() -> None:
    box = Box("gpu NVIDIA H100 PCIe\npower_w 200\nerror nvmlDeviceGetFieldValues FUNCTION_NOT_FOUND")
    gpu = box.gpu_at(10)
    assert (gpu.power_w, gpu.energy_mj, gpu.energy_estimated) == (200, 2_000_000, False)
    assert gpu.memory_temperature_c is None
    assert box.gpu_at(11).energy_mj == 2_200_000


def test_a_gpu_that_refuses_its_handle_does_not_hide_the_others() -> None:
    box = Box(H100 + "gpu NVIDIA H100 80GB HBM3\nerror nvmlDeviceGetHandleByIndex_v2 NO_PERMISSION 0 30\npower_w 150")
    seen, refused = box.gpus_at(1)
    assert seen.power_w == 300
    assert (refused.facts.index, refused.facts.uuid) == (1, None)
    assert refused.problem is Reason.NO_PERMISSION
    assert "/dev/nvidia" in refused.problem_text
    assert refused.power_w is None
    assert box.gpus_at(62)[1].power_w == 150  # asked again after a minute


def test_a_lost_gpu_stays_lost_and_the_others_go_on() -> None:
    box = Box(H100 + "error * GPU_IS_LOST 20 40\ngpu NVIDIA H100 80GB HBM3\npower_w 150")
    before = box.gpus_at(19)[0]
    lost, other = box.gpus_at(20)
    assert lost.problem is Reason.LOST
    assert lost.facts == before.facts
    assert (lost.power_w, lost.energy_mj) == (None, None)
    assert "reboot" in lost.problem_text
    assert other.power_w == 150
    calls = box.stub.call_count("nvmlDeviceGetFieldValues")
    lost, other = box.gpus_at(1000)  # the driver would answer again: it is not asked, that may hang it
    assert lost.problem is Reason.LOST
    assert other.energy_mj == 150_000_000
    assert box.stub.call_count("nvmlDeviceGetFieldValues") == calls + 1


def test_processes_are_listed_every_five_seconds_and_carried_between() -> None:
    box = Box("gpu NVIDIA L4\nprocess 100 64\nprocess 200 64 3 9")
    pids = [[process.pid for process in box.gpu_at(second).processes or ()] for second in (0, 3, 4, 5, 9, 10)]
    assert pids == [[100], [100], [100], [100, 200], [100, 200], [100]]
    assert box.stub.call_count("nvmlDeviceGetComputeRunningProcesses_v3") == 3 * 2  # size, then list


def test_no_process_is_not_the_same_as_not_known() -> None:
    box = Box("gpu NVIDIA L4")
    assert box.gpu_at(0).processes == ()


@pytest.mark.parametrize(("pid", "possible"), [(1, True), ((1 << 22) - 1, True), (1 << 22, False), (0, False)])
def test_any_pid_that_a_host_can_give_is_listed(pid: int, possible: bool) -> None:
    """Whether a process of that number runs here is not asked: the driver's pids are the host's, not a container's."""
    processes = Box(f"gpu NVIDIA L4\nprocess {pid} 64").gpu_at(0).processes
    assert processes == ((GpuProcess(pid, 64 << 20),) if possible else None)


def test_garbled_process_lists_of_driver_535_are_dropped_and_told() -> None:
    box = Box(
        "driver 535.54.03\ngpu NVIDIA L4\nprocess_struct 535\nprocess 4711 69000\nprocess 4712 64\nprocess 4713 64"
    )
    poll = box.poll_at(0)
    assert poll.readings[0].processes is None
    assert dict(poll.readings[0].reasons)["processes"] is Reason.DRIVER_ERROR
    (probe,) = [probe for probe in poll.probes if probe.name == "NVIDIA process list"]
    assert "535.54.03" in probe.found
    assert "update the driver" in probe.hint


def test_text_from_the_board_is_cleaned_at_the_door() -> None:
    box = Box("gpu NVIDIA \x1b[31mH100\nuuid GPU-\x07")
    facts = box.gpu_at(0).facts
    assert "\x1b" not in (facts.name or "")
    assert "\x07" not in (facts.uuid or "")


def test_a_name_that_is_no_text_costs_only_the_name() -> None:
    gpu = Box("gpu \udcff\udcfe\npower_w 100").gpu_at(1)
    assert (gpu.facts.name, gpu.power_w, gpu.problem) == (None, 100, None)
