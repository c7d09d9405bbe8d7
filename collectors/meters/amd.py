"""AMD device-metrics-exporter.

In a partitioned mode only partition 0 tells the board's power, the others say 0 W; memory is each partition's own.
Guests often have no power series at all. A setting puts a prefix before every name, others switch names off.
"""

from collectors.meters.meter import Meter, Parts, told_by

MB = 2.0**20  # the page says MB and means this: a board of 192 GiB tells 196592

AMD = Meter(
    name="AMD device-metrics-exporter",
    signs=(
        frozenset({"gpu_nodes_total"}),
        frozenset({"gpu_gfx_activity"}),
        frozenset({"gpu_package_power"}),
        frozenset({"gpu_average_package_power"}),
        frozenset({"gpu_used_vram", "gpu_total_vram"}),
    ),
    identity=(("serial_number",), ("gpu_id",)),
    uuid="gpu_uuid",
    index=("gpu_id",),
    model=("card_series", "card_model"),  # the latter is a board's part number
    driver=("driver_version",),
    values={
        "power_w": (
            told_by("gpu_package_power"),
            told_by("gpu_power_usage"),
            told_by("gpu_average_package_power"),
        ),
        "energy_mj": (told_by("gpu_energy_consumed", scale=1e-3),),  # µJ
        "utilization": (told_by("gpu_gfx_activity", scale=0.01),),
        "memory_used_bytes": (told_by("gpu_used_vram", scale=MB),),
        "memory_total_bytes": (told_by("gpu_total_vram", scale=MB),),
        "temperature_c": (told_by("gpu_junction_temperature"), told_by("gpu_edge_temperature")),
        "memory_temperature_c": (told_by("gpu_memory_temperature"),),
        "sm_clock_mhz": (told_by("gpu_clock", labels=(("clock_type", "system"),)),),
        "dram_activity": (told_by("gpu_umc_activity", scale=0.01),),
    },
    parts=Parts(
        labels=("gpu_partition_id",),
        whole="0",
        of_the_board=frozenset(
            {"power_w", "energy_mj", "utilization", "temperature_c", "memory_temperature_c", "sm_clock_mhz"}
        ),
        uuid="gpu_uuid",
        profile="gpu_compute_partition_type",
        memory_used=(told_by("gpu_used_vram", scale=MB),),
        memory_total=(told_by("gpu_total_vram", scale=MB),),
    ),
    prefixed=True,
)
