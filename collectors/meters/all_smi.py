"""all-smi: devices of every vendor under one set of names, and the chassis. Its energy is its own integral of power."""

from collectors.meters.meter import Covers, HostMeter, Meter, Parts, told_by

NAME = "all-smi"
INTERVAL_S = 2.0

ALL_SMI = Meter(
    name=NAME,
    signs=(frozenset({"all_smi_gpu_info"}), frozenset({"all_smi_gpu_memory_total_bytes"})),
    identity=(("gpu_uuid",), ("instance", "gpu_index")),
    uuid="gpu_uuid",
    index=("gpu_index",),
    model=("gpu",),
    driver=("driver_version",),
    info=("all_smi_gpu_info",),
    values={
        "power_w": (told_by("all_smi_gpu_power_consumption_watts"),),
        "power_limit_w": (told_by("all_smi_gpu_power_limit_current_watts"),),
        "energy_mj": (told_by("all_smi_energy_consumed_joules_total", scale=1e3, labels=(("scope", "gpu"),)),),
        "utilization": (told_by("all_smi_gpu_utilization", scale=0.01),),
        "memory_used_bytes": (told_by("all_smi_gpu_memory_used_bytes"),),
        "memory_total_bytes": (told_by("all_smi_gpu_memory_total_bytes"),),
        "temperature_c": (told_by("all_smi_gpu_temperature_celsius"),),
        "sm_clock_mhz": (told_by("all_smi_gpu_frequency_mhz"),),
        "dram_activity": (told_by("all_smi_gpu_memory_bandwidth_utilization"),),
    },
    parts=Parts(
        labels=("mig_instance",),
        uuid="mig_uuid",
        profile="mig_profile",
        memory_used=(told_by("all_smi_mig_instance_memory_used_bytes"),),
        memory_total=(told_by("all_smi_mig_instance_memory_total_bytes"),),
    ),
    energy_estimated=True,
    interval_s=INTERVAL_S,
)

ALL_SMI_CHASSIS = HostMeter(
    name=NAME,
    signs=(frozenset({"all_smi_chassis_power_watts"}),),
    watts=((Covers.SERVER, told_by("all_smi_chassis_power_watts")),),
    hosts=("hostname",),
    interval_s=INTERVAL_S,
)
