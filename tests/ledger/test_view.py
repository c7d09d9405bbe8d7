"""The View: folding ticks in and building it from the store end in the same Snapshot, byte for byte."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.readings import Probe
from tests.ledger.box import NO_PRICE, Box, placed, priced, restored
from tests.ledger.readings import NOON_MS, flow, gpu, lost_gpu, no_page, page, ttft
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.entries import State
from tokwatch.ledger.local_time import midnight_ms, zone_of
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.snapshot import canonical_json, decode_snapshot
from tokwatch.ledger.view import View

HOUR_MS = 3_600_000
SERVER = placed(0, 1, tensor_parallel=2)


class Step(NamedTuple):
    """One tick of a box whose GPUs 0 and 1 serve and whose GPU 2 is free."""

    after_s: float = 1.0
    lost: bool = False  # GPU 1
    read: bool = True  # GPU 2
    tokens: int | None = 100  # None: the page cannot be read
    known: bool = True  # the server
    delay_s: float = 0.0  # GPUs were read before the tick
    restart: bool = False
    probe: bool = False
    wall_jump_ms: int = 0


class Recording:
    """A box and what its steps added up to."""

    def __init__(self, start_s: float = 0, timezone: str = "UTC") -> None:
        self.box = Box(start_s=start_s, timezone=timezone)
        self.second = start_s
        self.tokens = 0

    def take(self, step: Step) -> None:
        self.second += step.after_s
        self.box.wall_behind_ms += step.wall_jump_ms
        if step.restart:
            self.box.restart(self.second)
        at = self.second - step.delay_s
        gpus = [gpu(at), lost_gpu(at, 1) if step.lost else gpu(at, 1)]
        if step.read:
            gpus.append(gpu(at, 2, utilization=0.0, memory_used_bytes=0, processes=()))
        if step.tokens is None:
            server = no_page(self.second, facts=SERVER)
        else:
            self.tokens += step.tokens
            reading = flow(output_tokens=self.tokens, histograms=(("ttft", ttft(self.tokens // 50, 0, 0, 0)),))
            server = page(self.second, reading, facts=SERVER, idle=not step.tokens)
        probes = [Probe("server b:1", False, "refused", "start it")] if step.probe else []
        self.box.turn(self.second, gpus, [server] if step.known else [], probes=probes)

    def assert_both_ways_agree(self, book: PriceBook) -> None:
        live = canonical_json(snapshot(self.box.view(book), mode="live"))
        stored = canonical_json(snapshot(restored(self.box.records, self.box.run, book), mode="live"))
        assert live == stored


def recorded(*steps: Step, start_s: float = 0, timezone: str = "UTC") -> Recording:
    recording = Recording(start_s, timezone)
    for step in steps:
        recording.take(step)
    return recording


def book_at(*seconds: float) -> PriceBook:
    """A price from noon on, another from each of the seconds on."""
    later = (priced(2.0 + n, NOON_MS + round(second * 1000), n + 1) for n, second in enumerate(seconds, 1))
    return PriceBook((priced(2.0, NOON_MS), *later))


# --- apply = restore --------------------------------------------------------------------------------------------------

IDLE = [Step(tokens=0)] * 60


@pytest.mark.parametrize(
    "recording",
    [
        recorded(*[Step()] * 90),
        recorded(*[Step(delay_s=0.3)] * 90),
        recorded(*[Step()] * 30, *IDLE, *[Step(lost=True)] * 30, Step()),
        recorded(*IDLE, Step(600, tokens=0), *IDLE),
        recorded(*IDLE, Step(2, tokens=0, restart=True), *IDLE),
        recorded(*IDLE, Step(5000, tokens=0, restart=True), *IDLE),
        recorded(*IDLE, *[Step(tokens=None)] * 10, *[Step(read=False)] * 10, *IDLE),
        recorded(*IDLE, *[Step(read=False)] * 400, *IDLE[:3]),
        recorded(*IDLE, *[Step(known=False)] * 31),
        recorded(*[Step(tokens=0, probe=True)] * 5, *IDLE, Step(wall_jump_ms=HOUR_MS), *IDLE),
        recorded(*IDLE, Step(wall_jump_ms=-HOUR_MS, tokens=0), *IDLE),
    ],
    ids=[
        "busy",
        "late",
        "lost",
        "gap",
        "restart",
        "long stop",
        "blind",
        "one silent",
        "ended",
        "stepped back",
        "stepped on",
    ],
)
@pytest.mark.parametrize("book", [NO_PRICE, book_at(), book_at(70.5, 75)], ids=["no price", "price", "prices change"])
def test_a_seek_ends_in_the_snapshot_that_live_showed(recording: Recording, book: PriceBook) -> None:
    recording.assert_both_ways_agree(book)


def test_a_seek_agrees_with_live_at_every_tick_around_midnight() -> None:
    to_midnight_s = 12 * 3600 - 3600  # 23:00 UTC is midnight an hour east
    recording = Recording(to_midnight_s - 50, "UTC+01:00")
    for _ in range(70):
        recording.take(Step(tokens=0, delay_s=0.3))
        recording.assert_both_ways_agree(book_at(to_midnight_s - 10, to_midnight_s + 10))


steps = st.lists(
    st.builds(
        Step,
        after_s=st.sampled_from([0.5, 1, 1, 1, 1, 2.5, 20, 400, 5000, 40_000]),
        lost=st.booleans(),
        read=st.booleans(),
        tokens=st.sampled_from([0, 0, 0, 10, 100, None]),
        known=st.sampled_from([True, True, True, False]),
        delay_s=st.sampled_from([0, 0.2]),
        restart=st.sampled_from([False, False, False, True]),
        probe=st.booleans(),
        wall_jump_ms=st.sampled_from([0, 0, 0, 0, HOUR_MS, -HOUR_MS]),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(steps, st.lists(st.integers(0, 20_000), max_size=3))
def test_a_seek_agrees_with_live_after_any_steps(steps: list[Step], price_changes_s: list[int]) -> None:
    recorded(*steps).assert_both_ways_agree(book_at(*sorted(price_changes_s)))


@settings(max_examples=40, deadline=None)
@given(steps, steps)
def test_a_new_run_goes_on_from_the_restored_view_of_the_one_before(before: list[Step], after: list[Step]) -> None:
    recording = recorded(*before)
    records, done = recording.box.records, len(recording.box.records)
    for step in (after[0]._replace(restart=True), *(step._replace(restart=False) for step in after[1:])):
        recording.take(step)
    run, book = recording.box.run, book_at(30)
    view = restored(records[:done], run, book)
    for record in records[done:]:
        view.apply(record)
    stored = restored(records, run, book)
    assert canonical_json(snapshot(view, mode="live")) == canonical_json(snapshot(stored, mode="live"))


def test_a_snapshot_survives_its_json() -> None:
    shown = snapshot(recorded(*[Step()] * 30).box.view(book_at()), mode="live")
    assert decode_snapshot(canonical_json(shown)) == shown


# --- booked time ------------------------------------------------------------------------------------------------------


def idle_ms(recording: Recording, book: PriceBook = NO_PRICE) -> dict[str, dict[int, int]]:
    """Idle milliseconds of today by price version, by the GPU's key."""
    view = recording.box.view(book)
    return {view.entities[gpu].key[:5]: dict(spent) for gpu, spent in view.idle_today.items()}


