"""Google's TPU device plugin on GKE. It tells no power and no energy.

The series of containers stand only for chips that a container holds; those that end in `_node` stand for all.
"""

from collectors.meters.meter import Meter, told_by

TPU = Meter(
    name="TPU device plugin",
    kind="accelerator",
    signs=(
        frozenset({"duty_cycle_node", "tensorcore_utilization_node"}),
        frozenset({"duty_cycle", "memory_used", "memory_total"}),
    ),
    identity=(("make", "accelerator_id"),),
    model=("model",),
    values={
        "utilization": (told_by("duty_cycle_node", scale=0.01), told_by("duty_cycle", scale=0.01)),
        "memory_used_bytes": (told_by("memory_used_node"), told_by("memory_used")),
        "memory_total_bytes": (told_by("memory_total_node"), told_by("memory_total")),
        "tensor_activity": (
            told_by("tensorcore_utilization_node", scale=0.01),
            told_by("tensorcore_utilization", scale=0.01),
        ),
        "dram_activity": (
            told_by("memory_bandwidth_utilization_node", scale=0.01),
            told_by("memory_bandwidth_utilization", scale=0.01),
        ),
    },
    interval_s=5.0,
)
