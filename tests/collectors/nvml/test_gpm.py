"""Tensor and memory-bandwidth activity: what the GPU did between two samples, where it can tell."""

from __future__ import annotations

import ctypes

import pynvml
import pytest

from collectors.nvml import port
from collectors.nvml.errors import Code, Refusal
from collectors.nvml.gpm import LONGEST_NS, GpmWindow
from collectors.readings import GpuReading, Reason
from tests.nvml_stub.stub import Box, pynvml_as_found

__all__ = ["pynvml_as_found"]

H100 = """
gpu NVIDIA H100 80GB HBM3
power_w 300
tensor_percent segments 0:20 10:60
dram_percent 75
"""


def activity(gpu: GpuReading) -> tuple[float | None, ...]:
    """Tensor and DRAM, to nine digits."""
    return tuple(None if share is None else round(share, 9) for share in (gpu.tensor_activity, gpu.dram_activity))


def test_activity_is_the_mean_share_of_the_time_since_the_last_reading() -> None:
    box = Box(H100)
    assert activity(box.gpu_at(0)) == (None, None)  # it takes two samples
    assert activity(box.gpu_at(8)) == (0.2, 0.75)
    assert activity(box.gpu_at(12)) == (0.4, 0.75)


def test_a_value_that_is_not_there_yet_has_no_reason_to_be_missing() -> None:
    assert not {"tensor_activity", "dram_activity"} & dict(Box(H100).gpu_at(0).reasons).keys()


def test_each_reading_costs_two_calls() -> None:
    box = Box(H100)
    for second in range(10):
        box.gpu_at(second)
    counts = {call: box.stub.call_count(call) for call in ("nvmlGpmSampleGet", "nvmlGpmMetricsGet")}
    assert counts == {"nvmlGpmSampleGet": 10, "nvmlGpmMetricsGet": 9}
    assert box.stub.call_count("nvmlGpmQueryDeviceSupport") == 1
    assert box.stub.call_count("nvmlGpmSampleAlloc") == 2


def test_before_hopper_the_gpu_is_asked_once_whether_it_can() -> None:
    box = Box("gpu NVIDIA A100-SXM4-80GB\narchitecture 7\ntensor_percent 50")
    for second in range(3):
        gpu = box.gpu_at(second)
        assert activity(gpu) == (None, None)
        assert dict(gpu.reasons)["tensor_activity"] is Reason.UNSUPPORTED
        assert dict(gpu.reasons)["dram_activity"] is Reason.UNSUPPORTED
    assert box.stub.call_count("nvmlGpmQueryDeviceSupport") == 1
    assert box.stub.call_count("nvmlGpmSampleAlloc") == box.stub.call_count("nvmlGpmSampleGet") == 0


def test_a_driver_without_gpm_is_asked_once() -> None:
    box = Box(H100 + "error nvmlGpmQueryDeviceSupport FUNCTION_NOT_FOUND")
    reasons = [dict(box.gpu_at(second).reasons)["dram_activity"] for second in range(3)]
    assert set(reasons) == {Reason.UNSUPPORTED}
    assert box.stub.call_count("nvmlGpmQueryDeviceSupport") == 1


def test_without_permission_it_says_so() -> None:
    box = Box(H100 + "error nvmlGpmSampleGet NO_PERMISSION")
    gpu = box.gpu_at(1)
    assert activity(gpu) == (None, None)
    assert dict(gpu.reasons)["tensor_activity"] is Reason.NO_PERMISSION
    assert gpu.power_w == 300


def test_one_metric_may_be_unsupported_and_the_other_not() -> None:
    box = Box(H100 + "error gpm:5 NOT_SUPPORTED")
    box.gpu_at(0)
    gpu = box.gpu_at(1)
    assert activity(gpu) == (None, 0.75)
    assert dict(gpu.reasons)["tensor_activity"] is Reason.UNSUPPORTED
    assert activity(box.gpu_at(2)) == (None, 0.75)


def test_when_no_metric_is_supported_the_samples_are_given_back_and_no_more_are_taken() -> None:
    box = Box(H100 + "error gpm:5 NOT_SUPPORTED\nerror gpm:10 NOT_SUPPORTED")
    for second in range(5):
        box.gpu_at(second)
    assert box.stub.call_count("nvmlGpmSampleGet") == 2
    assert box.stub.call_count("nvmlGpmSampleFree") == 2


