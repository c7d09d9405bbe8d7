"""The driver's return codes, one by one: what a value becomes, what a whole GPU becomes, and what the user is told."""

from __future__ import annotations

import pynvml
import pytest

from collectors.nvml.errors import Code, driver_words, gpu_words, reason_for, recovery_words
from collectors.readings import GpuProcess, Reason
from tests.nvml_stub.stub import Box, pynvml_as_found

__all__ = ["pynvml_as_found"]

H100 = "gpu NVIDIA H100 80GB HBM3\npower_w 300\nutilization_percent 90\n"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("NOT_SUPPORTED", Reason.UNSUPPORTED),
        ("FUNCTION_NOT_FOUND", Reason.UNSUPPORTED),
        ("ARGUMENT_VERSION_MISMATCH", Reason.UNSUPPORTED),
        ("DEPRECATED", Reason.UNSUPPORTED),
        ("NO_PERMISSION", Reason.NO_PERMISSION),
        ("TIMEOUT", Reason.DRIVER_ERROR),
        ("UNKNOWN", Reason.DRIVER_ERROR),
        ("NO_DATA", Reason.DRIVER_ERROR),
        ("NOT_FOUND", Reason.DRIVER_ERROR),
        ("MEMORY", Reason.DRIVER_ERROR),
        ("IN_USE", Reason.DRIVER_ERROR),
        ("INSUFFICIENT_SIZE", Reason.DRIVER_ERROR),
        ("OPERATING_SYSTEM", Reason.DRIVER_ERROR),
        ("INVALID_ARGUMENT", Reason.DRIVER_ERROR),
    ],
)
def test_a_value_that_is_refused_is_unknown_for_a_reason_and_the_gpu_goes_on(code: str, reason: Reason) -> None:
    gpu = Box(f"{H100}error nvmlDeviceGetUtilizationRates {code}").gpu_at(1)
    assert gpu.utilization is None
    assert dict(gpu.reasons)["utilization"] is reason
    assert (gpu.power_w, gpu.problem) == (300, None)


@pytest.mark.parametrize(
    ("code", "reason", "found", "hint"),
    [
        ("GPU_IS_LOST", Reason.LOST, "fell off the bus (Xid 79)", "reboot"),
        ("RESET_REQUIRED", Reason.LOST, "needs a reset", "nvidia-smi --gpu-reset"),
        ("NO_PERMISSION", Reason.NO_PERMISSION, "no permission", "/dev/nvidia"),
        ("CORRUPTED_INFOROM", Reason.DRIVER_ERROR, "infoROM is corrupt", "vendor"),
        ("INSUFFICIENT_POWER", Reason.DRIVER_ERROR, "power cable", "power connectors"),
        ("IRQ_ISSUE", Reason.DRIVER_ERROR, "interrupts", "dmesg"),
        ("UNKNOWN", Reason.DRIVER_ERROR, "cannot read this GPU", "dmesg"),
        ("OPERATING_SYSTEM", Reason.DRIVER_ERROR, "(NVML error 17)", "container"),
        ("TIMEOUT", Reason.DRIVER_ERROR, "(NVML error 10)", "dmesg"),
    ],
)
def test_a_gpu_that_refuses_its_handle_says_why_and_what_to_do(
    code: str, reason: Reason, found: str, hint: str
) -> None:
    poll = Box(f"{H100}error nvmlDeviceGetHandleByIndex_v2 {code}\ngpu NVIDIA L4\npower_w 40").poll_at(1)
    refused, other = poll.readings
    assert refused.problem is reason
    assert found in refused.problem_text
    assert hint in refused.problem_text
    assert [probe.hint for probe in poll.probes if probe.name == "GPU 0"] == [refused.problem_text]
    assert (other.power_w, other.problem) == (40, None)


@pytest.mark.parametrize("code", ["GPU_IS_LOST", "RESET_REQUIRED"])
@pytest.mark.parametrize(
    "call", ["nvmlDeviceGetUtilizationRates", "nvmlGpmSampleGet", "nvmlDeviceGetComputeRunningProcesses_v3", "field:83"]
)
def test_a_gpu_that_any_call_finds_lost_is_lost(call: str, code: str) -> None:
    assert Box(f"{H100}error {call} {code}").gpu_at(1).problem is Reason.LOST


def test_what_the_driver_wants_done_about_a_gpu_is_told_while_it_still_works() -> None:
    box = Box(H100 + "recovery_action segments 0:0 10:4")
    assert [probe.name for probe in box.poll_at(5).probes] == ["NVIDIA driver"]
    (probe,) = [probe for probe in box.poll_at(10).probes if probe.name == "GPU 0"]
    assert not probe.ok
    assert "until it is reset" in probe.found
    assert "drain it" in probe.hint


def test_a_gpu_that_needs_a_reset_says_what_kind_if_it_can() -> None:
    lost = "error nvmlDeviceGetUtilizationRates RESET_REQUIRED 7\n"
    box = Box(f"{H100}recovery_action segments 0:0 7:2\n{lost}gpu NVIDIA L4")
    box.gpus_at(0)
    assert "reboot of this host" in box.gpus_at(7)[0].problem_text
    silent = Box(f"{H100}{lost}error nvmlDeviceGetFieldValues RESET_REQUIRED 7\ngpu NVIDIA L4")
    silent.gpus_at(0)
    assert "GPU needs a reset" in silent.gpus_at(7)[0].problem_text


def test_every_recovery_action_of_the_binding_has_words() -> None:
    names = [name for name in dir(pynvml) if name.startswith("NVML_GPU_RECOVERY_ACTION_")]
    words = {getattr(pynvml, name): recovery_words(getattr(pynvml, name)) for name in names}
    assert words.pop(0) is None
    assert len(words) >= 4
    assert not any("recovery action" in str(each) for each in words.values())
    assert "recovery action 99" in str(recovery_words(99))


def test_functions_that_the_driver_is_too_old_for_are_named_with_its_version() -> None:
    missing = "nvmlGpmQueryDeviceSupport", "nvmlDeviceGetTemperatureV"
    errors = "".join(f"error {call} FUNCTION_NOT_FOUND\n" for call in missing)
    (probe,) = [p for p in Box("driver 470.82.01\n" + H100 + errors).poll_at(0).probes if "functions" in p.name]
    assert probe.found == "driver 470.82.01 has no nvmlDeviceGetTemperatureV, nvmlGpmQueryDeviceSupport"
    assert "newer driver" in probe.hint


def test_a_list_that_outgrew_its_buffer_is_asked_for_once_more() -> None:
    scenario = "gpu NVIDIA L4\nprocess 100 64\nerror nvmlDeviceGetComputeRunningProcesses_v3 INSUFFICIENT_SIZE 0 5"
    box = Box(scenario)
    assert dict(box.gpu_at(0).reasons)["processes"] is Reason.DRIVER_ERROR
    assert box.calls.durations()["nvmlDeviceGetComputeRunningProcesses_v3"][0] == 2
    assert box.gpu_at(5).processes == (GpuProcess(100, 64 << 20),)


def test_a_code_of_a_newer_driver_is_a_driver_error_with_its_number() -> None:
    assert reason_for(777) is Reason.DRIVER_ERROR
    assert "777" in str(driver_words(777))
    assert "777" in str(gpu_words(777))


def test_our_codes_are_the_bindings() -> None:
    for code in Code:
        name = "NVML_SUCCESS" if code is Code.SUCCESS else f"NVML_ERROR_{code.name}"
        assert getattr(pynvml, name, code) == code
