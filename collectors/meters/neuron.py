"""AWS neuron-monitor's Prometheus bridge: one device is one NeuronCore. It tells no power and no energy."""

from collectors.meters.meter import Meter, Several, told_by

_MEMORY = ("constants", "model_code", "model_shared_scratchpad", "runtime_memory", "tensors")

NEURON = Meter(
    name="neuron-monitor",
    kind="accelerator",
    signs=(frozenset({"neuroncore_utilization_ratio"}), frozenset({"neuron_runtime_memory_used_bytes"})),
    identity=(("instance_id", "neuroncore"),),
    index=("neuroncore",),
    model=("instance_type",),
    values={
        # Several runtimes may hold models on one core; each series stands once for each of them.
        "utilization": (told_by("neuroncore_utilization_ratio", several=Several.SUM),),
        "memory_used_bytes": (told_by(*(f"neuroncore_memory_usage_{part}" for part in _MEMORY), several=Several.SUM),),
    },
    interval_s=5.0,  # neuron-monitor's own period
)
