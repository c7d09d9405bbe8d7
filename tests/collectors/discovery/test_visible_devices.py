"""Which devices a process was given."""

from __future__ import annotations

import pytest

from collectors.discovery.visible_devices import visible_devices


@pytest.mark.parametrize(
    ("variables", "devices"),
    [
        ({}, None),
        ({"CUDA_VISIBLE_DEVICES": "2,3"}, "2,3"),
        ({"CUDA_VISIBLE_DEVICES": " 2, 3 "}, "2,3"),
        ({"CUDA_VISIBLE_DEVICES": "GPU-8932f937"}, "GPU-8932f937"),
        ({"CUDA_VISIBLE_DEVICES": "MIG-GPU-8932f937-d72c-4106/1/0"}, "MIG-GPU-8932f937-d72c-4106/1/0"),
        ({"CUDA_VISIBLE_DEVICES": ""}, ""),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, ""),
        ({"CUDA_VISIBLE_DEVICES": "0,-1,1"}, "0"),
        ({"CUDA_VISIBLE_DEVICES": "0:1"}, "0:1"),
        ({"CUDA_VISIBLE_DEVICES": "MIG-8932f937-d72c-4106"}, "MIG-8932f937-d72c-4106"),
        ({"CUDA_VISIBLE_DEVICES": "2,GPU-8932f937", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, "pci:2,GPU-8932f937"),
        ({"CUDA_VISIBLE_DEVICES": "2", "CUDA_DEVICE_ORDER": "FASTEST_FIRST"}, "2"),
        ({"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, None),
        ({"HIP_VISIBLE_DEVICES": "1"}, "1"),
        ({"ROCR_VISIBLE_DEVICES": "1"}, "1"),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, None),
        ({"NVIDIA_VISIBLE_DEVICES": "void", "CUDA_VISIBLE_DEVICES": "1"}, "1"),
    ],
)
def test_the_variable_is_read_as_the_runtime_reads_it(variables: dict[str, str], devices: str | None) -> None:
    assert visible_devices(variables) == devices


def test_indices_inside_a_container_count_among_the_devices_given_to_it() -> None:
    given = {"NVIDIA_VISIBLE_DEVICES": "4,5", "CUDA_VISIBLE_DEVICES": "1"}
    assert visible_devices(given) == "5"
    assert visible_devices({"ROCR_VISIBLE_DEVICES": "2,3", "HIP_VISIBLE_DEVICES": "0,7"}) == "2"


@pytest.mark.parametrize("value", ["sk-5ecret", "[red]0[/red]", "0\x1b[31m", "GPU-sk-5ecret"])
def test_anything_else_in_the_variable_is_not_passed_on(value: str) -> None:
    assert visible_devices({"CUDA_VISIBLE_DEVICES": value}) == ""
