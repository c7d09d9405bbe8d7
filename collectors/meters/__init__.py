"""Exporters that meter GPUs and hosts: one table a file, and what recognises their pages."""

from __future__ import annotations

from collectors.meters.all_smi import ALL_SMI, ALL_SMI_CHASSIS
from collectors.meters.amd import AMD
from collectors.meters.dcgm import DCGM
from collectors.meters.gaudi import GAUDI
from collectors.meters.ipmi import IPMI
from collectors.meters.kepler import KEPLER_GPU, KEPLER_HOST
from collectors.meters.meter import HostMeter, Meter
from collectors.meters.neuron import NEURON
from collectors.meters.nvidia_gpu_exporter import NVIDIA_GPU_EXPORTER
from collectors.meters.redfish import IDRAC, REDFISH
from collectors.meters.scaphandre import SCAPHANDRE
from collectors.meters.tpu import TPU
from collectors.meters.xpu_manager import XPU_MANAGER_1, XPU_MANAGER_2

METERS: tuple[Meter, ...] = (
    DCGM,
    NVIDIA_GPU_EXPORTER,
    AMD,
    XPU_MANAGER_1,
    XPU_MANAGER_2,
    GAUDI,
    NEURON,
    TPU,
    KEPLER_GPU,
    ALL_SMI,
)
HOST_METERS: tuple[HostMeter, ...] = (IPMI, IDRAC, REDFISH, KEPLER_HOST, ALL_SMI_CHASSIS, SCAPHANDRE)
OF_EVERY_VENDOR = frozenset({ALL_SMI.name, KEPLER_GPU.name})  # they read devices that a vendor's own meter reads too
