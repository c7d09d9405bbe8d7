"""What a GPU is doing: every row of the table, and what no combination of signals may ever say."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.entries import State
from tokwatch.ledger.states import Signals, StateBody, StateTracker, Thresholds, judge

LIMITS = Thresholds()

SERVED = Signals(server="Qwen3-32B", answering=True, running=0, waiting=0, moved=False, evidence_s=30, has_process=True)
SILENT = Signals(
    server="Qwen3-32B", answering=False, server_problem="connection refused", has_process=True, utilization=0.0
)
FREE = Signals(has_process=False, memory_used_mib=500, utilization=0.0)


def with_(signals: Signals, **changes: Any) -> Signals:
    return Signals(**{name: getattr(signals, name) for name in Signals.__slots__} | changes)


ROWS = [
    ("gone", with_(SERVED, lost=True, problem="fell off the bus"), State.LOST),
    ("refused", with_(SERVED, problem="no permission"), State.UNKNOWN),
    ("running requests", with_(SERVED, running=1), State.SERVING),
    ("tokens moved", with_(SERVED, moved=True), State.SERVING),
    ("running and still for half a minute", with_(SERVED, running=2, still_s=30), State.STALLED),
    ("running and still for less", with_(SERVED, running=2, still_s=29.9), State.SERVING),
    ("running, and no page tells whether it moves", with_(SERVED, running=2, still_s=None), State.SERVING),
    ("a partner's tokens move", with_(SERVED, running=2, still_s=60, moved=True), State.SERVING),
    ("tokens moved though the gauges say 0", with_(SERVED, moved=True, running=0, waiting=0), State.SERVING),
    ("waiting and none running", with_(SERVED, waiting=3), State.UNKNOWN),
    ("watched too short", with_(SERVED, evidence_s=29.9), State.UNKNOWN),
    ("nothing tells whether tokens move", with_(SERVED, moved=None), State.UNKNOWN),
    ("loaded and no request", SERVED, State.PARKED),
    ("page lost after it was read", with_(SILENT, answered_before=True, server_age_s=9000), State.BLIND),
    ("engine without a page", with_(SILENT, has_page=False, server_age_s=9000), State.BLIND),
    ("young and not up", with_(SILENT, server_age_s=899), State.LOADING),
    ("of unknown age and not up", SILENT, State.LOADING),
    ("not up after 15 minutes", with_(SILENT, server_age_s=900), State.HELD),
    ("not up after 15 minutes, but busy", with_(SILENT, server_age_s=900, utilization=0.5), State.BLIND),
    ("not up after 15 minutes, perhaps busy", with_(SILENT, server_age_s=900, utilization=None), State.BLIND),
    ("a stranger's process at work", Signals(has_process=True, utilization=0.01), State.OTHER_WORK),
    ("a stranger's process at rest", Signals(has_process=True, utilization=0.009), State.HELD),
    ("a process, utilisation unsupported", Signals(has_process=True), State.UNKNOWN),
    ("busy without a visible process", with_(FREE, utilization=0.5), State.OTHER_WORK),
    ("busy, processes not visible", with_(FREE, has_process=None, utilization=0.5), State.OTHER_WORK),
    ("free", FREE, State.UNALLOCATED),
    ("free but for processes that are not visible", with_(FREE, has_process=None), State.UNKNOWN),
    ("free but for utilisation that is unsupported", with_(FREE, utilization=None), State.UNKNOWN),
    ("memory held by nobody visible", with_(FREE, memory_used_mib=1024), State.UNKNOWN),
    ("memory unknown", with_(FREE, memory_used_mib=None), State.UNKNOWN),
]


@pytest.mark.parametrize(("signals", "state"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_row_of_the_table(signals: Signals, state: State) -> None:
    assert judge(signals, State.UNKNOWN, LIMITS)[0] is state


def test_held_is_left_at_five_percent_and_entered_below_one() -> None:
    busy = Signals(has_process=True, utilization=0.03)
    assert judge(busy, State.HELD, LIMITS)[0] is State.HELD
    assert judge(busy, State.OTHER_WORK, LIMITS)[0] is State.OTHER_WORK
    assert judge(with_(busy, utilization=0.05), State.HELD, LIMITS)[0] is State.OTHER_WORK


def test_every_state_that_is_no_work_says_why() -> None:
    for _, signals, state in ROWS:
        assert (judge(signals, State.UNKNOWN, LIMITS)[1] == "") == (state is State.SERVING)


unknown_or = st.none() | st.booleans()
any_signals = st.builds(
    Signals,
    problem=st.sampled_from(["", "no permission"]),
    lost=st.booleans(),
    server=st.sampled_from(["", "Qwen3-32B"]),
    answering=unknown_or,
    has_page=st.booleans(),
    answered_before=st.booleans(),
    server_age_s=st.none() | st.sampled_from([0.0, 899.0, 900.0]),
    server_problem=st.sampled_from(["", "refused"]),
    running=st.none() | st.integers(0, 2),
    waiting=st.none() | st.integers(0, 2),
    moved=unknown_or,
    evidence_s=st.sampled_from([0.0, 29.9, 30.0]),
    has_process=unknown_or,
    memory_used_mib=st.none() | st.sampled_from([0, 1023, 1024, 70_000]),
    utilization=st.none() | st.sampled_from([0.0, 0.009, 0.01, 0.05, 1.0]),
)


@given(any_signals, st.sampled_from(State))
def test_no_signals_lie_about_work_or_idleness(signals: Signals, now: State) -> None:
    state, _ = judge(signals, now, LIMITS)
    at_work = bool(signals.running or signals.moved)
    if state is State.SERVING:
        assert signals.answering
        assert at_work
    if state is State.PARKED:
        assert signals.answering or signals.unread
        assert not at_work
    if state is State.PARKED and now is not State.PARKED:
        assert signals.answering
        assert signals.moved is False
        assert signals.evidence_s >= LIMITS.evidence_window_s
    if state is State.UNALLOCATED:
        assert signals.has_process is False
        assert signals.utilization is not None
        assert signals.memory_used_mib is not None
    if state.idle:
        assert not signals.problem
        assert not signals.lost
        assert not (signals.answering and at_work)
        assert state is State.PARKED or (signals.utilization is not None and signals.utilization < 0.05)


def test_a_parked_gpu_stays_parked_while_a_restarted_recorder_reads_its_first_pages() -> None:
    unread = Signals(server="big", unread=True, has_process=True)
    young = Signals(server="big", answering=True, moved=False, evidence_s=2.0, has_process=True)
    for signals in (unread, young):
        assert judge(signals, State.PARKED, LIMITS)[0] is State.PARKED
        assert judge(signals, State.SERVING, LIMITS)[0] is State.UNKNOWN


# --- over time --------------------------------------------------------------------------------------------------------


def test_a_state_is_confirmed_when_its_dwell_has_passed() -> None:
    tracker = StateTracker(LIMITS)
    bodies = [tracker.step(1, SERVED, t, t - 1000, t)[0] for t in range(1000, 302_000, 1000)]
    assert {body.since_ms for body in bodies} == {0}
    assert [body.confirmed for body in bodies].index(True) == 299  # five minutes


@pytest.mark.parametrize(
    ("signals", "dwell_s"),
    [(ROWS[0][1], 15), (SERVED, 300), (FREE, 300), (Signals(has_process=True, utilization=0.0), 600)],
    ids=["lost", "parked", "unallocated", "held"],
)
def test_the_dwell_of_each_state(signals: Signals, dwell_s: int) -> None:
    tracker = StateTracker(LIMITS)
    end_ms = dwell_s * 1000
    assert not tracker.step(1, signals, 1000, 0, 1000)[0].confirmed
    assert not tracker.step(1, signals, end_ms - 1, 1000, end_ms - 1)[0].confirmed
    assert tracker.step(1, signals, end_ms, end_ms - 1, end_ms)[0].confirmed


def test_an_event_is_written_when_something_changes_and_only_then() -> None:
    tracker = StateTracker(LIMITS)
    body, event = tracker.step(1, SERVED, 1005, 0, 1000)
    assert event is not None
    assert (event.tick_ms, event.entity, event.kind) == (1005, 1, "state")
    assert msgspec.json.decode(event.body, type=StateBody) == body
    assert tracker.step(1, SERVED, 2005, 1000, 2000)[1] is None
    body, event = tracker.step(1, with_(SERVED, running=1), 3005, 2000, 3000)
    assert event is not None
    assert (body.state, body.since_ms) == (State.SERVING, 2000)


def test_a_server_that_does_not_come_up_is_held_after_a_quarter_of_an_hour() -> None:
    tracker = StateTracker(LIMITS)
    states = [
        tracker.step(1, with_(SILENT, server_age_s=float(s)), s * 1000, s * 1000 - 1000, s * 1000)[0].state
        for s in (1, 899, 900, 901)
    ]
    assert states == [State.LOADING, State.LOADING, State.HELD, State.HELD]


def test_a_state_of_an_earlier_run_goes_on() -> None:
    tracker = StateTracker(LIMITS)
    tracker.resume(1, StateBody(State.PARKED, 5000, True, "loaded, no request"))
    body, event = tracker.step(1, SERVED, 900_000, 899_000, 900_000)
    assert (body.since_ms, event) == (5000, None)
