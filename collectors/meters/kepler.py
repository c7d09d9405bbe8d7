"""Kepler: GPUs, the machine's power supplies by Redfish, and RAPL zones, which overlap: only packages are read."""

from collectors.meters.meter import Covers, HostMeter, Meter, Several, told_by

NAME = "Kepler"
INTERVAL_S = 5.0  # its own default

KEPLER_GPU = Meter(
    name=NAME,
    signs=(frozenset({"kepler_node_gpu_watts"}),),
    identity=(("gpu_uuid",), ("node_name", "gpu")),
    uuid="gpu_uuid",
    index=("gpu",),
    model=("gpu_name",),
    values={
        "power_w": (told_by("kepler_node_gpu_watts"),),
        "energy_mj": (told_by("kepler_node_gpu_joules_total", scale=1e3),),
    },
    energy_estimated=True,
    interval_s=INTERVAL_S,
)

KEPLER_HOST = HostMeter(
    name=NAME,
    signs=(frozenset({"kepler_platform_watts"}), frozenset({"kepler_node_cpu_watts"})),
    watts=(
        (
            Covers.SERVER,
            told_by("kepler_platform_watts", labels=(("source_type", "powersupply"),), several=Several.SUM),
        ),
        # The first entry is the system's; others are parts of it, such as the processors.
        (Covers.SERVER, told_by("kepler_platform_watts", labels=(("source_type", "powercontrol"), ("source_id", "0")))),
        (Covers.PROCESSORS, told_by("kepler_node_cpu_watts", labels=(("zone", "package"),), several=Several.SUM)),
    ),
    hosts=("node_name",),
    interval_s=INTERVAL_S,
)
