"""The clock of a recording through a Prometheus: the server's time, from the past to now without waiting."""

from __future__ import annotations

import asyncio

from tests.feeds.world import TurnedClock
from tokwatch.feeds.prometheus_host.clock import PrometheusClock
from tokwatch.ledger.bookkeeper import Instant


class Waiting(TurnedClock):
    """Time passes while somebody sleeps, and only then."""

    async def sleep(self, seconds: float) -> None:
        self.advance_ms(round(seconds * 1000))


def clock(*, behind_ms: int = 0, lag_ms: int = 0) -> tuple[Waiting, PrometheusClock]:
    base = Waiting(wall_ms=999, boottime_ms=5_000_000)
    return base, PrometheusClock(base, ahead_ms=1_000_000_000, behind_ms=behind_ms, lag_ms=lag_ms)


def test_wall_time_is_the_servers_whatever_the_clock_here_shows() -> None:
    base, told = clock()
    assert told.now() == Instant(1_005_000_000, 5_000_000_000_000)
    base.wall_ms += 3_600_000
    assert told.now().wall_ms == 1_005_000_000


def test_a_sample_is_placed_on_the_boot_clock_by_the_offset() -> None:
    _, told = clock()
    assert told.now().wall_ms * 1_000_000 + told.offset_ns == told.now().boottime_ns


def test_in_the_past_nobody_waits_until_it_has_caught_up() -> None:
    base, told = clock(behind_ms=35_000)
    seen = []
    for _ in range(4):
        seen.append((told.newest_ms - told.now().wall_ms, base.boottime_ms - 5_000_000, told.is_behind))
        asyncio.run(told.sleep(15))
    assert seen == [(35_000, 0, True), (20_000, 0, True), (5_000, 0, True), (0, 10_000, False)]


def test_it_stays_behind_by_what_the_server_hides() -> None:
    base, told = clock(behind_ms=60_000, lag_ms=30_000)
    asyncio.run(told.sleep(60))
    assert (base.boottime_ms, told.is_behind) == (5_030_000, False)
    assert told.now().wall_ms == told.newest_ms == 1_000_000_000 + 5_030_000 - 30_000


def test_a_part_of_the_past_can_be_left_out_and_never_more_than_that() -> None:
    _, told = clock(behind_ms=60_000)
    told.skip_to(told.now().wall_ms + 20_000)
    assert told.newest_ms - told.now().wall_ms == 40_000
    told.skip_to(told.newest_ms + 5_000_000)
    assert told.newest_ms == told.now().wall_ms
