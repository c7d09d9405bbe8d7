"""One host that is read directly: what it reports is of when its pages came, whenever somebody looks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from collectors.fleet.endpoint import Endpoint
from collectors.fleet.page_samples import PageSamples
from tests.feeds.fleet.fleet_pages import engine_page
from tokwatch.feeds.clock import Clock
from tokwatch.feeds.fleet.direct_host import DirectHost
from tokwatch.ledger.bookkeeper import Instant
from tokwatch.ledger.fleet.meter import FleetMeter

START_MS = 1_795_000_000_000
TOKENS_S = 2_500
ENGINE = cast("Endpoint", SimpleNamespace(url="http://h1:8000/metrics"))


class TurnedClock:
    """Both clocks, turned by hand."""

    def __init__(self) -> None:
        self.ms = 0

    def now(self) -> Instant:
        return Instant(START_MS + self.ms, self.ms * 1_000_000)


@pytest.mark.parametrize("late_ms", [0, 900, 4_900])
def test_a_rate_is_over_the_time_of_the_pages_however_late_they_are_looked_at(late_ms: int) -> None:
    clock, meter = TurnedClock(), FleetMeter()
    host = DirectHost("h1", "run", cast("Clock", clock), meter, interval_s=5.0)
    pages = PageSamples("h1:8000")
    for second in range(0, 65, 5):
        clock.ms = second * 1000
        page = engine_page(second * TOKENS_S)
        host.read(ENGINE, pages.read(page, clock.ms * 1_000_000), clock.ms * 1_000_000)
        clock.ms += late_ms if second % 10 == 0 else 0  # some are looked at late, some at once
        host.look()
    (tally,) = meter.tally(START_MS + clock.ms, 10_000)
    (flow,) = tally.flows
    assert flow.output_tokens is not None
    assert flow.output_tokens / (tally.length_ms / 1000) == TOKENS_S
    assert tally.t1_ms == START_MS + 60_000
