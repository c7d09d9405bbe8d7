"""Intel XPU Manager: 1.x with names of its own, the 2.x daemon with OpenTelemetry's hardware names.

Tiles ("sub_dev", "subdevice_id") stand beside their board: they are never summed. Of the power domains of 2.x the
widest is the board: the card, else the package, else the GPU alone.
"""

from collectors.meters.meter import Meter, Parts, Several, told_by

_HOTTEST = Several.MOST
_BUSIEST = Several.MOST  # engines of one board work side by side: their shares of time do not add up

XPU_MANAGER_1 = Meter(
    name="XPU Manager",
    signs=(frozenset({"xpum_power_watts"}), frozenset({"xpum_engine_ratio"}), frozenset({"xpum_memory_used_bytes"})),
    identity=(("uuid",), ("pci_bdf",)),
    uuid="uuid",
    pci=("pci_bdf",),
    model=("dev_name",),
    values={
        "power_w": (told_by("xpum_power_watts"),),
        "energy_mj": (told_by("xpum_energy_joules", scale=1e3), told_by("xpum_energy_joules_total", scale=1e3)),
        "utilization": (told_by("xpum_engine_ratio"),),  # its help says percent, its code writes 0..1
        "memory_used_bytes": (told_by("xpum_memory_used_bytes"),),
        "temperature_c": (told_by("xpum_temperature_celsius", labels=(("location", "gpu"),), several=_HOTTEST),),
        "memory_temperature_c": (told_by("xpum_temperature_celsius", labels=(("location", "mem"),), several=_HOTTEST),),
        "sm_clock_mhz": (told_by("xpum_frequency_mhz", labels=(("location", "gpu"), ("type", "actual"))),),
        "dram_activity": (told_by("xpum_memory_bandwidth_ratio"),),
    },
    parts=Parts(labels=("sub_dev",)),
)

XPU_MANAGER_2 = Meter(
    name="XPU Manager",
    signs=(
        frozenset({"hw_gpu_info"}),
        frozenset({"hw_gpu_utilization_ratio"}),
        frozenset({"hw_power_watts", "hw_energy_joules_total"}),
    ),
    identity=(("pci_bdf",), ("hw_id",)),
    pci=("pci_bdf",),
    model=("hw_model",),
    info=("hw_gpu_info",),
    values={
        "power_w": tuple(
            told_by("hw_power_watts", labels=(("hw_sensor_location", place),)) for place in ("card", "package", "gpu")
        ),
        "energy_mj": tuple(
            told_by("hw_energy_joules_total", scale=1e3, labels=(("hw_sensor_location", place),))
            for place in ("card", "package", "gpu")
        ),
        "utilization": (
            told_by("hw_gpu_utilization_ratio", labels=(("hw_gpu_task", "all"),)),
            told_by("hw_gpu_utilization_ratio", several=_BUSIEST),
        ),
        "memory_used_bytes": (
            told_by("hw_memory_usage_bytes", labels=(("hw_memory_location", "device"),), several=Several.SUM),
        ),
        "memory_total_bytes": (
            told_by("hw_memory_size_bytes", labels=(("hw_memory_location", "device"),), several=Several.SUM),
        ),
        "temperature_c": (
            told_by(
                "hw_temperature_celsius",
                labels=(("hw_sensor_location", "gpu|global"), ("statistic", "max|")),
                several=_HOTTEST,
            ),
        ),
        "memory_temperature_c": (
            told_by(
                "hw_temperature_celsius",
                labels=(("hw_sensor_location", "memory"), ("statistic", "max|")),
                several=_HOTTEST,
            ),
        ),
    },
    parts=Parts(labels=("com_intel_subdevice_id",)),
)
