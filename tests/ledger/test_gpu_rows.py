"""What a GPU row says of its device: what reads it, whose the watts are, and what it cannot tell."""

from __future__ import annotations

from typing import Any

from collectors.readings import MigInstance, Reason
from tests.ledger.box import Box, value
from tests.ledger.readings import gpu, gpu_facts, lost_gpu
from tokwatch.ledger.snapshot import Figure, GpuRow


def row_of(**changes: Any) -> GpuRow:
    box = Box()
    box.turn(0, [gpu(0, **changes)])
    (row,) = box.snapshot().gpus
    return row


def test_a_row_says_what_reads_it_and_whose_its_watts_are() -> None:
    row = row_of(facts=gpu_facts(meter="dcgm-exporter", power_scope="module"))
    assert (row.meter, row.kind, row.power_scope) == ("dcgm-exporter", "gpu", "module")
    assert row.power_w == Figure(300.0, marks=("module",))


def test_activity_is_a_share_or_the_reason_why_not() -> None:
    row = row_of(tensor_activity=0.31, memory_temperature_c=74, reasons=(("dram_activity", Reason.UNSUPPORTED),))
    assert (value(row.tensor_activity), value(row.memory_temperature_c)) == (0.31, 74)
    assert row.dram_activity == Figure(None, "unsupported")


def test_what_takes_two_samples_is_warming_up_and_what_a_meter_never_tells_says_so() -> None:
    assert row_of().tensor_activity.why == "warming up"
    assert row_of(facts=gpu_facts(meter="all-smi")).tensor_activity.why == "not told by all-smi"


def test_a_lost_gpus_activity_is_lost_with_it() -> None:
    box = Box()
    box.turn(0, [gpu(0, tensor_activity=0.5)])
    box.turn(1, [lost_gpu(1)])
    (row,) = box.snapshot().gpus
    assert (row.tensor_activity, row.dram_activity) == (Figure(None, "lost"), Figure(None, "lost"))


def test_mig_instances_are_told_by_their_profiles() -> None:
    instances = tuple(MigInstance(f"MIG-{i}", "1g.10gb") for i in range(2))
    assert row_of(facts=gpu_facts(mig=True), mig_instances=instances).mig == ("1g.10gb", "1g.10gb")


def test_the_processors_are_a_row_without_an_index() -> None:
    row = row_of(facts=gpu_facts(kind="package", power_scope="package", meter="RAPL"))
    assert (row.label, row.device) == ("cpu", "CPU")
    assert (row_of().label, row_of().device) == ("0", "GPU")
