"""States over time: their beginning, their dwell, what is written, and what an earlier run left."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from tests.ledger.states.gpu import (
    BUSY,
    FREE,
    GONE,
    LIMITS,
    QUEUED,
    SERVED,
    SILENT,
    THROTTLED,
    Gpu,
)
from tokwatch.ledger.entries import State
from tokwatch.ledger.states import Signals, StateBody, StateTracker


def test_a_state_is_confirmed_when_its_dwell_has_passed() -> None:
    tracker = StateTracker(LIMITS)
    bodies = [tracker.step(1, SERVED, t, t - 1000, t)[0] for t in range(1000, 302_000, 1000)]
    assert {body.since_ms for body in bodies} == {0}
    assert [body.confirmed for body in bodies].index(True) == 299  # five minutes


@pytest.mark.parametrize(
    ("signals", "dwell_s"),
    [(GONE, 15), (SERVED, 300), (FREE, 300), (Signals(has_process=True, listed_s=30, utilization=0.0), 600)],
    ids=["lost", "parked", "unallocated", "held"],
)
def test_the_dwell_of_each_state(signals: Signals, dwell_s: int) -> None:
    tracker = StateTracker(LIMITS)
    end_ms = dwell_s * 1000
    assert not tracker.step(1, signals, 1000, 0, 1000)[0].confirmed
    assert not tracker.step(1, signals, end_ms - 1, 1000, end_ms - 1)[0].confirmed
    assert tracker.step(1, signals, end_ms, end_ms - 1, end_ms)[0].confirmed


@pytest.mark.parametrize("signals", [GONE, THROTTLED, FREE], ids=["lost", "throttled", "free"])
def test_two_readings_confirm_nothing_however_far_apart_they_are(signals: Signals) -> None:
    tracker = StateTracker(LIMITS)
    minutes_ms = [n * 600_000 for n in range(1, 4)]
    confirmed = [tracker.step(1, signals, t, t - 600_000, t)[0].confirmed for t in minutes_ms]
    assert confirmed == [False, False, True]


def test_a_good_reading_confirms_no_fault() -> None:
    tracker = StateTracker(LIMITS)
    lost = [tracker.step(1, s, t, t - 20_000, t)[0] for t, s in [(20_000, GONE), (40_000, GONE), (60_000, BUSY)]]
    assert [(State(body.state), body.confirmed) for body in lost] == [(State.LOST, False)] * 3


def test_a_state_that_needs_no_dwell_is_confirmed_by_its_first_reading() -> None:
    assert StateTracker(LIMITS).step(1, BUSY, 1000, 0, 1000)[0].confirmed


def test_an_event_is_written_when_something_changes_and_only_then() -> None:
    tracker = StateTracker(LIMITS)
    body, event = tracker.step(1, SERVED, 1005, 0, 1000)
    assert event is not None
    assert (event.tick_ms, event.entity, event.kind) == (1005, 1, "state")
    assert msgspec.json.decode(event.body, type=StateBody) == body
    assert tracker.step(1, SERVED, 2005, 1000, 2000)[1] is None
    body, event = tracker.step(1, replace(SERVED, running=1), 3005, 2000, 3000)
    assert event is not None
    assert (body.state, body.since_ms) == (State.SERVING, 2000)


def test_a_server_that_does_not_come_up_is_held_after_sixteen_minutes() -> None:
    tracker = StateTracker(LIMITS)
    states = [
        tracker.step(1, replace(SILENT, server_age_s=float(s)), s * 1000, s * 1000 - 1000, s * 1000)[0].state
        for s in (1, 959, 960, 961)
    ]
    assert states == [State.LOADING, State.LOADING, State.HELD, State.HELD]


def test_a_gpu_that_is_lost_again_and_again_is_lost_since_the_first_time() -> None:
    gpu = Gpu()
    gpu.lasts(10, BUSY)
    for _ in range(5):
        assert gpu.lasts(3, GONE) is State.LOST
        assert gpu.lasts(1, BUSY) is State.LOST
    assert gpu.since_s == 10
    assert gpu.lasts(1, BUSY) is State.SERVING


# --- across runs ------------------------------------------------------------------------------------------------------


def resumed(state: State, note: str) -> Gpu:
    """A recorder takes up a GPU that was confirmed in the state since second 5; it goes on at second 900."""
    gpu = Gpu()
    gpu.body, gpu.second = StateBody(state, 5000, True, note), 899
    gpu.tracker.resume(1, gpu.body)
    return gpu


def test_a_state_of_an_earlier_run_goes_on() -> None:
    gpu = resumed(State.PARKED, "loaded, no request")
    assert gpu.lasts(1, SERVED) is State.PARKED
    assert (gpu.since_s, gpu.body.confirmed, gpu.events) == (5, True, [])


def test_a_gpu_that_was_about_to_be_lost_and_answers_the_next_recorder_never_is() -> None:
    gpu = Gpu()
    gpu.second = 899
    gpu.tracker.resume(1, StateBody(State.LOST, 890_000, False, "fell off the bus"))
    assert gpu.lasts(1, BUSY) is State.LOST
    assert not gpu.body.confirmed
    assert gpu.lasts(1, BUSY) is State.SERVING


def test_a_queue_that_outlives_the_recorder_is_one_backlog() -> None:
    """No page of the new run has shown it for long enough to begin one."""
    gpu = resumed(State.BACKLOG, "requests wait")
    gpu.lasts(2, Signals(server="big", unread=True, has_process=True))
    gpu.lasts(30, replace(QUEUED, queued_s=0.0))
    assert gpu.lasts(30, QUEUED) is State.BACKLOG
    assert (gpu.since_s, gpu.events) == (5, [])


def test_a_queue_that_went_with_the_recorder_is_over_in_time() -> None:
    gpu = resumed(State.BACKLOG, "requests wait")
    assert gpu.lasts(60, BUSY) is State.BACKLOG
    assert gpu.lasts(1, BUSY) is State.SERVING