def test_idle_time_is_booked_from_the_first_interval_on_under_the_price_in_force() -> None:
    recording = recorded(*[Step()] * 101)
    assert idle_ms(recording, book_at(41.5)) == {"GPU-2": {1: 40_500, 2: 59_500}}


def test_time_nobody_watched_is_not_booked() -> None:
    assert idle_ms(recorded(*[Step()] * 11, Step(3600), *[Step()] * 10)) == {"GPU-2": {0: 20_000}}


def test_at_midnight_a_new_day_begins_within_the_entry() -> None:
    recording = recorded(*[Step()] * 20, start_s=12 * 3600 - 10.75)
    assert idle_ms(recording) == {"GPU-2": {0: 9250}}


def test_a_state_is_booked_from_its_beginning() -> None:
    recording = recorded(*[Step()] * 20, *[Step(lost=True)] * 30)
    view = recording.box.view()
    (lost,) = [gpu for gpu, entry in view.gpus.items() if entry.state == State.LOST]
    assert view.in_state[lost] == {0: 30_000}


def test_what_was_not_heard_of_for_five_minutes_leaves_the_view() -> None:
    recording = recorded(*[Step()] * 5, *[Step(read=False)] * 299)
    assert len(recording.box.view().gpus) == 3
    recording.take(Step(read=False))
    assert len(recording.box.view().gpus) == 2


def test_a_kind_of_event_that_this_version_does_not_know_is_passed_over() -> None:
    recording = recorded(Step())
    first = recording.box.records[0]
    unknown = type(first.events[0])(first.tick.tick_ms, 0, "from the future", "", b"{}")
    view = View(recording.box.run, NO_PRICE)
    view.apply(type(first)(first.tick, events=(*first.events, unknown)))
    assert not any(kind == "from the future" for kind, _, _ in view.in_force)


# --- days -------------------------------------------------------------------------------------------------------------


def test_zones_are_named_or_offsets() -> None:
    assert zone_of("Europe/Berlin") == ZoneInfo("Europe/Berlin")
    for name, hours in (("UTC+05:30", 5.5), ("UTC-03:00", -3.0), ("UTC", 0.0)):
        offset = datetime(2026, 11, 21, tzinfo=zone_of(name)).utcoffset()
        assert offset is not None
        assert offset.total_seconds() == hours * 3600


@given(st.integers(0, 4_000_000_000_000), st.sampled_from(["UTC", "UTC+05:30", "America/New_York", "Europe/Berlin"]))
def test_midnight_is_the_local_days_beginning(at_ms: int, name: str) -> None:
    zone = zone_of(name)
    begun = datetime.fromtimestamp(midnight_ms(at_ms, zone) / 1000, UTC).astimezone(zone)
    assert begun.date() == datetime.fromtimestamp(at_ms / 1000, zone).date()
    assert (begun.minute, begun.second, begun.microsecond) == (0, 0, 0)
    assert midnight_ms(at_ms, zone) <= at_ms
