"""Intel Gaudi's metric exporter.

Newer versions also write `accelerator_power_usage_watts`, fed with the same milliwatts: read only where the number
can be a Gaudi's watts. The unit of `habanalabs_energy` is stated nowhere on the page, so it is not read.
"""

from collectors.meters.meter import Meter, told_by

MOST_W = 1500.0  # the hottest, a liquid-cooled Gaudi 3, is sold for 1200 W

GAUDI = Meter(
    name="Gaudi exporter",
    kind="accelerator",
    device_name="Gaudi",
    signs=(frozenset({"habanalabs_utilization"}), frozenset({"habanalabs_power_mW"})),
    identity=(("uuid",), ("serial",), ("device",)),
    uuid="uuid",
    index=("id", "device"),
    driver=("driver",),
    values={
        "power_w": (told_by("habanalabs_power_mW", scale=1e-3), told_by("accelerator_power_usage_watts")),
        "power_limit_w": (told_by("habanalabs_power_default_limit_mW", scale=1e-3),),
        "utilization": (told_by("habanalabs_utilization", scale=0.01),),
        "memory_used_bytes": (told_by("habanalabs_memory_used_bytes"),),
        "memory_total_bytes": (told_by("habanalabs_memory_total_bytes"),),
        "temperature_c": (told_by("habanalabs_temperature_onchip"),),
        "sm_clock_mhz": (told_by("habanalabs_clock_soc_mhz"),),
    },
    at_most={"power_w": MOST_W, "power_limit_w": MOST_W},
)
