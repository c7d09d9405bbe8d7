"""What no combination of signals may ever say: work without evidence of work, idleness without evidence of idleness."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.ledger.states.gpu import LIMITS
from tokwatch.ledger.entries import State
from tokwatch.ledger.states import Past, Signals, judge

unknown_or = st.none() | st.booleans()
seconds = st.sampled_from([0.0, 29.9, 30.0, 960.0])
shares = st.none() | st.sampled_from([0.0, 0.009, 0.01, 0.04, 0.05, 0.2, 0.24, 0.25, 0.35, 0.36, 1.0])
counts = st.none() | st.integers(0, 2)
address = st.sampled_from(["", "127.0.0.1:8001"])
VALUES = {
    "problem": st.sampled_from(["", "no permission"]),
    "lost": st.booleans(),
    "server": st.sampled_from(["", "Qwen3-32B"]),
    "unread": st.booleans(),
    "answering": unknown_or,
    "has_page": st.booleans(),
    "answered_before": st.booleans(),
    "server_age_s": st.none() | st.sampled_from([0.0, 959.0, 960.0]),
    "server_problem": st.sampled_from(["", "refused"]),
    "running": counts,
    "waiting": counts,
    "asleep": st.booleans(),
    "moved": unknown_or,
    "still_s": st.none() | seconds,
    "ttft_p99_s": st.none() | st.sampled_from([0.1, 40.0]),
    "evidence_s": seconds,
    "queued_s": seconds,
    "full_s": seconds,
    "pressed": st.booleans(),
    "load": shares,
    "queue_elsewhere": st.booleans(),
    "replica_queued_s": seconds,
    "replica_queue": address,
    "resting_replica": address,
    "throttled": shares,
    "slowed_by": st.sampled_from(["", "too hot"]),
    "has_process": unknown_or,
    "listed_s": seconds,
    "foreign": st.booleans(),
    "memory_used_mib": st.none() | st.sampled_from([0, 1023, 1024, 70_000]),
    "utilization": shares,
    "power_w": st.none() | st.sampled_from([70.0, 600.0]),
    "work_w": st.none() | st.sampled_from([269.0]),
}
any_signals = st.builds(Signals, **VALUES)
any_past = st.builds(
    Past,
    state=st.sampled_from(State),
    confirmed=st.booleans(),
    note=st.just("as it was"),
    gone_s=st.none() | st.sampled_from([0.0, 1.0, 29.9, 30.0, 59.9, 60.0, 119.9, 120.0]),
)


def test_every_signal_is_drawn() -> None:
    assert set(VALUES) == set(Signals.__struct_fields__)


# The values that decide something, of a server that answers: every combination of them.
ANSWERED: dict[str, tuple[Any, ...]] = {
    "running": (None, 0, 1),
    "waiting": (None, 0, 1),
    "moved": (None, False, True),
    "evidence_s": (29.9, 30.0),
    "still_s": (None, 30.0),
    "throttled": (None, 0.1, 0.2),
    "queued_s": (0.0, 30.0),
    "full_s": (0.0, 30.0),
    "load": (None, 0.24, 0.3),
    "replica_queue": ("", "127.0.0.1:8001"),
    "foreign": (False, True),
}
# … and of a GPU without one, or with one that does not answer.
ALONE: dict[str, tuple[Any, ...]] = {
    "answering": (None, False),
    "unread": (False, True),
    "has_page": (False, True),
    "answered_before": (False, True),
    "server_age_s": (None, 0.0, 960.0),
    "has_process": (None, False, True),
    "listed_s": (29.9, 30.0),
    "memory_used_mib": (None, 0, 70_000),
    "utilization": (None, 0.0, 0.03, 1.0),
}
LOADS = (State.THROTTLED, State.SATURATED, State.BACKLOG, State.MISROUTED, State.UNDERBATCHED)


def lingering(state: State) -> Past:
    return Past(state, True, "as it was", gone_s=1.0)


def combinations(values: dict[str, tuple[Any, ...]], **fixed: Any) -> Iterator[Signals]:
    for chosen in product(*values.values()):
        yield Signals(**fixed, **dict(zip(values, chosen, strict=True)))


def check_work(signals: Signals, past: Past, state: State) -> None:
    """No GPU works without tokens or requests."""
    work = bool(signals.running or signals.moved)
    if state is State.SERVING:
        assert work
    if signals.unread and past.state is state:
        return  # it was so when the recorder restarted, which reads the page now
    if state in (State.THROTTLED, State.UNDERBATCHED):
        assert work
    if state in (State.SATURATED, State.BACKLOG):
        assert work or signals.waiting
    if past.state is state:
        return
    if state is State.SERVING or state in LOADS:
        assert signals.answering
    if state in (State.SATURATED, State.BACKLOG):
        assert signals.waiting
    if state is State.THROTTLED:
        assert signals.throttled is not None
    if state is State.UNDERBATCHED:
        assert signals.load is not None
        assert signals.waiting == 0


def check_other_work(signals: Signals, past: Past, state: State) -> None:
    """No server's work is called somebody else's, and nobody's rest."""
    if state is not State.OTHER_WORK:
        return
    assert signals.utilization
    assert not signals.answering or (signals.foreign and not signals.running and not signals.moved)


