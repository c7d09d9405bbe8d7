"""Readings → entries: increments that telescope, incarnations, gaps, and lengths of the boot clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from dataclasses import replace as but

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.readings import FlowReading, Histogram, Moves, ServerReading
from tests.ledger.readings import (
    BOOT_S,
    NOON_MS,
    TTFT_EDGES,
    axis,
    boot_ns,
    flow,
    gpu,
    gpu_facts,
    host,
    no_page,
    page,
    registry,
    server_facts,
    ttft,
)
from tokwatch.ledger.axis import Axis
from tokwatch.ledger.entries import Absolute, Flag, FlowEntry, GpuEntry, ServerEntry
from tokwatch.ledger.meter import Meter
from tokwatch.ledger.registry import Registry

HOST = 1


@dataclass
class Metered:
    """A meter of a run that began at noon, and the registry of its store."""

    things: Registry = field(default_factory=registry)
    boot_id: str = "boot-1"
    started_s: float = NOON_MS / 1000

    def __post_init__(self) -> None:
        self.meter = Meter(self.things, boot_id=self.boot_id, started_s=self.started_s, interval_s=1.0)

    def gpu(self, second: float, **changes: object) -> GpuEntry:
        return self.meter.gpu(gpu(second, **changes), axis(second), host=HOST)  # type: ignore[arg-type]

    def server(self, reading: ServerReading) -> tuple[ServerEntry, tuple[FlowEntry, ...]]:
        second = reading.at_ns / 1e9 - BOOT_S
        return self.meter.server(reading, axis(second), host=HOST)

    def page(self, second: float, *flows: FlowReading, **changes: object) -> FlowEntry:
        """The first flow's entry of a page."""
        return self.server(page(second, *flows, **changes))[1][0]  # type: ignore[arg-type]

    def next_run(self, boot_id: str = "boot-1", started_s: float = NOON_MS / 1000) -> Metered:
        """The meter of a later run that took up what this one left in the store."""
        later = Metered(self.things, boot_id, started_s)
        later.meter.resume(self.meter.absolutes())
        return later


# --- GPUs -------------------------------------------------------------------------------------------------------------


def test_the_first_reading_is_a_baseline_without_an_interval() -> None:
    entry = Metered().gpu(0)
    assert (entry.t1_ms - entry.t0_ms, entry.energy_mj, entry.flags) == (0, None, Flag.BASELINE)


def test_later_readings_speak_for_the_time_since_the_one_before() -> None:
    metered = Metered()
    metered.gpu(0)
    entry = metered.gpu(1.25)
    assert (entry.t0_ms, entry.t1_ms) == (NOON_MS, NOON_MS + 1250)
    assert (entry.energy_mj, entry.measured_ms, entry.flags) == (375_000, 1250, 0)
    assert (entry.power_mw, entry.util_permille, entry.memory_used_mib) == (300_000, 900, 40_000)


def test_what_the_device_does_not_tell_stays_unknown() -> None:
    entry = Metered().gpu(0, power_w=None, utilization=None, memory_used_bytes=None, temperature_c=None, throttle=None)
    values = (entry.power_mw, entry.util_permille, entry.memory_used_mib, entry.temperature_c, entry.throttle)
    assert values == (None, None, None, None, None)


def test_a_silence_of_more_than_three_seconds_is_a_gap_that_keeps_its_energy() -> None:
    metered = Metered()
    metered.gpu(0)
    assert metered.gpu(3).flags == 0
    entry = metered.gpu(33)
    assert (entry.flags, entry.energy_mj) == (Flag.GAP, 9_000_000)


def test_an_estimate_of_the_collector_is_marked_as_one() -> None:
    metered = Metered()
    metered.gpu(0, energy_estimated=True)
    assert metered.gpu(1, energy_estimated=True).flags == Flag.ESTIMATED


def test_another_driver_is_a_new_epoch_of_the_energy_counter() -> None:
    metered = Metered()
    metered.gpu(0)
    entry = metered.gpu(1, facts=gpu_facts(driver_version="560.1"), energy_mj=5)
    assert (entry.energy_mj, entry.flags) == (None, Flag.BASELINE)


def test_a_restart_of_the_recorder_counts_the_gaps_energy_exactly() -> None:
    metered = Metered()
    metered.gpu(0)
    metered.gpu(1)
    entry = metered.next_run().gpu(601)
    assert (entry.energy_mj, entry.measured_ms, entry.flags) == (180_000_000, 600_000, Flag.GAP)
    assert entry.t1_ms - entry.t0_ms == 600_000


