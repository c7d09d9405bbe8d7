"""What a GPU draws with nothing on it: learnt while it is free, kept over restarts, told when it moves."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.bodies import FloorBody
from tokwatch.ledger.entries import Flag, GpuEntry, State
from tokwatch.ledger.power_floor import PowerFloors

GPU = 7
LIMIT_W = 700.0


def entry(second: float, power_w: float | None, *, seconds: float = 1, flags: int = 0) -> GpuEntry:
    t1_ms = round(second * 1000)
    power_mw = None if power_w is None else round(power_w * 1000)
    return GpuEntry(
        entity=GPU,
        t0_ms=t1_ms - round(seconds * 1000),
        t1_ms=t1_ms,
        energy_mj=None,
        measured_ms=0,
        power_mw=power_mw,
        util_permille=0,
        memory_used_mib=4,
        temperature_c=None,
        sm_clock_mhz=None,
        throttle=None,
        state=State.UNKNOWN,
        owner=0,
        flags=flags,
    )


def learn(floors: PowerFloors, watts: Iterable[float], state: State = State.UNALLOCATED) -> list[FloorBody]:
    """One entry a second; what was told."""
    told = (floors.learn(entry(second, power_w), state) for second, power_w in enumerate(watts, 1))
    return [body for body in told if body is not None]


def test_the_floor_is_known_after_a_minute_of_being_free() -> None:
    floors = PowerFloors()
    assert learn(floors, [68.0] * 59) == []
    assert floors.floor_w(GPU) is None
    (told,) = learn(floors, [68.0])
    assert told == FloorBody(68, {68: 60_000})
    assert floors.floor_w(GPU) == 68


def test_it_is_the_fifth_percentile_by_time() -> None:
    floors = PowerFloors()
    learn(floors, [60.0] * 6 + [70.0] * 94)
    assert floors.floor_w(GPU) == 60
    learn(floors, [70.0] * 21)
    assert floors.floor_w(GPU) == 70


@given(st.lists(st.integers(20, 700), min_size=60, max_size=200))
def test_at_most_a_twentieth_of_the_time_lies_below_it(watts: list[int]) -> None:
    floors = PowerFloors()
    learn(floors, map(float, watts))
    floor_w = floors.floor_w(GPU)
    assert floor_w is not None
    assert sum(each < floor_w for each in watts) * 20 < len(watts)
    assert sum(each <= floor_w for each in watts) * 20 >= len(watts)


@pytest.mark.parametrize("state", [state for state in State if state is not State.UNALLOCATED])
def test_nothing_is_learnt_of_a_gpu_that_is_not_surely_free(state: State) -> None:
    """An empty process list alone may be a container's, which does not see its host's processes."""
    floors = PowerFloors()
    assert learn(floors, [68.0] * 100, state) == []
    assert floors.floor_w(GPU) is None


def test_nothing_is_learnt_of_a_gap_or_without_watts() -> None:
    floors = PowerFloors()
    for _ in range(100):
        floors.learn(entry(1, 68.0, flags=Flag.GAP), State.UNALLOCATED)
        floors.learn(entry(1, None), State.UNALLOCATED)
    assert floors.floor_w(GPU) is None


def test_a_change_of_a_watt_is_no_news_and_one_of_two_is() -> None:
    floors = PowerFloors()
    assert [told.floor_w for told in learn(floors, [70.0] * 100)] == [70]
    assert learn(floors, [69.0] * 100) == []
    assert [told.floor_w for told in learn(floors, [68.0] * 100)] == [68]


def test_a_later_run_goes_on_from_what_was_told() -> None:
    first, second = PowerFloors(), PowerFloors()
    (told,) = learn(first, [68.0] * 60)
    second.resume(GPU, msgspec.json.decode(msgspec.json.encode(told), type=FloorBody))
    assert second.floor_w(GPU) == 68
    assert learn(second, [68.0] * 100) == []


def test_a_floor_that_rose_is_learnt_in_two_days() -> None:
    """An exporter's entries are a minute long; what is older than a day counts less and less."""
    floors = PowerFloors()
    for minute in range(24 * 60):
        floors.learn(entry(60 * minute, 60.0, seconds=60), State.UNALLOCATED)
    for minute in range(4 * 24 * 60):
        floors.learn(entry(60 * minute, 80.0, seconds=60), State.UNALLOCATED)
    assert floors.floor_w(GPU) == 80


def test_work_is_told_from_thirty_percent_of_the_way_to_the_limit() -> None:
    floors = PowerFloors()
    assert floors.work_w(GPU, LIMIT_W) == pytest.approx(84 + 0.3 * (700 - 84))  # until known: 12 % of the limit
    learn(floors, [70.0] * 60)
    assert floors.work_w(GPU, LIMIT_W) == pytest.approx(70 + 0.3 * 630)
    assert floors.work_w(GPU, None) is None
