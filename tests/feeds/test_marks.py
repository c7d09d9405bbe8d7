"""What becomes a mark, and the next one from anywhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tokwatch.feeds.mark import KINDS, Kind, Mark, last_mark, next_mark
from tokwatch.feeds.marks import alert_marks, gap_marks, idle_marks, in_order, price_marks, restart_marks
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.alerts.body import Status
from tokwatch.ledger.bodies import event
from tokwatch.ledger.entries import Event, State
from tokwatch.ledger.prices.book import PriceBook, PriceVersion
from tokwatch.ledger.prices.version import Prices
from tokwatch.ledger.states import StateBody

MINUTE_MS = 60_000
GPUS = {10: 0, 11: 1, 12: 2}


def alert(minute: int, status: Status, fired: int | None, *gpus: int, state: State = State.PARKED) -> Event:
    fired_ms = None if fired is None else fired * MINUTE_MS
    body = AlertBody(state, status, "warning", "no request", gpus, 0, fired_ms, None)
    return event(minute * MINUTE_MS, 0, "alert", body, "parked")


def state(minute: int, gpu: int, now: State) -> Event:
    return event(minute * MINUTE_MS, gpu, "state", StateBody(now, minute * MINUTE_MS, True, ""))


def idle(*events: Event, before: tuple[Event, ...] = (), end: int = 60) -> list[Mark]:
    return idle_marks(before, events, end * MINUTE_MS, GPUS)


def test_an_alert_is_a_mark_once_where_it_begins_to_fire() -> None:
    events = [
        alert(1, "pending", None, 10),
        alert(3, "firing", 3, 10),
        alert(5, "firing", 3, 10, 11),  # another GPU joins it
        alert(8, "resolved", 3, 10),
        alert(9, "firing", 9, 12),
    ]
    assert alert_marks(events, 0, GPUS) == [
        Mark(3 * MINUTE_MS, "alert", "gpu 0: no request", "parked"),
        Mark(9 * MINUTE_MS, "alert", "gpu 2: no request", "parked"),
    ]


def test_an_alert_that_fired_before_the_session_is_no_mark_of_it() -> None:
    assert alert_marks([alert(5, "firing", 3, 10, 11)], 4 * MINUTE_MS, GPUS) == []


def test_gpus_that_begin_to_be_idle_together_are_one_mark_that_tells_the_longest() -> None:
    events = [
        state(1, 10, State.SERVING),
        state(10, 10, State.PARKED),
        state(10, 11, State.PARKED),
        state(10, 12, State.UNALLOCATED),
        state(20, 10, State.SERVING),
    ]
    assert idle(*events) == [
        Mark(10 * MINUTE_MS, "idle", "gpu 0–1", "parked", 50 * MINUTE_MS),
        Mark(10 * MINUTE_MS, "idle", "gpu 2", "unallocated", 50 * MINUTE_MS),
    ]


def test_a_pause_below_five_minutes_is_no_idle_stretch() -> None:
    assert idle(state(10, 10, State.PARKED), state(14, 10, State.SERVING)) == []
    assert len(idle(state(10, 10, State.PARKED), state(15, 10, State.SERVING))) == 1
    assert idle(state(57, 10, State.PARKED)) == []


def test_another_kind_of_idle_goes_on_with_the_stretch_and_so_does_what_is_not_known() -> None:
    events = [state(10, 10, State.PARKED), state(12, 10, State.UNKNOWN), state(14, 10, State.HELD)]
    assert idle(*events, state(16, 10, State.SERVING)) == [
        Mark(10 * MINUTE_MS, "idle", "gpu 0", "parked", 6 * MINUTE_MS)
    ]


def test_what_was_idle_before_the_session_does_not_begin_in_it() -> None:
    before = (state(0, 10, State.PARKED),)
    assert idle(state(10, 10, State.HELD), before=before) == []
    assert len(idle(state(10, 10, State.SERVING), state(20, 10, State.PARKED), before=before)) == 1


def test_servers_that_restart_at_one_tick_are_one_mark() -> None:
    restarts = [(5, "a:1"), (5, "a:1"), (5, "b:2"), (9, "a:1")]
    assert restart_marks(restarts) == [Mark(5, "restart", "a:1, b:2"), Mark(9, "restart", "a:1")]


def test_a_gap_is_marked_at_its_end_and_a_recorder_that_took_over_at_once_is_told_as_such() -> None:
    assert gap_marks([(10, 500), (600, 602)], 2) == [
        Mark(500, "gap", "nobody watched", length_ms=490),
        Mark(602, "gap", "the recorder began anew"),
    ]


def test_prices_are_marks_where_another_one_comes_into_force() -> None:
    prices = Prices(usd_per_gpu_hour=2.0)
    book = PriceBook(
        (
            PriceVersion(1, 0, 0, "config", prices),
            PriceVersion(2, 500, 500, "set by you", prices),
            PriceVersion(3, 700, 900, "restated", prices, effective_to_ms=800, reason="the invoice says so"),
        )
    )
    assert price_marks(book, 100, 1000) == [
        Mark(500, "price", "set by you"),
        Mark(700, "price", "restated: the invoice says so"),
        Mark(800, "price", "set by you"),
    ]
    assert price_marks(PriceBook(), 100, 1000) == []


some_marks = st.lists(st.tuples(st.integers(0, 20), st.sampled_from(KINDS))).map(
    lambda found: in_order(Mark(at_ms, kind, "") for at_ms, kind in found)
)


@given(some_marks, st.integers(-1, 21), st.sampled_from([None, *KINDS]))
def test_the_next_mark_is_the_nearest_one_of_its_kind(marks: tuple[Mark, ...], at_ms: int, kind: Kind | None) -> None:
    of_kind = [mark.at_ms for mark in marks if kind in (None, mark.kind)]
    ahead = next_mark(marks, at_ms, kind, forward=True)
    behind = next_mark(marks, at_ms, kind, forward=False)
    assert (ahead.at_ms if ahead else None) == min((at for at in of_kind if at > at_ms), default=None)
    assert (behind.at_ms if behind else None) == max((at for at in of_kind if at < at_ms), default=None)


@given(some_marks)
def test_going_on_to_the_next_mark_comes_by_every_moment_that_has_one(marks: tuple[Mark, ...]) -> None:
    seen, at_ms = [], -1
    while (mark := next_mark(marks, at_ms, None, forward=True)) is not None:
        seen.append(mark.at_ms)
        at_ms = mark.at_ms
    assert seen == sorted({mark.at_ms for mark in marks})


def test_the_last_mark_is_the_one_at_or_before() -> None:
    marks = (Mark(5, "gap", ""), Mark(9, "alert", ""))
    assert [last_mark(marks, at) for at in (4, 5, 8, 9, 99)] == [None, marks[0], marks[0], marks[1], marks[1]]