def test_a_run_resumes_where_counting_stood_and_not_at_a_glitch() -> None:
    metered = Metered()
    metered.gpu(0)
    metered.gpu(1, energy_mj=2**60)
    entry = metered.next_run().gpu(2)
    assert (entry.energy_mj, entry.flags) == (600_000, 0)


@pytest.mark.parametrize("change", ["boot", "driver"])
def test_another_boot_or_driver_does_not_resume(change: str) -> None:
    metered = Metered()
    metered.gpu(0)
    later = metered.next_run("boot-2" if change == "boot" else "boot-1")
    entry = later.gpu(1, facts=gpu_facts(driver_version="560.1" if change == "driver" else "550.54"))
    assert (entry.energy_mj, entry.flags) == (None, Flag.BASELINE)


def test_a_late_answer_of_a_stalled_driver_counts_no_time_twice() -> None:
    metered = Metered()
    entries = [metered.gpu(0), metered.gpu(5), metered.gpu(2), metered.gpu(6)]
    assert sum(entry.t1_ms - entry.t0_ms for entry in entries) == 6000


@given(st.lists(st.tuples(st.integers(1, 100_000), st.integers(-7_200_000, 7_200_000)), min_size=1, max_size=20))
def test_lengths_come_from_the_boot_clock_however_the_wall_clock_is_stepped(steps: list[tuple[int, int]]) -> None:
    meter = Metered().meter
    elapsed_ms, wall_ms, length_ms = 0, NOON_MS, 0
    meter.gpu(gpu(0), Axis(wall_ms, boot_ns(0), wall_ms), host=HOST)
    meter.server(page(0, flow()), Axis(wall_ms, boot_ns(0), wall_ms), host=HOST)
    for step_ms, jump_ms in steps:
        elapsed_ms += step_ms
        now = Axis(wall_ms + elapsed_ms + jump_ms, boot_ns(elapsed_ms / 1000), wall_ms)
        entry = meter.gpu(gpu(elapsed_ms / 1000), now, host=HOST)
        server, (of_flow,) = meter.server(page(elapsed_ms / 1000, flow()), now, host=HOST)
        assert {e.t1_ms - e.t0_ms for e in (entry, server, of_flow)} == {step_ms}
        assert entry.t1_ms == now.tick_ms
        length_ms += entry.t1_ms - entry.t0_ms
    assert length_ms == elapsed_ms


# --- servers: first pages ---------------------------------------------------------------------------------------------


def test_the_first_page_of_an_unknown_incarnation_is_a_baseline() -> None:
    entry = Metered().page(0, flow(output_tokens=5000, histograms=(("ttft", ttft(1, 2, 0, 0)),)))
    assert (entry.output_tokens, entry.histograms, entry.flags) == (None, (), Flag.BASELINE)
    assert entry.t0_ms == entry.t1_ms


def test_a_server_started_after_the_recorder_counts_from_its_start() -> None:
    facts = server_facts(started_at_s=NOON_MS / 1000 + 20)
    entry = Metered().page(50, flow(output_tokens=500, histograms=(("ttft", ttft(1, 0, 0, 0)),)), facts=facts)
    assert (entry.output_tokens, entry.flags, len(entry.histograms)) == (500, 0, 1)
    assert entry.t1_ms - entry.t0_ms == 30_000


def test_a_flow_or_counter_that_appears_later_counts_from_zero() -> None:
    metered = Metered()
    metered.page(0, flow(output_tokens=100))
    _, flows = metered.server(page(1, flow(output_tokens=110, finished=3), flow(model="other", output_tokens=40)))
    assert [(entry.output_tokens, entry.finished) for entry in flows] == [(10, 3), (40, None)]


def test_a_page_without_any_flow_makes_the_incarnation_known() -> None:
    metered = Metered()
    assert metered.server(page(0))[1] == ()
    entry = metered.page(1, flow(output_tokens=40))
    assert (entry.output_tokens, entry.flags) == (40, 0)


def test_a_histogram_missing_on_one_page_is_not_counted_twice() -> None:
    metered = Metered()
    metered.page(0, flow(histograms=(("ttft", ttft(5, 0, 0, 0)),)))
    metered.page(1, flow())
    (entry,) = metered.page(2, flow(histograms=(("ttft", ttft(6, 0, 0, 0)),))).histograms
    assert entry.counts == (1, 0, 0, 0)


# --- servers: restarts ------------------------------------------------------------------------------------------------


