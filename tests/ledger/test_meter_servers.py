"""Pages → entries: increments that telescope, first pages, restarts of servers and of the recorder."""

from __future__ import annotations

from dataclasses import replace as but

from hypothesis import given
from hypothesis import strategies as st

from collectors.readings import UNNAMED, FlowReading, Histogram, Moves
from tests.ledger.metered import Metered
from tests.ledger.readings import (
    NOON_MS,
    TTFT_EDGES,
    boot_ns,
    flow,
    no_page,
    page,
    server_facts,
    ttft,
)
from tokwatch.ledger.entries import Absolute, Flag

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


def test_a_server_started_right_after_the_recorder_is_not_taken_for_an_older_one() -> None:
    """Starts are told up to a second too early: the kernel's boot time is a whole second, rounded down."""
    facts = server_facts(started_at_s=NOON_MS / 1000 - 0.9)
    assert Metered().page(5, flow(output_tokens=500), facts=facts).output_tokens == 500
    older = server_facts(started_at_s=NOON_MS / 1000 - 1.1)
    assert Metered().page(5, flow(output_tokens=500), facts=older).output_tokens is None


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


def test_a_histogram_with_other_edges_after_an_update_starts_anew() -> None:
    metered = Metered()
    metered.page(0, flow(histograms=(("ttft", ttft(5, 0, 0, 0)),)))
    changed = Histogram((0.2, 0.4), (6, 6, 6), 1.0)
    assert metered.page(1, flow(histograms=(("ttft", changed),))).histograms == ()
    (entry,) = metered.page(2, flow(histograms=(("ttft", but(changed, counts=(6, 7, 7))),))).histograms
    assert (entry.edges, entry.counts) == ((0.2, 0.4), (0, 1, 0))
    assert entry.edges != TTFT_EDGES


# --- restarts ------------------------------------------------------------------------------------------------


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


# --- across runs ---------------------------------------------------------------------------------------------


def test_a_later_run_goes_on_in_the_same_incarnation() -> None:
    metered = Metered()
    metered.page(0, flow(output_tokens=100, histograms=(("ttft", ttft(1, 0, 0, 0)),)))
    later = metered.next_run()
    entry = later.page(60, flow(output_tokens=160, histograms=(("ttft", ttft(9, 0, 0, 0)),)))
    assert (entry.output_tokens, entry.flags, entry.t1_ms - entry.t0_ms) == (60, Flag.GAP | Flag.UNTIMED, 60_000)
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


# --- names that come late, ranks that restart by themselves -----------------------------------------------------------


def test_a_model_whose_name_is_learnt_later_is_the_same_flow() -> None:
    recorder = Metered()
    recorder.page(0, flow(model=UNNAMED, output_tokens=500))
    assert recorder.page(1, flow(model="tiny", output_tokens=530)).output_tokens == 30


def test_one_rank_of_a_page_without_a_process_start_restarts_and_the_others_are_not_counted_again() -> None:
    recorder = Metered()

    def ranks(first: int, second: int) -> FlowReading:
        parts = (("output_tokens", (("engine=0", first), ("engine=1", second))),)
        return flow(output_tokens=first + second, prompt_tokens=None, parts=parts)

    recorder.page(0, ranks(500_000, 400_000), incarnation=None)
    entry = recorder.page(1, ranks(12, 400_100), incarnation=None)
    assert (entry.output_tokens, entry.flags) == (112, Flag.RESET)
