"""What a GPU did, in buckets: sums are kept whatever the grid, and what is unknown stays so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.entries import Flag, FlowEntry, GpuEntry, State
from tokwatch.ledger.gpu_past import UNWATCHED, Drawn, GpuHistory, Made, gpu_past
from tokwatch.ledger.throttling import Slowed, reasons_over

STEP_MS = 10_000


def entry(t0_ms: int, t1_ms: int, *, state: State = State.SERVING, flags: int = 0, **changes: int | None) -> GpuEntry:
    fields: dict[str, int | None] = {
        "energy_mj": 300 * (t1_ms - t0_ms),
        "measured_ms": t1_ms - t0_ms,
        "power_mw": 290_000,
        "throttle": 0,
    }
    fields |= changes
    return GpuEntry(
        1,
        t0_ms,
        t1_ms,
        fields["energy_mj"],
        fields["measured_ms"] or 0,
        fields["power_mw"],
        None,
        None,
        None,
        None,
        fields["throttle"],
        state,
        9,
        flags,
    )


def flow(t0_ms: int, t1_ms: int, tokens: int | None, *, entity: int = 11, flags: int = 0) -> FlowEntry:
    return FlowEntry(entity, t0_ms, t1_ms, None, None, tokens, None, None, None, None, flags=flags)


def past(
    entries: list[GpuEntry], flows: list[FlowEntry] | None = None, *, buckets: int = 3, share: float = 1.0
) -> GpuHistory:
    made = [part for each in flows or () if (part := Made.of(each, share))]
    return gpu_past(map(Drawn.of, entries), made, 0, STEP_MS, buckets)


def test_power_is_energy_over_the_time_it_was_measured_in() -> None:
    assert past([entry(0, 10_000), entry(10_000, 15_000)]).power_w == (300, 300, None)


def test_without_an_energy_counter_power_is_the_mean_of_what_was_told() -> None:
    assert past([entry(0, 10_000, energy_mj=None, measured_ms=0)]).power_w[0] == 290


def test_energy_goes_to_the_time_it_was_drawn_in() -> None:
    late = entry(20_000, 30_000, energy_mj=6_000_000, measured_ms=20_000)
    assert past([late]).power_w == (None, 300, 300)


def test_a_gpu_has_its_part_of_the_tokens() -> None:
    found = past([entry(0, 10_000)], [flow(0, 10_000, 8000)], share=0.25)
    assert found.tok_s == (200, None, None)
    assert found.tok_per_j[0] == pytest.approx(200 / 300)


def test_flows_of_one_server_are_added_and_their_time_is_not() -> None:
    flows = [flow(0, 10_000, 1000), flow(5_000, 10_000, 500, entity=12)]
    assert past([], flows).tok_s[0] == 150


def test_no_tokens_at_power_are_none_per_joule_and_not_unknown() -> None:
    found = past([entry(0, 10_000, state=State.PARKED)], [flow(0, 10_000, 0)])
    assert (found.tok_s[0], found.tok_per_j[0]) == (0, 0)


def test_tokens_that_are_not_told_or_counted_elsewhere_are_unknown() -> None:
    flows = [flow(0, 10_000, None), flow(0, 10_000, 5000, flags=Flag.OUTPUT_ELSEWHERE)]
    assert past([entry(0, 10_000)], flows).tok_s[0] is None


def test_a_bucket_shows_the_state_that_holds_longest_and_a_gap_none() -> None:
    entries = [
        entry(0, 4_000),
        entry(4_000, 10_000, state=State.PARKED),
        entry(10_000, 20_000, flags=Flag.GAP),
        entry(20_000, 30_000, state=State.UNALLOCATED),
    ]
    found = past(entries)
    assert found.states == ("parked", UNWATCHED, "unallocated")
    assert found.state_ms == (("unallocated", 10_000), ("parked", 6_000), ("serving", 4_000), (UNWATCHED, 10_000))
    assert [(span.from_ms, span.to_ms, span.state) for span in found.spans] == [
        (0, 10_000, "parked"),
        (20_000, 30_000, "unallocated"),
    ]


LENGTHS = st.lists(st.tuples(st.integers(1, 25_000), st.sampled_from(State), st.booleans()), max_size=12)


@given(LENGTHS, st.integers(-30_000, 30_000), st.integers(1, 9))
def test_shares_of_states_add_up_to_the_whole(
    lengths: list[tuple[int, State, bool]], begin_ms: int, buckets: int
) -> None:
    entries = []
    for length_ms, state, gap in lengths:
        entries.append(entry(begin_ms, begin_ms + length_ms, state=state, flags=Flag.GAP if gap else 0))
        begin_ms += length_ms
    found = past(entries, buckets=buckets)
    assert sum(ms for _, ms in found.state_ms) == buckets * STEP_MS
    assert all(ms >= 0 for _, ms in found.state_ms)
    assert {state for state in found.states if state} <= {state for state, _ in found.state_ms}


@given(st.lists(st.tuples(st.integers(1, 25_000), st.integers(0, 10**6)), min_size=1, max_size=12))
def test_tokens_are_neither_lost_nor_made(lengths: list[tuple[int, int]]) -> None:
    flows, begin_ms = [], 0
    for length_ms, tokens in lengths:
        flows.append(flow(begin_ms, begin_ms + length_ms, tokens))
        begin_ms += length_ms
    buckets = -(-begin_ms // STEP_MS)
    found = past([], flows, buckets=buckets)
    covered = [min(STEP_MS, begin_ms - number * STEP_MS) for number in range(buckets)]
    total = sum((rate or 0) * ms / 1000 for rate, ms in zip(found.tok_s, covered, strict=True))
    assert total == pytest.approx(sum(tokens for _, tokens in lengths), rel=1e-3, abs=1)


def test_reasons_are_shares_of_the_time_in_which_any_were_told() -> None:
    entries = [entry(0, 6_000, throttle=0x4), entry(6_000, 8_000, throttle=0x40), entry(8_000, 30_000, throttle=None)]
    found = {reason.words: reason for reason in reasons_over(entries)}
    assert found["power cap"] == Slowed("power cap", 0.75, alert=False)
    assert found["too hot (hardware)"] == Slowed("too hot (hardware)", 0.25, alert=True)
    assert found["idle"].share == 0


def test_a_device_that_tells_no_reasons_has_none_to_show() -> None:
    assert reasons_over([entry(0, 1000, throttle=None)]) == ()
    assert reasons_over([]) == ()