def test_a_new_process_counts_from_zero_and_says_so() -> None:
    metered = Metered()
    metered.page(0, flow(output_tokens=5000, histograms=(("ttft", ttft(9, 0, 0, 0)),)))
    entry = metered.page(1, flow(output_tokens=7000, histograms=(("ttft", ttft(2, 0, 0, 0)),)), incarnation="process-2")
    assert (entry.output_tokens, entry.flags) == (7000, Flag.RESET)
    assert entry.histograms[0].counts == (2, 0, 0, 0)


def test_without_an_incarnation_a_falling_counter_is_a_restart_of_all() -> None:
    facts = server_facts(started_at_s=None)
    metered = Metered()
    metered.page(0, flow(output_tokens=5000, finished=1), facts=facts, incarnation=None)
    entry = metered.page(1, flow(output_tokens=70, finished=2), facts=facts, incarnation=None)
    assert (entry.output_tokens, entry.finished, entry.flags) == (70, 2, Flag.RESET)


def test_a_counter_that_falls_in_one_incarnation_is_a_lower_bound() -> None:
    metered = Metered()
    metered.page(0, flow(output_tokens=5000, finished=1))
    entry = metered.page(1, flow(output_tokens=4000, finished=2))
    assert (entry.output_tokens, entry.finished, entry.flags) == (0, 1, Flag.RESET)
    assert metered.page(2, flow(output_tokens=4010, finished=2)).output_tokens == 10


def test_a_failed_scrape_adds_no_flow_and_the_next_page_covers_it() -> None:
    metered = Metered()
    metered.page(0, flow(output_tokens=100))
    entry, flows = metered.server(no_page(1))
    assert (entry.up, flows) == (False, ())
    later = metered.page(2, flow(output_tokens=130))
    assert (later.output_tokens, later.t1_ms - later.t0_ms, later.flags) == (30, 2000, 0)


def test_a_long_silence_is_a_gap_of_the_server_and_its_flows() -> None:
    metered = Metered()
    metered.page(0, flow(output_tokens=100))
    entry, (of_flow,) = metered.server(page(30, flow(output_tokens=130)))
    assert (entry.flags, of_flow.flags, of_flow.output_tokens) == (Flag.GAP, Flag.GAP, 30)


def test_progress_is_summed_over_the_flows_and_unknown_where_the_engine_has_none() -> None:
    metered = Metered()
    metered.server(page(0, flow(progress=5), flow(model="other", progress=7)))
    assert metered.server(page(1, flow(progress=6), flow(model="other", progress=9)))[0].progress == 3
    assert metered.server(page(2, flow()))[0].progress is None


def test_an_engine_that_counts_at_the_end_of_a_request_is_flagged() -> None:
    metered = Metered()
    metered.page(0, flow(), moves=Moves.AT_END)
    entry, (of_flow,) = metered.server(page(1, flow(), moves=Moves.AT_END))
    assert (entry.flags, of_flow.flags) == (Flag.AT_END, Flag.AT_END)


# --- servers: across runs ---------------------------------------------------------------------------------------------


def test_a_later_run_goes_on_in_the_same_incarnation() -> None:
    metered = Metered()
    metered.page(0, flow(output_tokens=100, histograms=(("ttft", ttft(1, 0, 0, 0)),)))
    later = metered.next_run()
    entry = later.page(60, flow(output_tokens=160, histograms=(("ttft", ttft(9, 0, 0, 0)),)))
    assert (entry.output_tokens, entry.flags, entry.t1_ms - entry.t0_ms) == (60, Flag.GAP, 60_000)
    assert entry.histograms == ()  # histograms are not kept across runs: this page is their baseline
    assert later.page(61, flow(histograms=(("ttft", ttft(10, 0, 0, 0)),))).histograms[0].counts == (1, 0, 0, 0)


def test_a_later_run_counts_another_incarnation_from_zero() -> None:
    metered = Metered()
    metered.page(0, flow(output_tokens=100))
    entry = metered.next_run().page(60, flow(output_tokens=160), incarnation="process-2")
    assert (entry.output_tokens, entry.flags) == (160, Flag.RESET | Flag.GAP)


def test_after_a_reboot_tokens_are_spread_over_the_age_of_the_new_process() -> None:
    metered = Metered()
    metered.page(0, flow(output_tokens=100))
    later = metered.next_run("boot-2", started_s=NOON_MS / 1000 + 300)
    facts = server_facts(started_at_s=NOON_MS / 1000 + 200)
    entry = later.page(300, flow(output_tokens=160), facts=facts, incarnation="process-2")
    assert (entry.output_tokens, entry.t1_ms - entry.t0_ms) == (160, 100_000)


