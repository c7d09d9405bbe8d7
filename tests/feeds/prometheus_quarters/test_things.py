"""What labels speak of: hosts, pods and GPUs, in the spellings that exporters and a Prometheus in between have."""

from __future__ import annotations

from collectors.meters.dcgm import DCGM
from collectors.meters.nvidia_gpu_exporter import NVIDIA_GPU_EXPORTER
from collectors.prometheus.identity import HostIdentity
from tokwatch.feeds.prometheus_quarters.things import Gpu, GpuAbout, Pod, gpu_of, host_of, names_its_host, pod_of

IDENTITY = HostIdentity()


def test_the_host_is_named_by_its_label_before_the_address() -> None:
    labels = {"instance": "10.0.0.2:9400", "Hostname": "gpu-7"}
    assert host_of(labels, IDENTITY) == "gpu-7"
    assert names_its_host(labels, IDENTITY)


def test_an_address_names_the_host_without_its_port() -> None:
    assert host_of({"instance": "gpu-7:8000"}, IDENTITY) == "gpu-7"
    assert host_of({"instance": "[fe80::1]:8000"}, IDENTITY) == "[fe80::1]"
    assert not names_its_host({"instance": "gpu-7:8000"}, IDENTITY)
    assert host_of({}, IDENTITY) == ""


def test_the_pod_that_an_exporter_names_goes_before_its_own() -> None:
    labels = {"pod": "dcgm-exporter-x", "namespace": "monitoring", "exported_pod": "llm-0", "exported_namespace": "ai"}
    assert pod_of(labels) == Pod("ai", "llm-0")
    assert pod_of({"pod": "llm-0", "namespace": "ai"}) == Pod("ai", "llm-0")
    assert pod_of({"instance": "a:1"}) is None


def test_a_gpu_is_its_uuid_whatever_the_exporter_leaves_out_of_it() -> None:
    labels = {"UUID": "GPU-1", "gpu": "3", "modelName": "NVIDIA H100", "Hostname": "gpu-7", "pci_bus_id": "0:1"}
    assert gpu_of(labels, DCGM, IDENTITY) == (Gpu("gpu-7", "GPU-1"), GpuAbout(3, "GPU-1", "NVIDIA H100", None))
    found = gpu_of({"uuid": "1", "instance": "gpu-7:9835"}, NVIDIA_GPU_EXPORTER, IDENTITY)
    assert found == (Gpu("gpu-7", "GPU-1"), GpuAbout(0, "GPU-1", None, None))


def test_labels_of_no_device_are_none() -> None:
    assert gpu_of({"instance": "gpu-7:9400"}, DCGM, IDENTITY) is None
