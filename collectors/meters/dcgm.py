"""NVIDIA dcgm-exporter, and what else writes DCGM's field names.

DCGM 4.6 has new names for old fields: the same numbers, so GPU_UTIL_RATIO is in percent like GPU_UTIL before it.
With MIG every series stands once for each slice, and power, energy and temperature are the whole board's each time.
"""

from collectors.meters.meter import Meter, Parts, told_by

MIB = 2.0**20

DCGM = Meter(
    name="dcgm-exporter",
    signs=tuple(
        frozenset({f"DCGM_FI_DEV_{name}"})
        for name in ("SM_CLOCK", "POWER_USAGE", "BOARD_POWER_WATTS", "GPU_TEMP", "GPU_TEMP_CELSIUS", "FB_USED")
    ),
    identity=(("uuid",), ("pci_bus_id",), ("gpu",)),
    uuid="uuid",
    index=("gpu",),
    pci=("pci_bus_id",),
    model=("modelname", "model_name"),
    driver=("dcgm_fi_driver_version",),
    pod=("pod", "pod_name"),
    namespace=("namespace", "pod_namespace"),
    values={
        "power_w": (told_by("DCGM_FI_DEV_BOARD_POWER_WATTS"), told_by("DCGM_FI_DEV_POWER_USAGE")),
        "power_instant_w": (
            told_by("DCGM_FI_DEV_BOARD_POWER_RAW_WATTS"),
            told_by("DCGM_FI_DEV_POWER_USAGE_INSTANT"),
        ),
        "power_limit_w": (
            told_by("DCGM_FI_DEV_BOARD_POWER_LIMIT_ENFORCED_WATTS"),
            told_by("DCGM_FI_DEV_ENFORCED_POWER_LIMIT"),
        ),
        "energy_mj": (told_by("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"),),
        "utilization": (
            told_by("DCGM_FI_DEV_GPU_UTIL_RATIO", scale=0.01),
            told_by("DCGM_FI_DEV_GPU_UTIL", scale=0.01),
        ),
        "memory_used_bytes": (told_by("DCGM_FI_DEV_FB_USED", scale=MIB),),
        "memory_total_bytes": (
            told_by("DCGM_FI_DEV_FB_TOTAL", scale=MIB),
            told_by("DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_FB_RESERVED", scale=MIB),
            told_by("DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", scale=MIB),
        ),
        "temperature_c": (told_by("DCGM_FI_DEV_GPU_TEMP_CELSIUS"), told_by("DCGM_FI_DEV_GPU_TEMP")),
        "memory_temperature_c": (told_by("DCGM_FI_DEV_MEMORY_TEMP_CELSIUS"), told_by("DCGM_FI_DEV_MEMORY_TEMP")),
        "sm_clock_mhz": (told_by("DCGM_FI_DEV_SM_CLOCK"),),
        "tensor_activity": (
            told_by("DCGM_FI_PROF_TENSOR_UTIL_RATIO"),
            told_by("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE"),
        ),
        "dram_activity": (told_by("DCGM_FI_PROF_DRAM_UTIL_RATIO"), told_by("DCGM_FI_PROF_DRAM_ACTIVE")),
        "xid": (told_by("DCGM_FI_DEV_XID_ERROR"), told_by("DCGM_FI_DEV_XID_ERRORS")),
    },
    parts=Parts(
        labels=("gpu_i_id",),
        of_the_board=frozenset(
            {
                "power_w",
                "power_instant_w",
                "power_limit_w",
                "energy_mj",
                "temperature_c",
                "memory_temperature_c",
                "sm_clock_mhz",
                "xid",
            }
        ),
        profile="gpu_i_profile",
        memory_used=(told_by("DCGM_FI_DEV_FB_USED", scale=MIB),),
        memory_total=(told_by("DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", scale=MIB),),
    ),
)
