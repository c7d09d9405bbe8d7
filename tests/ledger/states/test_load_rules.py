"""Slowed, overrun, left out or hardly used: when that begins, what it takes to leave, and that nothing flaps."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.ledger.states.gpu import BUSY, FULL, HARDLY_USED, LEFT_OUT, QUEUED, SERVED, THROTTLED, Gpu
from tokwatch.ledger.entries import State
from tokwatch.ledger.states import Signals

QUEUE_WITH_ROOM = replace(QUEUED, full_s=0, pressed=False)
SHORT_QUEUE = replace(QUEUED, queued_s=5)
REPLICA_QUEUE_GONE = replace(LEFT_OUT, replica_queue="", replica_queued_s=0)

# state · what enters it · what keeps it without entering it · what ends it · its dwell · its time to leave, s
STATES = [
    (THROTTLED, replace(THROTTLED, throttled=0.05), replace(THROTTLED, throttled=0.04), 60, 120, State.SERVING),
    (FULL, replace(FULL, full_s=5), QUEUE_WITH_ROOM, 30, 60, State.BACKLOG),
    (FULL, replace(FULL, full_s=5), BUSY, 30, 60, State.SERVING),
    (QUEUED, SHORT_QUEUE, BUSY, 30, 60, State.SERVING),
    (LEFT_OUT, replace(LEFT_OUT, replica_queued_s=5), REPLICA_QUEUE_GONE, 30, 30, State.PARKED),
    (HARDLY_USED, replace(HARDLY_USED, load=0.35), replace(HARDLY_USED, load=0.36), 600, 120, State.SERVING),
]
IDS = ["throttled", "saturated with a queue left", "saturated", "backlog", "misrouted", "underbatched"]
each = pytest.mark.parametrize(("enters", "keeps", "ends", "dwell_s", "leaves_s", "after"), STATES, ids=IDS)


@each
def test_it_is_confirmed_after_its_dwell(
    enters: Signals, keeps: Signals, ends: Signals, dwell_s: int, leaves_s: int, after: State
) -> None:
    gpu = Gpu()
    state = gpu.lasts(dwell_s - 1, enters)
    assert state is gpu.lasts(0, enters)
    assert not gpu.body.confirmed
    assert gpu.lasts(1, enters) is state
    assert gpu.body.confirmed
    assert len(gpu.events) == 2  # it began, and was confirmed


@each
def test_once_confirmed_it_is_left_when_its_reason_has_been_gone_for_a_while(
    enters: Signals, keeps: Signals, ends: Signals, dwell_s: int, leaves_s: int, after: State
) -> None:
    gpu = Gpu()
    state = gpu.lasts(dwell_s, enters)
    assert gpu.lasts(leaves_s, ends) is state
    assert gpu.lasts(1, ends) is after
    assert gpu.since_s == gpu.second - 1


@each
def test_before_it_is_confirmed_it_is_over_with_its_reason(
    enters: Signals, keeps: Signals, ends: Signals, dwell_s: int, leaves_s: int, after: State
) -> None:
    gpu = Gpu()
    state = gpu.lasts(dwell_s - 1, enters)
    assert gpu.lasts(1, ends) is not state


@each
def test_between_its_two_thresholds_it_goes_on_and_does_not_begin(
    enters: Signals, keeps: Signals, ends: Signals, dwell_s: int, leaves_s: int, after: State
) -> None:
    fresh, gpu = Gpu(), Gpu()
    state = gpu.lasts(1, enters)
    assert gpu.lasts(5 * dwell_s, keeps) is state
    assert fresh.lasts(5, keeps) is not state


@each
def test_what_comes_and_goes_keeps_its_beginning_and_its_line(
    enters: Signals, keeps: Signals, ends: Signals, dwell_s: int, leaves_s: int, after: State
) -> None:
    gpu = Gpu()
    state = gpu.lasts(dwell_s, enters)
    told = len(gpu.events)
    for _ in range(10):
        assert gpu.lasts(leaves_s - 1, ends) is state
        gpu.lasts(1, keeps)
    assert (gpu.since_s, len(gpu.events)) == (0, told)


# --- money: no work is booked as idle, and no idleness as work --------------------------------------------------------


@pytest.mark.parametrize("enters", [THROTTLED, FULL, QUEUED, HARDLY_USED], ids=[IDS[i] for i in (0, 2, 3, 5)])
def test_when_nothing_runs_any_more_it_is_parked_at_once(enters: Signals) -> None:
    gpu = Gpu()
    gpu.lasts(3600, enters)
    assert gpu.lasts(1, SERVED) is State.PARKED


@pytest.mark.parametrize("busy", [replace(LEFT_OUT, running=1), replace(LEFT_OUT, moved=True)])
def test_the_first_request_ends_being_left_out_at_once(busy: Signals) -> None:
    gpu = Gpu()
    gpu.lasts(3600, LEFT_OUT)
    assert gpu.lasts(1, busy) is State.SERVING


def test_a_hang_or_a_fault_is_told_at_once_whatever_was_before() -> None:
    gpu = Gpu()
    gpu.lasts(3600, QUEUED)
    assert gpu.lasts(1, replace(QUEUED, moved=False, still_s=30)) is State.STALLED
    assert gpu.lasts(1, replace(QUEUED, lost=True, problem="gone")) is State.LOST


def test_a_queue_of_one_second_is_no_backlog() -> None:
    gpu = Gpu()
    gpu.lasts(60, BUSY)
    for _ in range(30):
        assert gpu.lasts(1, replace(BUSY, waiting=1)) is State.SERVING
        assert gpu.lasts(1, BUSY) is State.SERVING
    assert len(gpu.events) == 1


def test_a_queue_that_fills_the_cache_is_saturation_and_goes_back_to_a_backlog() -> None:
    gpu = Gpu()
    gpu.lasts(100, QUEUED)
    assert gpu.lasts(90, FULL) is State.SATURATED
    assert gpu.since_s == 100
    assert gpu.lasts(61, QUEUE_WITH_ROOM) is State.BACKLOG
    assert gpu.since_s == 250


def test_without_a_capacity_underbatched_is_left_in_time() -> None:
    """A restarted recorder knows no load for its first minute."""
    gpu = Gpu()
    gpu.lasts(600, HARDLY_USED)
    assert gpu.lasts(120, replace(HARDLY_USED, load=None)) is State.UNDERBATCHED
    assert gpu.lasts(1, replace(HARDLY_USED, load=None)) is State.SERVING
