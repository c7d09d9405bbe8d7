"""utkuozdemir/nvidia_gpu_exporter: nvidia-smi's fields in base units, and with its NVML backend an energy counter.

Names, indices and drivers stand on an info series only, and UUIDs without their "GPU-".
"""

from collectors.meters.meter import Meter, Parts, told_by

NVIDIA_GPU_EXPORTER = Meter(
    name="nvidia_gpu_exporter",
    signs=(frozenset({"nvidia_smi_gpu_info"}),),
    identity=(("uuid",),),
    uuid="uuid",
    uuid_prefix="GPU-",
    index=("index",),
    pci=("pci_bus_id",),
    model=("name",),
    driver=("driver_version",),
    info=("nvidia_smi_gpu_info", "nvidia_smi_mig_info"),
    values={
        "power_w": (told_by("nvidia_smi_power_draw_average_watts"), told_by("nvidia_smi_power_draw_watts")),
        "power_instant_w": (told_by("nvidia_smi_power_draw_instant_watts"),),
        "power_limit_w": (told_by("nvidia_smi_enforced_power_limit_watts"),),
        "energy_mj": (told_by("nvidia_smi_energy_joules_total", scale=1e3),),
        "utilization": (told_by("nvidia_smi_utilization_gpu_ratio"),),
        "memory_used_bytes": (told_by("nvidia_smi_memory_used_bytes"),),
        "memory_total_bytes": (told_by("nvidia_smi_memory_total_bytes"),),
        "temperature_c": (told_by("nvidia_smi_temperature_gpu"),),
        "memory_temperature_c": (told_by("nvidia_smi_temperature_memory"),),
        "sm_clock_mhz": (told_by("nvidia_smi_clocks_current_sm_clock_hz", scale=1e-6),),
    },
    parts=Parts(
        labels=("gpu_instance_id",),
        uuid="mig_uuid",
        profile="profile",
        memory_used=(told_by("nvidia_smi_mig_memory_used_bytes"),),
        memory_total=(told_by("nvidia_smi_mig_memory_total_bytes"),),
    ),
)
