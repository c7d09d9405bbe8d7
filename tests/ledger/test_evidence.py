"""What proves work or idleness: pages of the last half minute, and which process they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from collectors.readings import FlowReading, GpuReading, Moves, Reason, ServerFacts, ServerReading
from tests.ledger.readings import (
    BOOT_S,
    NOON_MS,
    axis,
    flow,
    gpu,
    gpu_facts,
    lost_gpu,
    no_page,
    page,
    registry,
    server_facts,
    ttft,
)
from tokwatch.ledger.entries import State
from tokwatch.ledger.evidence import Evidence
from tokwatch.ledger.meter import Meter
from tokwatch.ledger.roster import NOBODY, Neighbours
from tokwatch.ledger.states import Past, Signals, Thresholds, judge

SECOND = server_facts("127.0.0.1:8001", model="Llama-8B")


class Watch:
    """The evidence of one GPU, and the meter that feeds it."""

    def __init__(self, interval_s: float = 1.0) -> None:
        self.meter = Meter(registry(), boot_id="boot-1", started_s=NOON_MS / 1000, interval_s=interval_s)
        self.evidence = Evidence(Thresholds())

    def see(self, reading: ServerReading) -> None:
        at = axis(reading.at_ns / 1e9 - BOOT_S)
        self.evidence.server(reading, *self.meter.server(reading, at, host=1))

    def signals(self, reading: GpuReading, *servers: ServerFacts, neighbours: Neighbours = NOBODY) -> Signals:
        at = axis(reading.at_ns / 1e9 - BOOT_S)
        entry = self.meter.gpu(reading, at, host=1)
        self.evidence.gpu(reading, entry, at.tick_ms)
        return self.evidence.signals(reading, entry, servers, at, neighbours)

    def state(
        self,
        second: float,
        *servers: ServerFacts,
        utilization: float | None = 0.0,
        neighbours: Neighbours = NOBODY,
    ) -> State:
        reading = gpu(second, utilization=utilization)
        signals = self.signals(reading, *(servers or (server_facts(),)), neighbours=neighbours)
        return judge(signals, Past(), Thresholds())[0]

    def pages(self, seconds: range, *flows: FlowReading, facts: ServerFacts | None = None) -> None:
        for second in seconds:
            self.see(page(second, *flows, facts=facts, idle=True))


def test_no_tokens_for_half_a_minute_is_parked_and_before_that_unknown() -> None:
    watch = Watch()
    watch.pages(range(30), flow(output_tokens=5))
    assert watch.state(29) is State.UNKNOWN
    watch.pages(range(30, 31), flow(output_tokens=5))
    assert watch.state(30) is State.PARKED


def test_tokens_that_move_are_work_though_the_gauges_say_nothing_runs() -> None:
    """A data-parallel vLLM shows the gauges of one of its engines only."""
    watch = Watch()
    for second in range(40):
        watch.see(page(second, flow(output_tokens=10 * second), idle=True))
    assert watch.state(39) is State.SERVING
    watch.pages(range(40, 70), flow(output_tokens=390))
    assert watch.state(69) is State.PARKED  # the last token is more than half a minute ago


def test_trap_18_none_running_at_the_moment_of_each_page_is_no_idleness_while_requests_finish() -> None:
    watch = Watch()
    for second in range(70):
        watch.see(page(second, flow(output_tokens=second // 25 * 40), idle=True))
    assert watch.state(69) is State.SERVING


def test_a_server_that_is_stopped_in_its_tracks_is_blind_after_three_pages_that_do_not_come() -> None:
    """SIGSTOP: the port takes the connection and nothing answers, while its GPU may still draw power."""
    watch = Watch()
    watch.pages(range(40), flow(output_tokens=5))
    for second in (41, 43, 47):
        watch.see(no_page(second, problem="127.0.0.1:8000 did not answer within 2 s"))
    assert watch.state(47, utilization=1.0) is State.BLIND


def test_a_prefill_server_between_prompts_is_not_idle_while_its_decode_partner_works() -> None:
    prefill, decode = server_facts(role="prefill"), replace(SECOND, role="decode")
    watch = Watch()
    for second in range(70):
        watch.see(page(second, flow(), facts=prefill, idle=True))
        watch.see(page(second, flow(output_tokens=9 * min(second, 39)), facts=decode, idle=second > 39))
    assert watch.state(69, prefill) is State.PARKED
    assert (
        watch.state(69, prefill, neighbours=Neighbours(partners=(decode.address,))) is State.PARKED
    )  # both have rested for half a minute
    watch.see(page(70, flow(output_tokens=400), facts=decode))
    assert watch.state(70, prefill, neighbours=Neighbours(partners=(decode.address,))) is State.SERVING
    assert watch.state(70, prefill) is State.PARKED


def test_a_partners_work_does_not_hide_that_a_server_stopped_answering() -> None:
    watch = Watch()
    watch.pages(range(40), flow(output_tokens=5))
    for second in range(40, 43):
        watch.see(no_page(second))
        watch.see(page(second, flow(output_tokens=9 * second), facts=SECOND))
    assert watch.state(42, neighbours=Neighbours(partners=(SECOND.address,))) is State.BLIND


def test_an_engine_without_a_page_works_while_the_router_before_it_counts_tokens() -> None:
    worker = server_facts(metrics_url=None)
    watch = Watch()
    for second in range(3):
        watch.see(no_page(second, facts=worker, problem="its metrics page is off"))
        watch.see(page(second, flow(output_tokens=9 * second), facts=SECOND))
    assert watch.state(2, worker) is State.BLIND
    assert watch.state(2, worker, neighbours=Neighbours(partners=(SECOND.address,))) is State.SERVING


def test_trap_27_a_sleeping_server_is_parked_on_purpose_and_awake_it_serves() -> None:
    watch = Watch()
    for second in range(40):
        watch.see(page(second, flow(output_tokens=5), idle=True, asleep=True))
    signals = watch.signals(gpu(39, utilization=0.0, memory_used_bytes=0), server_facts())
    assert judge(signals, Past(), Thresholds()) == (State.PARKED, "asleep on purpose")
    watch.see(page(40, flow(output_tokens=50), asleep=False))
    assert watch.state(40) is State.SERVING


def test_a_long_prefill_is_work() -> None:
    watch = Watch()
    for second in range(40):
        watch.see(page(second, flow(output_tokens=0, prompt_tokens=900 * second), idle=True))
    assert watch.state(39) is State.SERVING


def test_one_failed_scrape_is_not_blind_and_three_are() -> None:
    watch = Watch()
    watch.pages(range(40), flow(output_tokens=5))
    states = []
    for second in (40, 41, 42):
        watch.see(no_page(second))
        states.append(watch.state(second))
    assert states == [State.PARKED, State.PARKED, State.BLIND]
    watch.pages(range(43, 44), flow(output_tokens=5))
    assert watch.state(43) is State.PARKED


def test_a_new_process_behind_the_port_is_loading_and_not_blind() -> None:
    watch = Watch()
    watch.pages(range(40), flow(output_tokens=5))
    anew = server_facts(started_at_s=NOON_MS / 1000 + 38)
    for second in (40, 41, 42):
        watch.see(no_page(second, facts=anew))
    assert watch.state(42, anew) is State.LOADING


@pytest.mark.parametrize(("busy", "state"), [(0.0, State.HELD), (1.0, State.BLIND), (None, State.BLIND)])
def test_a_server_that_never_came_up_is_held_only_where_its_gpu_is_known_to_rest(
    busy: float | None, state: State
) -> None:
    watch = Watch()
    for second in range(3):
        watch.see(no_page(second))
    assert watch.state(2, utilization=busy) is state


def test_a_server_that_was_not_read_yet_is_unknown_however_old_it_is() -> None:
    signals = Watch().signals(gpu(0, utilization=0.0), server_facts())
    assert judge(signals, Past(), Thresholds()) == (State.UNKNOWN, "Qwen/Qwen3-32B: not read yet")


def test_an_engine_without_a_page_is_blind_and_never_held() -> None:
    facts = server_facts(metrics_url=None, hint="Ollama has no metrics page")
    watch = Watch()
    watch.see(no_page(0, facts=facts, problem="Ollama has no metrics page"))
    assert watch.state(0, facts) is State.BLIND


def test_an_engine_that_counts_at_the_end_works_while_its_steps_move() -> None:
    watch = Watch()
    for second in range(60):
        watch.see(page(second, flow(output_tokens=0, progress=second), idle=True, moves=Moves.AT_END))
    assert watch.state(59) is State.SERVING


def test_without_steps_and_gauges_a_silent_answer_at_the_end_proves_no_idleness() -> None:
    watch = Watch()
    for second in range(60):
        watch.see(page(second, flow(), moves=Moves.AT_END, running=None, waiting=None))
    assert watch.state(59) is State.UNKNOWN


def test_an_engine_that_counts_nothing_is_never_parked() -> None:
    watch = Watch()
    watch.pages(range(60), flow(output_tokens=None, prompt_tokens=None))
    assert watch.state(59) is State.UNKNOWN


def test_a_parked_server_beside_a_silent_one_proves_no_idleness() -> None:
    watch = Watch()
    watch.pages(range(60), flow())
    assert watch.state(59, server_facts(), SECOND) is State.UNKNOWN  # the second was not read yet
    watch.pages(range(60), flow(), facts=SECOND)
    assert watch.state(59, server_facts(), SECOND) is State.PARKED
    for second in (60, 61, 62):
        watch.see(no_page(second, facts=SECOND))
        watch.see(page(second, flow(), idle=True))
    assert watch.state(62, server_facts(), SECOND) is State.BLIND


def test_a_working_server_beside_a_silent_one_is_serving() -> None:
    watch = Watch()
    for second in range(3):
        watch.see(no_page(second, facts=SECOND))
        watch.see(page(second, flow()))
    assert watch.state(2, server_facts(), SECOND) is State.SERVING


def test_a_parked_server_beside_one_that_counts_nothing_proves_no_idleness() -> None:
    watch = Watch()
    watch.pages(range(60), flow())
    watch.pages(range(60), flow(output_tokens=None, prompt_tokens=None), facts=SECOND)
    assert watch.state(59, server_facts(), SECOND) is State.UNKNOWN


def test_pages_that_come_a_little_late_are_no_less_evidence() -> None:
    """Scrapes jitter by milliseconds, so half a minute of them is seldom half a minute long."""
    watch = Watch()
    states = []
    for second in range(80):
        watch.see(page(second - 0.05 + second % 3 * 0.004, flow(), idle=True))
        states.append(watch.state(second))
    assert set(states[:30]) == {State.UNKNOWN}
    assert set(states[31:]) == {State.PARKED}


def test_utilization_is_the_mean_of_the_window_and_not_the_last_sample() -> None:
    watch = Watch()
    for second, busy in enumerate([0.0] * 16 + [0.4] * 15):
        signals = watch.signals(gpu(second, utilization=busy))
    assert signals.utilization == 0.2
    assert watch.signals(gpu(3630, utilization=0.9)).utilization == 0.9  # an hour unwatched weighs nothing


def test_a_device_that_is_gone_is_lost_and_one_that_refuses_is_unknown() -> None:
    watch = Watch()
    gone = watch.signals(lost_gpu(0), server_facts())
    stalled = watch.signals(replace(lost_gpu(0), problem=Reason.STALLED))
    refused = watch.signals(replace(lost_gpu(0), problem=Reason.NO_PERMISSION, problem_text=""))
    assert (gone.lost, gone.problem) == (True, "fell off the bus")
    assert stalled.lost
    assert (refused.lost, refused.problem) == (False, "no permission")


def test_processes_that_are_not_visible_are_not_taken_for_none() -> None:
    watch = Watch()
    assert watch.signals(gpu(0, processes=None)).has_process is None
    assert watch.signals(gpu(1, processes=())).has_process is False
    assert watch.signals(gpu(2)).has_process is True


def test_how_long_a_process_has_been_listed() -> None:
    watch = Watch()
    listed = [watch.signals(gpu(second)).listed_s for second in (0, 1, 2)]
    assert listed == [0, 1, 2]
    assert watch.signals(gpu(3, processes=None)).listed_s == 2  # nobody knows, and that ends nothing
    assert watch.signals(gpu(4)).listed_s == 4
    assert watch.signals(gpu(5, processes=())).listed_s == 0
    assert watch.signals(gpu(6)).listed_s == 0
    assert watch.signals(gpu(7)).listed_s == 1
    assert watch.signals(gpu(3600)).listed_s == 0  # nobody watched


# --- engines that hang ------------------------------------------------------------------------------------------------


def hang(watch: Watch, seconds: range, **changes: Any) -> State:
    """Three requests run on every page and no token moves; the state after the last of them."""
    for second in seconds:
        watch.see(page(second, flow(output_tokens=500, progress=500), running=3, **changes))
    return watch.state(seconds[-1])


def test_requests_that_run_while_no_token_moves_are_stalled_after_the_evidence_window() -> None:
    watch = Watch()
    assert hang(watch, range(30)) is State.SERVING
    assert hang(watch, range(30, 32)) is State.STALLED
    watch.see(page(32, flow(output_tokens=501, progress=501), running=3))
    assert watch.state(32) is State.SERVING


def test_an_answer_of_ten_minutes_whose_tokens_come_at_its_end_is_no_stall_while_steps_move() -> None:
    """llama.cpp counts a request when it ends; its engine steps are live."""
    watch = Watch()
    for second in range(600):
        reading = flow(output_tokens=0, prompt_tokens=40, progress=second * 30)
        watch.see(page(second, reading, running=1, moves=Moves.AT_END))
        assert watch.state(second) is not State.STALLED


def test_without_a_live_series_a_stall_is_not_observable_and_never_entered() -> None:
    watch = Watch()
    for second in range(600):
        watch.see(page(second, flow(output_tokens=0, progress=None), running=1, moves=Moves.AT_END))
        assert watch.state(second) is not State.STALLED


def test_a_long_prefill_fills_the_cache_and_is_no_stall() -> None:
    watch = Watch()
    for second in range(120):
        watch.see(page(second, flow(output_tokens=0, progress=0), running=1, kv_usage=second / 200))
        assert watch.state(second) is not State.STALLED


def test_processors_without_a_server_are_neither_idle_nor_at_other_work() -> None:
    """What else a box computes is no matter of tokens."""
    watch = Watch()
    for utilization in (0.0, 0.9):
        signals = watch.signals(gpu(0, facts=gpu_facts(kind="package"), utilization=utilization, processes=None))
        assert judge(signals, Past(), Thresholds()) == (State.UNKNOWN, "no inference server on this box")


# --- queues -----------------------------------------------------------------------------------------------------------


def queue(watch: Watch, seconds: Sequence[float], **changes: Any) -> Signals:
    """Three requests wait on every page while tokens move; the signals after the last of them."""
    for second in seconds:
        tokens = flow(output_tokens=round(900 * second), preempted=changes.get("preempted", 0))
        gauges = {name: value for name, value in changes.items() if name != "preempted"}
        watch.see(page(second, tokens, **({"running": 8, "waiting": 3} | gauges)))
    return watch.signals(gpu(seconds[-1]), server_facts())


def state_of(signals: Signals) -> State:
    return judge(signals, Past(), Thresholds())[0]


def test_a_queue_is_a_backlog_once_every_page_of_half_a_minute_showed_it() -> None:
    watch = Watch()
    queue(watch, range(5), waiting=0)
    assert state_of(queue(watch, range(5, 35))) is State.SERVING
    assert state_of(queue(watch, range(35, 36))) is State.BACKLOG


def test_a_queue_that_is_gone_on_one_page_begins_anew() -> None:
    watch = Watch()
    queue(watch, range(25))
    queue(watch, range(25, 26), waiting=0)
    assert queue(watch, range(26, 50)).queued_s == 23


def test_few_pages_prove_no_queue_however_far_apart_they_are() -> None:
    """A server that is often asked for a moment has a queue on three pages in a row now and then."""
    watch = Watch(interval_s=15.0)
    assert state_of(queue(watch, range(0, 75, 15))) is State.SERVING
    assert state_of(queue(watch, range(75, 90, 15))) is State.BACKLOG


def test_nobody_knows_of_a_queue_while_the_page_is_lost_or_nobody_watches() -> None:
    watch = Watch()
    queue(watch, range(40))
    for second in (40, 41, 42):
        watch.see(no_page(second))
    assert queue(watch, range(43, 50)).queued_s == 6
    assert queue(watch, range(3600, 3610)).queued_s == 9


def test_two_lost_pages_do_not_end_a_queue() -> None:
    watch = Watch()
    queue(watch, range(20))
    for second in (20, 21):
        watch.see(no_page(second))
    assert queue(watch, range(22, 31)).queued_s == 30


def test_a_queue_for_a_full_cache_is_saturation() -> None:
    watch = Watch()
    assert state_of(queue(watch, range(40), kv_usage=0.94)) is State.BACKLOG
    assert state_of(queue(watch, range(40, 71), kv_usage=0.95)) is State.SATURATED


def test_a_queue_while_requests_are_pushed_out_is_saturation_whatever_the_cache_says() -> None:
    watch = Watch()
    for second in range(40):
        signals = queue(watch, [second], kv_usage=None, preempted=second)
    assert state_of(signals) is State.SATURATED
    signals = queue(watch, range(40, 69), kv_usage=None, preempted=39)
    assert signals.pressed  # the last one was pushed out half a minute ago
    assert not queue(watch, range(69, 71), kv_usage=None, preempted=39).pressed


@pytest.mark.parametrize(("kv_usage", "pressed"), [(0.85, True), (0.849, False), (None, False)])
def test_saturation_is_left_at_another_fullness_than_it_is_entered(kv_usage: float | None, pressed: bool) -> None:
    assert queue(Watch(), range(2), kv_usage=kv_usage).pressed is pressed
    assert not queue(Watch(), range(2), kv_usage=1.0, waiting=0).pressed


def test_a_page_without_the_gauge_shows_no_queue() -> None:
    signals = queue(Watch(), range(60), waiting=None)
    assert (signals.waiting, signals.queued_s) == (None, 0)
    assert state_of(signals) is State.SERVING


# --- replicas, partners, routers --------------------------------------------------------------------------------------

REPLICA = server_facts("127.0.0.1:8001")


def beside(watch: Watch, seconds: range, **of_replica: Any) -> None:
    """The server rests, and its replica is asked."""
    for second in seconds:
        watch.see(page(second, flow(), idle=True))
        tokens = flow(output_tokens=900 * second)
        watch.see(page(second, tokens, facts=REPLICA, **({"running": 8, "waiting": 3} | of_replica)))


def test_a_server_at_rest_beside_a_replicas_queue_is_misrouted() -> None:
    watch, replicas = Watch(), Neighbours(replicas=(REPLICA.address,))
    beside(watch, range(30))
    assert watch.state(29, neighbours=replicas) is State.UNKNOWN
    beside(watch, range(30, 31))
    assert watch.state(30, neighbours=replicas) is State.MISROUTED
    assert watch.state(30) is State.PARKED  # the other serves another model
    beside(watch, range(31, 32), waiting=0)
    assert watch.state(31, neighbours=replicas) is State.PARKED


def test_a_replica_whose_page_is_lost_has_no_queue_that_anybody_knows_of() -> None:
    watch = Watch()
    beside(watch, range(60))
    for second in (60, 61, 62):
        watch.see(page(second, flow(), idle=True))
        watch.see(no_page(second, facts=REPLICA))
    assert watch.state(62, neighbours=Neighbours(replicas=(REPLICA.address,))) is State.PARKED


def test_a_queue_tells_which_replica_rests() -> None:
    watch, replicas = Watch(), Neighbours(replicas=(REPLICA.address,))
    queue(watch, range(60))
    watch.pages(range(60), flow(output_tokens=5), facts=REPLICA)
    assert watch.signals(gpu(59), server_facts(), neighbours=replicas).resting_replica == REPLICA.address
    watch.see(page(60, flow(output_tokens=6), facts=REPLICA, idle=True))
    assert watch.signals(gpu(60), server_facts(), neighbours=replicas).resting_replica == ""


def test_requests_that_wait_at_a_partner_or_router_are_a_queue_elsewhere() -> None:
    watch = Watch()
    beside(watch, range(2))
    elsewhere = Neighbours(queues=(REPLICA.address, "10.0.0.9:1"))
    assert watch.signals(gpu(1), server_facts(), neighbours=elsewhere).queue_elsewhere
    assert not watch.signals(gpu(1), server_facts()).queue_elsewhere


def test_the_load_is_that_of_its_deployment() -> None:
    watch = Watch()
    watch.see(page(0, flow()))
    reading = gpu(0)
    entry = watch.meter.gpu(reading, axis(0), host=1)
    signals = watch.evidence.signals(reading, entry, [server_facts()], axis(0), load=0.2, work_w=269.0)
    assert (signals.load, signals.work_w) == (0.2, 269.0)


# --- long prefills ----------------------------------------------------------------------------------------------------


def test_a_stall_waits_for_three_times_the_p99_of_ttft() -> None:
    watch = Watch()
    slow = (("ttft", ttft(0, 0, 0, 5)), ("itl", ttft(1, 1, 1, 1)))
    watch.see(page(0, flow(progress=0, histograms=())))
    watch.see(page(1, flow(progress=500, histograms=(("ttft", ttft(0, 0, 0, 0)),)), running=3))
    watch.see(page(2, flow(progress=501, histograms=slow), running=3))
    for second in range(3, 40):
        watch.see(page(second, flow(progress=501, histograms=slow), running=3))
    signals = watch.signals(gpu(39), server_facts())
    assert (signals.still_s, signals.ttft_p99_s) == (37, 1.0)  # beyond the last edge, which is one second


def test_the_p99_of_ttft_is_the_upper_edge_of_its_bucket_and_of_the_last_ten_minutes() -> None:
    watch = Watch()
    for second, counts in ((0, (0, 0, 0, 0)), (1, (1, 99, 0, 0)), (700, (1, 99, 0, 0))):
        observed = (("ttft", ttft(*counts)),)
        for at in (second, second + 0.5):
            watch.see(page(at, flow(progress=7, histograms=observed), running=3, kv_usage=0.25))
        if second == 1:
            assert watch.signals(gpu(2), server_facts()).ttft_p99_s == 0.5
    assert watch.signals(gpu(701), server_facts()).ttft_p99_s is None


# --- the device -------------------------------------------------------------------------------------------------------

POWER_CAP, SLOWDOWN, SW_THERMAL, HW_THERMAL, POWER_BRAKE = 0x4, 0x8, 0x20, 0x40, 0x80


def slowed(reasons: Sequence[int | None]) -> Signals:
    """The clocks-event-reason bits of one second after another."""
    watch = Watch()
    for second, bits in enumerate([0, *reasons]):  # the first reading has no length
        signals = watch.signals(gpu(second, throttle=bits))
    return signals


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (SLOWDOWN, "by the hardware"),
        (SW_THERMAL, "too hot"),
        (HW_THERMAL | SLOWDOWN, "too hot"),
        (POWER_BRAKE | SLOWDOWN, "power brake"),
        (POWER_BRAKE | POWER_CAP, "power brake"),
    ],
)
def test_what_slows_a_gpu_down(bits: int, words: str) -> None:
    signals = slowed([bits] * 30)
    assert (signals.throttled, signals.slowed_by) == (1.0, words)


def test_a_software_power_cap_is_normal_at_full_load() -> None:
    assert slowed([POWER_CAP] * 30).throttled == 0.0


def test_slowed_time_is_a_share_of_the_whole_window() -> None:
    assert slowed([HW_THERMAL] * 3).throttled == 0.1  # not all of the three seconds that were watched
    assert slowed([HW_THERMAL] * 6 + [0] * 24).throttled == 0.2
    assert slowed([HW_THERMAL] * 6 + [0] * 30).throttled == 0.0
    assert slowed([None] * 30).throttled is None
