"""What a GPU is doing: every row of the table, one tick at a time."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.ledger.states.gpu import (
    BUSY,
    FREE,
    FULL,
    GONE,
    HARDLY_USED,
    LEFT_OUT,
    LIMITS,
    QUEUED,
    SERVED,
    SILENT,
    THROTTLED,
)
from tokwatch.ledger.entries import State
from tokwatch.ledger.states import Past, Signals, judge

NOT_HERE = replace(SILENT, has_process=False, memory_used_mib=500)
STRANGER = Signals(has_process=True, listed_s=30, utilization=0.009)
SHARED = replace(SERVED, foreign=True, utilization=0.5)  # another process is on its GPU

ROWS = [
    ("gone", replace(BUSY, lost=True, problem="fell off the bus"), State.LOST),
    ("refused", replace(SERVED, problem="no permission"), State.UNKNOWN),
    ("running requests", replace(SERVED, running=1), State.SERVING),
    ("tokens moved", replace(SERVED, moved=True), State.SERVING),
    ("running and still for half a minute", replace(SERVED, running=2, still_s=30), State.STALLED),
    ("running and still for less", replace(SERVED, running=2, still_s=29.9), State.SERVING),
    ("running, and no page tells whether it moves", replace(SERVED, running=2, still_s=None), State.SERVING),
    ("a partner's tokens move", replace(SERVED, running=2, still_s=60, moved=True), State.SERVING),
    ("still for less than long prefills take", replace(SERVED, running=2, still_s=89, ttft_p99_s=40), State.SERVING),
    ("still for longer than they take", replace(SERVED, running=2, still_s=90, ttft_p99_s=40), State.STALLED),
    ("short prefills change nothing", replace(SERVED, running=2, still_s=30, ttft_p99_s=20), State.STALLED),
    ("tokens moved though the gauges say 0", replace(SERVED, moved=True, running=0, waiting=0), State.SERVING),
    ("slowed while requests run", THROTTLED, State.THROTTLED),
    ("slowed for less than a fifth of the time", replace(THROTTLED, throttled=0.19), State.SERVING),
    ("slowed without requests", replace(SERVED, throttled=1.0), State.PARKED),
    ("nothing tells whether it is slowed", replace(THROTTLED, throttled=None), State.SERVING),
    ("a hang is told before what slows it", replace(THROTTLED, moved=False, still_s=30), State.STALLED),
    ("a queue for a full cache", FULL, State.SATURATED),
    ("slowed is told before its queue", replace(FULL, throttled=0.5), State.THROTTLED),
    ("a queue, and a cache that is full for less", replace(FULL, full_s=29.9), State.BACKLOG),
    ("a queue", QUEUED, State.BACKLOG),
    ("a queue of less than half a minute", replace(QUEUED, queued_s=29.9), State.SERVING),
    ("a queue that has just gone", replace(QUEUED, waiting=0), State.SERVING),
    ("a queue, and nothing runs", replace(SERVED, waiting=3, queued_s=30), State.BACKLOG),
    ("a short one, and nothing runs", replace(SERVED, waiting=3), State.UNKNOWN),
    ("a queue elsewhere alone", replace(BUSY, queue_elsewhere=True), State.SERVING),
    ("no request, and a queue at its replica", LEFT_OUT, State.MISROUTED),
    ("… of less than half a minute", replace(LEFT_OUT, replica_queued_s=29.9), State.PARKED),
    ("… but it has requests", replace(LEFT_OUT, running=1), State.SERVING),
    ("… but it had tokens, or its partner has", replace(LEFT_OUT, moved=True), State.SERVING),
    ("… but it sleeps on purpose", replace(LEFT_OUT, asleep=True), State.PARKED),
    ("… but it does not tell what runs", replace(LEFT_OUT, running=None), State.PARKED),
    ("… but nothing tells whether tokens move", replace(LEFT_OUT, moved=None), State.UNKNOWN),
    ("… but it was watched too short", replace(LEFT_OUT, evidence_s=29.9), State.UNKNOWN),
    ("watched too short", replace(SERVED, evidence_s=29.9), State.UNKNOWN),
    ("nothing tells whether tokens move", replace(SERVED, moved=None), State.UNKNOWN),
    ("loaded and no request", SERVED, State.PARKED),
    ("far below its capacity", HARDLY_USED, State.UNDERBATCHED),
    ("at a quarter of it", replace(HARDLY_USED, load=0.25), State.SERVING),
    ("… and no capacity known", replace(HARDLY_USED, load=None), State.SERVING),
    ("… but requests wait", replace(HARDLY_USED, waiting=1), State.SERVING),
    ("… but perhaps requests wait", replace(HARDLY_USED, waiting=None), State.SERVING),
    ("… but they wait at its partner or router", replace(HARDLY_USED, queue_elsewhere=True), State.SERVING),
    ("… without requests", replace(SERVED, load=0.0), State.PARKED),
    ("page lost after it was read", replace(SILENT, answered_before=True, server_age_s=9000), State.BLIND),
    ("engine without a page", replace(SILENT, has_page=False, server_age_s=9000), State.BLIND),
    ("young and not up", replace(SILENT, server_age_s=959), State.LOADING),
    ("of unknown age and not up", SILENT, State.LOADING),
    ("not up after 16 minutes", replace(SILENT, server_age_s=960), State.HELD),
    ("not up after 16 minutes, but busy", replace(SILENT, server_age_s=960, utilization=0.5), State.BLIND),
    ("not up after 16 minutes, perhaps busy", replace(SILENT, server_age_s=960, utilization=None), State.BLIND),
    ("named by the config and not here", NOT_HERE, State.UNALLOCATED),
    ("… after its page was read", replace(NOT_HERE, answered_before=True), State.UNALLOCATED),
    ("… but its process is", replace(NOT_HERE, server_age_s=5), State.LOADING),
    ("… but its process was", replace(NOT_HERE, server_age_s=9000, answered_before=True), State.BLIND),
    ("… but a process is", replace(NOT_HERE, has_process=True), State.LOADING),
    ("… but perhaps a process is", replace(NOT_HERE, has_process=None), State.LOADING),
    ("… but memory is held", replace(NOT_HERE, memory_used_mib=1024), State.LOADING),
    ("… but perhaps memory is held", replace(NOT_HERE, memory_used_mib=None), State.LOADING),
    ("… but kernels run", replace(NOT_HERE, utilization=0.01), State.LOADING),
    ("… but perhaps kernels run", replace(NOT_HERE, utilization=None), State.LOADING),
    ("a stranger's process at work", replace(STRANGER, utilization=0.01), State.OTHER_WORK),
    ("a stranger's process at rest", STRANGER, State.HELD),
    ("… listed for less than half a minute", replace(STRANGER, listed_s=29.9), State.UNKNOWN),
    ("a process, utilisation unsupported", replace(STRANGER, utilization=None), State.UNKNOWN),
    ("somebody else's job beside a server at rest", SHARED, State.OTHER_WORK),
    ("… beside one that is left out", replace(LEFT_OUT, foreign=True, utilization=0.5), State.OTHER_WORK),
    ("… that runs kernels for less than half of the time", replace(SHARED, utilization=0.49), State.PARKED),
    ("… that perhaps runs kernels", replace(SHARED, utilization=None), State.UNKNOWN),
    ("… beside one that works", replace(SHARED, running=1), State.SERVING),
    ("… beside one whose tokens moved", replace(SHARED, moved=True), State.SERVING),
    ("… beside one with a queue", replace(SHARED, waiting=3, queued_s=30), State.BACKLOG),
    ("… beside one that hangs", replace(SHARED, running=2, still_s=30), State.STALLED),
    ("kernels and no other process than a server's at rest", replace(SHARED, foreign=False), State.PARKED),
    ("busy without a visible process", replace(FREE, utilization=0.5), State.OTHER_WORK),
    ("busy, processes not visible", replace(FREE, has_process=None, utilization=0.5), State.OTHER_WORK),
    ("free", FREE, State.UNALLOCATED),
    ("no memory in use, processes not listed by its meter", replace(FREE, has_process=None), State.UNALLOCATED),
    (
        "memory in use, processes not listed by its meter",
        replace(FREE, has_process=None, memory_used_mib=40_000),
        State.UNKNOWN,
    ),
    ("memory not told, processes not listed", replace(FREE, has_process=None, memory_used_mib=None), State.UNKNOWN),
    ("free but for utilisation that is unsupported", replace(FREE, utilization=None), State.UNKNOWN),
    ("memory held by nobody visible", replace(FREE, memory_used_mib=1024), State.UNKNOWN),
    ("memory unknown", replace(FREE, memory_used_mib=None), State.UNKNOWN),
]


@pytest.mark.parametrize(("signals", "state"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_each_row_of_the_table(signals: Signals, state: State) -> None:
    assert judge(signals, Past(), LIMITS)[0] is state


def test_every_state_is_reached() -> None:
    assert {state for _, _, state in ROWS} == set(State)


def test_every_state_that_is_no_work_says_why() -> None:
    for _, signals, state in ROWS:
        assert (judge(signals, Past(), LIMITS)[1] == "") == (state is State.SERVING)


def test_no_line_holds_a_number_that_changes_from_tick_to_tick() -> None:
    """Each change of a line is an event in the store."""
    assert judge(replace(FULL, waiting=4, running=9, full_s=31), Past(), LIMITS) == judge(FULL, Past(), LIMITS)
    assert judge(replace(HARDLY_USED, load=0.1), Past(), LIMITS) == judge(HARDLY_USED, Past(), LIMITS)
    hang = replace(SERVED, running=2, still_s=30)
    assert judge(replace(hang, running=3, still_s=31), Past(), LIMITS) == judge(hang, Past(), LIMITS)


# --- what the line says to do -----------------------------------------------------------------------------------------


def note(signals: Signals) -> str:
    return judge(signals, Past(), LIMITS)[1]


def test_a_queue_names_the_replica_that_could_take_it() -> None:
    resting = "127.0.0.1:8002"
    assert note(QUEUED) == "requests wait"
    assert note(replace(QUEUED, resting_replica=resting)) == "requests wait, none at the replica 127.0.0.1:8002"
    assert note(replace(FULL, resting_replica=resting)).endswith("none at the replica 127.0.0.1:8002")
    assert note(LEFT_OUT) == "no request here, while some wait at the replica 127.0.0.1:8001"


@pytest.mark.parametrize(
    ("utilization", "power_w", "work_w", "words"),
    [
        (0.9, 600.0, 269.0, "busy"),
        (0.0, 120.0, 269.0, "at rest"),
        (0.0, 300.0, 269.0, "busy"),  # kernels that the sampling of utilisation misses
        (0.9, 120.0, 269.0, "busy"),  # one that never ends and does nothing
        (None, 300.0, 269.0, "busy"),
        (None, 120.0, 269.0, "at rest"),
        (0.5, None, None, "busy"),
        (0.49, 300.0, None, "at rest"),
    ],
)
def test_a_hang_is_in_a_kernel_or_in_the_engine(
    utilization: float | None, power_w: float | None, work_w: float | None, words: str
) -> None:
    signals = replace(SERVED, running=2, still_s=30, utilization=utilization, power_w=power_w, work_w=work_w)
    assert note(signals) == f"requests run, no token, the GPU is {words}"


def test_a_hang_on_a_gpu_that_tells_nothing_of_itself_is_only_a_hang() -> None:
    assert note(replace(SERVED, running=2, still_s=30)) == "requests run, no token"


# --- what it was before -----------------------------------------------------------------------------------------------


def test_held_is_left_at_five_percent_and_entered_below_one() -> None:
    busy = replace(STRANGER, utilization=0.03)
    assert judge(busy, Past(State.HELD), LIMITS)[0] is State.HELD
    assert judge(busy, Past(State.OTHER_WORK), LIMITS)[0] is State.OTHER_WORK
    assert judge(replace(busy, utilization=0.05), Past(State.HELD), LIMITS)[0] is State.OTHER_WORK


def test_a_job_beside_a_server_goes_on_until_it_is_at_rest() -> None:
    reading_data = replace(SHARED, utilization=0.05)
    assert judge(reading_data, Past(State.OTHER_WORK), LIMITS)[0] is State.OTHER_WORK
    assert judge(reading_data, Past(State.PARKED), LIMITS)[0] is State.PARKED
    assert judge(replace(SHARED, utilization=0.049), Past(State.OTHER_WORK), LIMITS)[0] is State.PARKED


def test_a_held_gpu_is_held_still_when_a_restarted_recorder_lists_its_process_anew() -> None:
    assert judge(replace(STRANGER, listed_s=0.0), Past(State.HELD), LIMITS)[0] is State.HELD


@pytest.mark.parametrize(
    "state", [State.PARKED, State.MISROUTED, State.THROTTLED, State.SATURATED, State.BACKLOG, State.UNDERBATCHED]
)
def test_a_state_goes_on_while_a_restarted_recorder_reads_its_first_page(state: State) -> None:
    unread = Signals(server="big", unread=True, has_process=True)
    assert judge(unread, Past(state, True, "as it was"), LIMITS) == (state, "as it was")
    assert judge(unread, Past(State.SERVING), LIMITS)[0] is State.UNKNOWN


def test_a_parked_gpu_stays_parked_while_a_restarted_recorder_fills_its_window() -> None:
    young = Signals(server="big", answering=True, moved=False, evidence_s=2.0, has_process=True)
    assert judge(young, Past(State.PARKED, True, "as it was"), LIMITS) == (State.PARKED, "as it was")
    assert judge(young, Past(State.SERVING), LIMITS)[0] is State.UNKNOWN


def test_one_good_reading_does_not_bring_a_lost_gpu_back_and_a_second_one_does() -> None:
    assert judge(GONE, Past(State.LOST), LIMITS)[0] is State.LOST
    assert judge(BUSY, Past(State.LOST, True, "gone", gone_s=0.0), LIMITS) == (State.LOST, "answers again")
    assert judge(BUSY, Past(State.LOST, True, "answers again", gone_s=1.0), LIMITS)[0] is State.SERVING
