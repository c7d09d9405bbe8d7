from __future__ import annotations

from msgspec.structs import replace

from tests.dashboard.snapshots import BOX
from tokwatch.dashboard.pace import Pace


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_every_snapshot_is_drawn_unless_said_otherwise() -> None:
    pace = Pace(Clock())
    assert [pace.is_due(BOX), pace.is_due(BOX)] == [True, True]


def test_on_a_slow_link_one_is_drawn_in_three_seconds() -> None:
    clock = Clock()
    pace = Pace(clock)
    drawn = []
    for second in range(7):
        clock.now_s = 100.0 + second
        if pace.is_due(replace(BOX, tick_ms=BOX.tick_ms + 1000 * second), 3.0):
            drawn.append(second)
    assert drawn == [0, 3, 6]


def test_where_the_user_went_is_drawn_at_once() -> None:
    pace = Pace(Clock())
    assert pace.is_due(BOX)
    assert pace.is_due(replace(BOX, mode="paused"), 3.0)
    assert pace.is_due(replace(BOX, mode="paused", tick_ms=BOX.tick_ms + 1000), 3.0), "a step"
    assert pace.is_due(replace(BOX, mode="replay", tick_ms=BOX.tick_ms - 5000), 3.0)
    assert pace.is_due(replace(BOX, mode="replay", tick_ms=BOX.tick_ms - 9000), 3.0), "further back"
