"""A GPU whose meter fell silent: its last watts and memory are nobody's any more, and its row says what happened."""

from __future__ import annotations

from collectors.readings import GpuReading, Reason
from tests.ledger.box import PRICE, Box, value, work
from tests.ledger.readings import boot_ns, gpu, gpu_facts
from tokwatch.ledger.entries import State
from tokwatch.ledger.snapshot import Figure

WORDS = "127.0.0.1:9400: no exporter listens there any more: is it stopped?"
BY_EXPORTER = gpu_facts(1, meter="dcgm-exporter")
SILENT_FROM_S = 60


def silent(second: int) -> GpuReading:
    return GpuReading(BY_EXPORTER, boot_ns(second), problem=Reason.STALE, problem_text=WORDS)


def watched(seconds: int) -> Box:
    """GPU 0 by NVML, and GPU 1 by an exporter that is killed."""
    box = Box()
    for second in range(seconds):
        told = gpu(second, 1, facts=BY_EXPORTER, power_w=612.0, processes=None)
        box.turn(second, [gpu(second), told if second < SILENT_FROM_S else silent(second)], [work(second)])
    return box


def test_watts_and_memory_of_a_silent_meter_are_in_no_total() -> None:
    before, after = (watched(seconds).snapshot(PRICE).totals for seconds in (SILENT_FROM_S, SILENT_FROM_S + 1))
    assert value(before.power_w) == 912.0
    assert after.power_w == Figure(300.0, marks=("part",))
    assert value(after.memory_used_gib) == value(before.memory_used_gib) / 2
    assert after.memory_used_gib.marks == ("part",)


def test_the_row_is_unknown_with_what_happened() -> None:
    row = watched(SILENT_FROM_S + 60).snapshot(PRICE).gpus[1]
    assert (row.state, row.note, row.meter) == ("unknown", WORDS, "dcgm-exporter")
    assert [row.power_w, row.memory_used_gib, row.utilization] == [Figure(None, "stale")] * 3


def test_nothing_is_recorded_of_a_silent_meter_but_that_it_is_unknown() -> None:
    _, entry = watched(SILENT_FROM_S + 30).records[-1].gpus
    assert entry.state == State.UNKNOWN
    assert (entry.power_mw, entry.energy_mj, entry.memory_used_mib) == (None, None, None)


def test_a_meter_that_is_back_counts_again() -> None:
    box = watched(SILENT_FROM_S + 30)
    for second in range(SILENT_FROM_S + 30, SILENT_FROM_S + 60):
        told = gpu(second, 1, facts=BY_EXPORTER, power_w=612.0, processes=None)
        box.turn(second, [gpu(second), told], [work(second)])
    shown = box.snapshot(PRICE)
    assert (shown.totals.power_w, shown.gpus[1].note == WORDS) == (Figure(912.0), False)