def test_after_a_failed_sample_the_next_window_begins_at_the_last_good_one() -> None:
    box = Box(H100 + "error nvmlGpmSampleGet UNKNOWN 8 9")
    box.gpu_at(0)
    assert activity(box.gpu_at(4)) == (0.2, 0.75)
    failed = box.gpu_at(8)
    assert activity(failed) == (None, None)
    assert dict(failed.reasons)["tensor_activity"] is Reason.DRIVER_ERROR
    assert box.gpu_at(14).tensor_activity == pytest.approx((6 * 0.2 + 4 * 0.6) / 10)


def test_samples_are_more_than_100_ms_apart() -> None:
    """In between, the last window is the newest there is."""
    box = Box(H100)
    box.gpu_at(0)
    known = activity(box.gpu_at(1))
    for hundredths in range(1, 11):
        assert activity(box.gpu_at(1 + hundredths / 100)) == known
    assert box.stub.call_count("nvmlGpmSampleGet") == 2
    box.gpu_at(1.11)
    assert box.stub.call_count("nvmlGpmSampleGet") == 3


def test_a_mean_over_minutes_is_not_told_as_if_it_were_now() -> None:
    box = Box(H100)
    box.gpu_at(0)
    assert activity(box.gpu_at(LONGEST_NS / 1e9 + 1)) == (None, None)
    assert activity(box.gpu_at(LONGEST_NS / 1e9 + 2)) == (0.6, 0.75)


def test_samples_are_given_back_at_the_end() -> None:
    box = Box(H100 + "gpu NVIDIA H100 80GB HBM3\n")
    box.poll_at(0)
    box.session.close()
    assert box.stub.call_count("nvmlGpmSampleFree") == box.stub.call_count("nvmlGpmSampleAlloc") == 4


def test_samples_of_a_lost_gpu_are_given_back() -> None:
    box = Box(H100 + "error * GPU_IS_LOST 5\ngpu NVIDIA L4\n")
    box.poll_at(0)
    assert box.gpus_at(5)[0].problem is Reason.LOST
    assert box.stub.call_count("nvmlGpmSampleFree") == 2
    box.session.close()
    assert box.stub.call_count("nvmlGpmSampleFree") == 2 + 2  # the other GPU's


def test_a_new_initialisation_of_the_driver_takes_new_samples() -> None:
    box = Box(H100)
    box.gpu_at(0)
    box.stub.driver.nvmlShutdown()
    box.gpu_at(1)
    assert activity(box.gpu_at(6)) == (None, None)
    assert activity(box.gpu_at(7)) == (0.2, 0.75)


@pytest.mark.parametrize(
    ("percent", "share"), [("0", 0.0), ("100", 1.0), ("100.4", 1.0), ("-0.1", 0.0), ("nan", None), ("inf", None)]
)
def test_a_share_is_between_0_and_1_or_unknown(percent: str, share: float | None) -> None:
    box = Box(f"gpu NVIDIA H100 80GB HBM3\ndram_percent {percent}")
    box.gpu_at(0)
    gpu = box.gpu_at(1)
    assert gpu.dram_activity == share
    assert (dict(gpu.reasons).get("dram_activity") is Reason.DRIVER_ERROR) == (share is None)


@pytest.mark.parametrize("metrics_in_the_binding", [98, 210, 477])
def test_how_long_a_binding_takes_the_list_of_metrics_to_be_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, metrics_in_the_binding: int
) -> None:
    class Request(ctypes.Structure):
        _fields_ = [
            ("version", ctypes.c_uint),
            ("numMetrics", ctypes.c_uint),
            ("sample1", pynvml.c_nvmlGpmSample_t),
            ("sample2", pynvml.c_nvmlGpmSample_t),
            ("metrics", pynvml.c_nvmlGpmMetric_t * metrics_in_the_binding),
        ]

    monkeypatch.setattr(pynvml, "c_nvmlGpmMetricsGet_t", Request)
    box = Box(H100)
    box.gpu_at(0)
    assert activity(box.gpu_at(1)) == (0.2, 0.75)


def test_a_metric_nobody_knows_is_refused() -> None:
    box = Box(H100)
    box.gpu_at(0)
    handle = box.stub.driver.nvmlDeviceGetHandleByIndex(0)
    window = GpmWindow(box.stub.driver, box.calls, box.stub.clock, handle, (port.GPM_TENSOR, 999))
    window.advance()
    box.stub.set_time(1)
    window.advance()
    assert window.share(port.GPM_TENSOR) == pytest.approx(0.2)
    with pytest.raises(Refusal) as refusal:
        window.share(999)
    assert refusal.value.code == Code.NOT_SUPPORTED
