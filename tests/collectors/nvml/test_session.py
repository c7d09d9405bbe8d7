"""The driver as a whole: missing, not loaded, shut down under us; and what the user is told."""

from __future__ import annotations

import pynvml
import pytest

from collectors.nvml.calls import Calls
from collectors.nvml.session import Session
from collectors.readings import Probe, Reason
from tests.nvml_stub.stub import Box, pynvml_as_found

__all__ = ["pynvml_as_found"]

GPUS = "gpu NVIDIA H100 80GB HBM3\npower_w 300\ngpu NVIDIA H100 80GB HBM3\npower_w 100\n"


def driver_probe(probes: tuple[Probe, ...]) -> Probe:
    (probe,) = [probe for probe in probes if probe.name == "NVIDIA driver"]
    return probe


def test_a_working_driver_is_told_with_version_and_count() -> None:
    assert Box(GPUS).poll_at(0).probes == (Probe("NVIDIA driver", True, "580.82.07, 2 GPUs"),)


@pytest.mark.parametrize(
    ("code", "found", "hint"),
    [
        ("LIBRARY_NOT_FOUND", "no NVIDIA driver library", "--gpus all"),
        ("DRIVER_NOT_LOADED", "kernel module is not loaded", "modprobe nvidia"),
        ("LIB_RM_VERSION_MISMATCH", "upgraded but not reloaded", "reboot"),
        ("NO_PERMISSION", "no permission", "/dev/nvidia"),
        ("OPERATING_SYSTEM", "operating system blocks", "recreate"),
        ("UNKNOWN", "without saying why", "recreate"),
        ("TIMEOUT", "NVML error 10", "dmesg"),
    ],
)
def test_what_is_wrong_with_the_driver_is_told_with_what_to_do(code: str, found: str, hint: str) -> None:
    poll = Box(f"error nvmlInitWithFlags {code}\n{GPUS}").poll_at(0)
    probe = driver_probe(poll.probes)
    assert poll.readings == ()
    assert not probe.ok
    assert found in probe.found
    assert hint in probe.hint


def test_no_driver_library_on_the_host_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(pynvml, "nvmlLib", None)
    monkeypatch.setattr(pynvml, "CDLL", no_library)
    poll = Session(pynvml, Calls(pynvml), lambda: 0).poll()
    assert "no NVIDIA driver library" in driver_probe(poll.probes).found


def test_a_failing_driver_is_retried_at_doubling_intervals_of_at_most_a_minute() -> None:
    box = Box("error nvmlInitWithFlags DRIVER_NOT_LOADED 0 300\n" + GPUS)
    tried_s = []
    for second in range(400):
        before = box.stub.call_count("nvmlInitWithFlags")
        readings = box.gpus_at(second)
        if box.stub.call_count("nvmlInitWithFlags") > before:
            tried_s.append(second)
    assert tried_s == [0, 5, 15, 35, 75, 135, 195, 255, 315]
    assert [gpu.power_w for gpu in readings] == [300, 100]


def test_a_library_shut_down_under_us_is_opened_again() -> None:
    box = Box(GPUS)
    before = box.gpus_at(0)
    box.stub.driver.nvmlShutdown()
    down = box.gpus_at(1)
    assert [gpu.facts for gpu in down] == [gpu.facts for gpu in before]
    assert {gpu.problem for gpu in down} == {Reason.DRIVER_ERROR}
    again = box.gpus_at(6)
    assert [gpu.facts.uuid for gpu in again] == [gpu.facts.uuid for gpu in before]
    assert [gpu.energy_mj for gpu in again] == [1_800_000, 600_000]
    box.session.close()


def test_a_gpu_that_refuses_its_handle_after_a_new_init_keeps_its_identity() -> None:
    box = Box(GPUS + "error nvmlDeviceGetHandleByIndex_v2 GPU_IS_LOST 5\n")
    before = box.gpus_at(0)
    box.stub.driver.nvmlShutdown()
    box.gpus_at(1)
    seen, lost = box.gpus_at(6)
    assert seen.problem is None
    assert lost.problem is Reason.LOST
    assert lost.facts == before[1].facts


def test_when_every_gpu_is_lost_the_driver_is_opened_again_until_they_are_back() -> None:
    box = Box("error * GPU_IS_LOST 10 12\n" + GPUS)
    box.gpus_at(9)
    assert {gpu.problem for gpu in box.gpus_at(10)} == {Reason.LOST}
    assert {gpu.problem for gpu in box.gpus_at(14)} == {Reason.LOST}
    assert [gpu.power_w for gpu in box.gpus_at(15)] == [300, 100]


def test_gpus_that_were_lost_before_we_came_are_rows_too() -> None:
    box = Box("gpu NVIDIA L4\nerror * GPU_IS_LOST\n")
    for second in (0, 1, 5):
        gpu = box.gpu_at(second)
        assert (gpu.facts.index, gpu.facts.uuid, gpu.problem) == (0, None, Reason.LOST)


def test_persistence_mode_off_is_a_warning() -> None:
    probes = Box(GPUS + "persistence off\n").poll_at(0).probes
    (warning,) = [probe for probe in probes if probe.name == "NVIDIA persistence mode"]
    assert warning.found == "off on GPU 1"
    assert "nvidia-smi -pm 1" in warning.hint


def test_a_driver_without_gpus_is_told() -> None:
    probe = driver_probe(Box("driver 570.1").poll_at(0).probes)
    assert (probe.ok, probe.found) == (False, "570.1, 0 GPUs")
    assert "--gpus" in probe.hint


def test_closing_shuts_the_driver_down_once() -> None:
    box = Box(GPUS)
    box.poll_at(0)
    box.session.close()
    box.session.close()
    assert box.stub.call_count("nvmlShutdown") == 1


def test_calls_are_counted_and_timed_by_name() -> None:
    box = Box(GPUS)
    box.poll_at(0)
    box.poll_at(1)
    count, mean_us, longest_us = box.calls.durations()["nvmlDeviceGetFieldValues"]
    assert count == 2 * (2 + 1)  # each GPU at both, and once for its recovery action
    assert 0 < mean_us <= longest_us
