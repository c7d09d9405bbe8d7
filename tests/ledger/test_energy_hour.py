"""An hour of bursty load with everything that goes wrong with a counter: what is counted, and what may be missing.

At every tick: counted ≤ drawn ≤ counted + lost, but for the steps of 100 ms in which counters move.
"""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.ledger.bursty import SENSOR_MS, BurstyBoard
from tests.ledger.metered import HOST
from tests.ledger.readings import registry
from tests.nvml_stub.stub import Box, pynvml_as_found
from tokwatch.demo.scenario import parse
from tokwatch.ledger.axis import Axis
from tokwatch.ledger.energy import EnergyMeter
from tokwatch.ledger.entries import Flag, GpuEntry
from tokwatch.ledger.meter import Meter
from tokwatch.store.rollup import QUARTER_MS, gpu_quarters

__all__ = ["pynvml_as_found"]

HOUR_MS = 3_600_000
CAP_W = 840  # 1.2 × the limit of an H100

at_ms = st.integers(10_000, HOUR_MS)
spans = st.tuples(at_ms, st.integers(1, 600_000)).map(lambda span: range(span[0], sum(span)))
steps_ms = st.lists(st.integers(950, 1050), min_size=1, max_size=97)  # how ticks jitter, over and over


@settings(max_examples=25, deadline=None)
@given(
    steps_ms=steps_ms,
    resets_ms=st.lists(at_ms, max_size=8),
    silences=st.lists(spans, max_size=3),
    losses=st.lists(spans, max_size=3),
    glitches=st.lists(st.tuples(st.integers(5, 3600), st.sampled_from(["low", "thousandth", "huge"])), max_size=20),
)
@example(steps_ms=[1000], resets_ms=[], silences=[], losses=[], glitches=[(10, "huge"), (12, "low")])
@example(steps_ms=[1000], resets_ms=[60_300, 60_900, 61_500], silences=[], losses=[], glitches=[])
@example(steps_ms=[1000], resets_ms=[90_000], silences=[range(60_000, 120_000)], losses=[], glitches=[])
@example(steps_ms=[1000], resets_ms=[5_500], silences=[], losses=[range(3_000_000, HOUR_MS)], glitches=[])
def test_the_bound_of_what_was_lost_is_never_broken(
    steps_ms: list[int],
    resets_ms: list[int],
    silences: list[range],
    losses: list[range],
    glitches: list[tuple[int, str]],
) -> None:
    """silences: nobody reads. losses: the GPU does not answer. glitches: a reading shows what the counter is not."""
    board = BurstyBoard(resets_ms=resets_ms)
    meter = EnergyMeter()
    wrong = dict(glitches)
    unsure_mj = board.peak_w * SENSOR_MS * (len(resets_ms) + 1)
    now_ms = counted_mj = lost_mj = tick = 0
    was_wrong = False
    while now_ms < HOUR_MS:
        tick += 1
        now_ms += steps_ms[tick % len(steps_ms)] if tick > 1 else 0
        if any(now_ms in silence for silence in silences):
            continue
        shown: int | None = board.counter_mj(now_ms)
        kind = wrong.get(tick, "") if not was_wrong else ""  # a wrong reading is followed by a right one
        was_wrong = bool(kind)
        if kind:
            shown = {"low": 42, "thousandth": board.counter_mj(now_ms) // 1000, "huge": 2**60}[kind]
        if any(now_ms in loss for loss in losses):
            shown = None
        step = meter.step(now_ms, shown, None if shown is None else board.power_w(now_ms), board.limit_w)
        counted_mj += step.energy_mj or 0
        lost_mj += step.lost_mj
        drawn_mj = board.drawn_mj(0, now_ms)
        assert counted_mj - unsure_mj <= drawn_mj <= counted_mj + lost_mj + unsure_mj
    assert lost_mj >= 0


def test_missed_reads_and_glitches_alone_lose_nothing() -> None:
    board = BurstyBoard()
    meter = EnergyMeter()
    counted_mj = lost_mj = 0
    seconds = [second for second in range(3601) if not 600 <= second < 900]
    for second in seconds:
        shown = 2**60 if second % 100 == 99 else 42 if second % 100 == 49 else board.counter_mj(second * 1000)
        step = meter.step(second * 1000, shown, board.power_w(second * 1000), board.limit_w)
        counted_mj += step.energy_mj or 0
        lost_mj += step.lost_mj
    assert (counted_mj, lost_mj) == (board.drawn_mj(0, HOUR_MS), 0)


# --- through the real binding and the C driver ------------------------------------------------------------------------

TROUBLED = """
gpu NVIDIA H100 80GB HBM3
power_w 120
power_w square 0 460 1.371 0.3
power_w sine 90 7.309
energy_start_mj 987654321000
energy_reset 600.35
energy_glitch 1000 200000
error * GPU_IS_LOST 1500 1800
energy_reset 1790
energy_glitch 2400.2 1152921504606846976
error field:83 UNKNOWN 3000 3012
error nvmlDeviceGetTotalEnergyConsumption UNKNOWN 3000 3012
"""
LOST_FOR_GOOD = """
gpu NVIDIA H100 80GB HBM3
power_w 60
power_w square 0 580 2.713 0.41
energy_start_mj 123456789000
gpu NVIDIA H100 80GB HBM3
power_w 300
power_w sine 290 11.7
energy_start_mj 123456789000
error * GPU_IS_LOST 3300
"""
NOBODY_READS_S = range(2000, 2040)
UNSURE_J = 670 * SENSOR_MS / 1000 * 3  # the counter's steps, at the ends of three epochs


@cache
def watched_hour(scenario: str) -> list[list[GpuEntry]]:
    """The entries of each GPU of a scenario, read once a second for an hour but for NOBODY_READS_S."""
    box = Box(scenario)
    meter = Meter(registry(), boot_id="boot-1", started_s=0, interval_s=1.0)
    entries: list[list[GpuEntry]] = [[] for _ in parse(scenario).gpus]
    for second in range(3601):
        if second in NOBODY_READS_S:
            continue
        for reading in box.gpus_at(second):
            entry = meter.gpu(reading, Axis(second * 1000, second * 1_000_000_000, second * 1000), host=HOST)
            entries[reading.facts.index].append(entry)
    return entries


@pytest.mark.parametrize("scenario", [TROUBLED, LOST_FOR_GOOD])
def test_an_hour_through_the_real_binding_is_within_a_thousandth_and_its_bound(scenario: str) -> None:
    for gpu, entries in zip(parse(scenario).gpus, watched_hour(scenario), strict=True):
        counted_j = lost_j = 0.0
        for entry in entries:
            counted_j += (entry.energy_mj or 0) / 1000
            lost_j += entry.lost_mj / 1000
            drawn_j = gpu.joules_between(0, entry.t1_ms / 1000)
            assert counted_j - UNSURE_J <= drawn_j <= counted_j + lost_j + UNSURE_J
        assert abs(drawn_j - counted_j) <= drawn_j / 1000 + lost_j
        quarters = gpu_quarters(entries, 1, 0, HOUR_MS + QUARTER_MS)
        assert sum(quarter.energy_mj or 0 for quarter in quarters) == sum(entry.energy_mj or 0 for entry in entries)
        assert sum(quarter.lost_mj for quarter in quarters) == sum(entry.lost_mj for entry in entries)
        assert all(quarter.lost_mj >= 0 for quarter in quarters)


def test_an_hours_resets_and_glitches_are_told_for_what_they_are() -> None:
    (entries,) = watched_hour(TROUBLED)
    flagged = [(entry.t1_ms // 1000, Flag(entry.flags)) for entry in entries if entry.flags & ~Flag.BASELINE]
    reset = [(601, Flag.SUSPECT), (602, Flag.RESET)]
    (back,) = [entry for entry in entries if entry.flags & Flag.RESET and entry.t1_ms > 1_800_000]
    lost = [(back.t1_ms // 1000 - 1, Flag.SUSPECT), (back.t1_ms // 1000, Flag.RESET)]
    assert flagged == [*reset, (1000, Flag.SUSPECT), *lost, (2040, Flag.GAP), (2401, Flag.SUSPECT)]


def test_only_what_no_counter_told_is_bounded() -> None:
    (entries,) = watched_hour(TROUBLED)
    (back,) = [entry for entry in entries if entry.flags & Flag.RESET and entry.t1_ms > 1_800_000]

    def lost_mj(from_s: int, to_s: int) -> int:
        return sum(entry.lost_mj for entry in entries if from_s < entry.t1_ms / 1000 <= to_s)

    assert 0 < lost_mj(600, 700) < 4 * CAP_W * 1000  # until the reset is certain, and while the counter is young
    assert lost_mj(0, 600) == lost_mj(700, 1499) == 0
    assert 0.6 * CAP_W * 300_000 < lost_mj(1499, 1900) <= CAP_W * back.measured_ms
    assert lost_mj(2500, 3600) == 0


def test_a_gpu_that_stays_lost_is_bounded_every_second_and_the_other_one_is_exact() -> None:
    other, gone = watched_hour(LOST_FOR_GOOD)
    assert sum(entry.lost_mj for entry in other) == 0
    lost = [entry for entry in gone if entry.t1_ms >= 3_300_000]
    assert [(entry.energy_mj, entry.lost_mj) for entry in lost] == [(None, CAP_W * 1000)] * 301