def test_flows_left_over_from_an_older_incarnation_do_not_look_like_a_restart() -> None:
    """The store keeps the latest counters of every flow for ever: also of a model that was served last week."""
    metered = Metered()
    metered.page(0, flow(output_tokens=100))
    served, old = metered.things.id("server", "127.0.0.1:8000|vllm", parent=1, seen_ms=0), "process-0"
    last_week = metered.things.id("flow", "last week's", parent=served, seen_ms=0)
    left = [*metered.meter.absolutes(), Absolute(last_week, old, boot_ns(-99), "boot-1", {"output_tokens": 9})]
    for absolutes in (left, left[::-1]):
        later = Metered(metered.things)
        later.meter.resume(absolutes)
        entry = later.page(2, flow(output_tokens=130))
        assert (entry.output_tokens, entry.flags, entry.t1_ms - entry.t0_ms) == (30, 0, 2000)


def test_a_page_without_incarnation_is_a_baseline_whatever_earlier_runs_left() -> None:
    metered = Metered()
    metered.page(0, flow(output_tokens=100))
    entry = metered.next_run().page(
        60, flow(output_tokens=160), facts=server_facts(started_at_s=None), incarnation=None
    )
    assert (entry.output_tokens, entry.flags) == (None, Flag.BASELINE)


pages = st.lists(
    st.dictionaries(st.sampled_from(["a", "b"]), st.tuples(st.integers(0, 9999), st.booleans(), st.booleans())),
    min_size=1,
    max_size=15,
)


@given(pages, st.integers(0, 15))
def test_increments_telescope_whatever_pages_lack_and_whenever_the_recorder_restarts(
    pages: list[dict[str, tuple[int, bool, bool]]], restart_at: int
) -> None:
    """Per model: tokens gained since the page before, whether the flow is on the page, and whether its counter is."""
    metered = Metered()
    metered.page(0, flow(model="a", output_tokens=500), flow(model="b", output_tokens=700))
    stand, seen, counted = {"a": 500, "b": 700}, {"a": 500, "b": 700}, {"a": 0, "b": 0}
    for second, gained in enumerate(pages, 1):
        if second == restart_at:
            metered = metered.next_run()
        readings = []
        for model, (tokens, on_page, has_counter) in sorted(gained.items()):
            stand[model] += tokens
            if on_page:
                readings.append(flow(model=model, output_tokens=stand[model] if has_counter else None))
                seen[model] = stand[model] if has_counter else seen[model]
        numbered = {metered.things.find("flow", f'[2, "{model}", "", "(untagged)", ""]'): model for model in counted}
        for entry in metered.server(page(second, *readings))[1]:
            counted[numbered[entry.entity]] += entry.output_tokens or 0
    assert counted == {"a": seen["a"] - 500, "b": seen["b"] - 700}


# --- the host ---------------------------------------------------------------------------------------------------------


def test_the_hosts_own_cost_is_what_was_used_since_the_reading_before() -> None:
    meter = Metered().meter
    meter.host(host(0, package_energy_uj=5_000_999), axis(0), entity=HOST)
    entry = meter.host(host(2, package_energy_uj=9_000_000), axis(2), entity=HOST)
    assert (entry.self_cpu_ms, entry.self_rss_kib, entry.package_energy_mj) == (40, 45 * 1024, 4000)
    assert entry.t1_ms - entry.t0_ms == 2000


def test_package_energy_that_cannot_be_read_is_unknown() -> None:
    meter = Metered().meter
    meter.host(host(0, package_energy_uj=5_000_000), axis(0), entity=HOST)
    assert meter.host(host(1), axis(1), entity=HOST).package_energy_mj is None
    assert meter.host(host(2, package_energy_uj=9_000_000), axis(2), entity=HOST).package_energy_mj is None


def test_a_histogram_with_other_edges_after_an_update_starts_anew() -> None:
    metered = Metered()
    metered.page(0, flow(histograms=(("ttft", ttft(5, 0, 0, 0)),)))
    changed = Histogram((0.2, 0.4), (6, 6, 6), 1.0)
    assert metered.page(1, flow(histograms=(("ttft", changed),))).histograms == ()
    (entry,) = metered.page(2, flow(histograms=(("ttft", but(changed, counts=(6, 7, 7))),))).histograms
    assert (entry.edges, entry.counts) == ((0.2, 0.4), (0, 1, 0))
    assert entry.edges != TTFT_EDGES