def check_idle(signals: Signals, past: Past, state: State) -> None:
    """No GPU is idle without the evidence for it."""
    if not state.idle:
        return
    assert not signals.problem
    assert not signals.lost
    if state in (State.PARKED, State.MISROUTED):
        assert signals.answering or signals.unread
        assert not signals.running
        assert not signals.moved
    if state in (State.PARKED, State.MISROUTED) and past.state is not state:
        assert signals.answering
        assert signals.moved is False or signals.asleep
        assert signals.evidence_s >= LIMITS.evidence_window_s
    if state is State.MISROUTED and not signals.unread:
        assert signals.running == signals.waiting == 0
    if state is State.HELD:
        assert signals.has_process or signals.answering is False
        assert signals.listed_s >= LIMITS.evidence_window_s or signals.answering is False or past.state is state
    if state is State.UNALLOCATED:
        assert not signals.has_process
        assert signals.memory_used_mib is not None
    if state in (State.HELD, State.UNALLOCATED):
        assert signals.utilization is not None
        assert signals.utilization < LIMITS.held_leaves_at_utilization


def check(signals: Signals, past: Past) -> State:
    state, _ = judge(signals, past, LIMITS)
    check_work(signals, past, state)
    check_idle(signals, past, state)
    check_other_work(signals, past, state)
    return state


@pytest.mark.parametrize("past", [Past(), *map(lingering, LOADS), lingering(State.PARKED)], ids=lambda p: p.state.name)
def test_every_combination_of_what_a_servers_page_tells(past: Past) -> None:
    for signals in combinations(ANSWERED, server="Qwen3-32B", answering=True, replica_queued_s=30.0, utilization=0.5):
        check(signals, past)


@pytest.mark.parametrize("past", [*map(lingering, State)], ids=lambda p: p.state.name)
def test_every_combination_of_what_is_known_without_a_page(past: Past) -> None:
    for signals in combinations(ALONE, server="Qwen3-32B"):
        check(signals, past)


@settings(max_examples=300)
@given(any_signals, any_past)
def test_any_signals_at_all(signals: Signals, past: Past) -> None:
    assert check(signals, past) is check(signals, past)


@settings(max_examples=300)
@given(
    any_signals,
    any_past,
    st.sampled_from(["running", "waiting", "moved", "utilization", "has_process", "load", "memory_used_mib"]),
)
def test_to_know_less_makes_no_gpu_idle(signals: Signals, past: Past, name: str) -> None:
    state = check(signals, past)
    if name in ("running", "moved") and (signals.running or signals.moved):
        return  # that may have been the evidence of work, which is missed then
    less: Any = {name: None}
    then = check(replace(signals, **less), past)
    if name == "waiting" and signals.waiting:  # so may a queue; unknown, it is at the most as idle as without one
        assert not then.idle or check(replace(signals, waiting=0), past).idle
        return
    assert state.idle or not then.idle or then is past.state
