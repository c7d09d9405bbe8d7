"""Engines' own pages, read directly: their latencies are those that the strict reader finds."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from collectors.fleet.endpoint import Endpoint
from collectors.fleet.page_samples import PageSamples
from collectors.readings import Histogram, ServerFacts
from collectors.vocabularies import read_page
from tests.feeds.fleet.test_direct_host import START_MS, TurnedClock
from tokwatch.feeds.clock import Clock
from tokwatch.feeds.fleet.direct_host import DirectHost
from tokwatch.ledger.counters import histogram_increment
from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.meter import FleetMeter
from tokwatch.ledger.fleet.tally import FleetTally
from tokwatch.ledger.prices.book import PriceBook

PAGES = Path(__file__).parents[2] / "pages" / "engines"
ENGINE = cast("Endpoint", SimpleNamespace(url="http://h1:8000/metrics"))


def tally(*pages: bytes) -> FleetTally:
    """Of a host whose page was read once in each ten seconds."""
    clock, meter = TurnedClock(), FleetMeter()
    host = DirectHost("h1", "run", cast("Clock", clock), meter, interval_s=10.0)
    reader = PageSamples("h1:8000")
    for number, page in enumerate(pages):
        clock.ms = 10_000 * number
        host.read(ENGINE, reader.read(page, clock.ms * 1_000_000), clock.ms * 1_000_000)
        host.look()
    at_ms = START_MS + clock.ms
    return FleetTally(at_ms, 60_000, 10.0, "1 host", meter.tally(at_ms, 60_000))


def told(found: FleetTally) -> dict[str, HistogramEntry]:
    return {entry.name: entry for host in found.hosts for flow in host.flows for entry in flow.latencies}


def strict(page: bytes) -> dict[str, Histogram]:
    reading = read_page(page, ServerFacts("h1:8000", ""), 0)
    return dict(reading.flows[0].histograms)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("vllm-0.10-dp2-1", "vllm-0.10-dp2-2"),
        ("tensorrt-llm-1.3-fresh", "tensorrt-llm-1.3-3"),
        ("sglang-0.5.23-1", "sglang-0.5.23-2"),
    ],
)
def test_what_was_observed_between_two_pages_is_told(first: str, second: str) -> None:
    pages = [(PAGES / f"{name}.prom").read_bytes() for name in (first, second)]
    before, now = map(strict, pages)
    gained = [histogram_increment(name, before.get(name), now[name]) for name in ("ttft", "tpot") if name in now]
    own = {entry.name: entry for entry in gained if entry is not None}
    found = told(tally(*pages))
    assert "ttft" in found
    assert found.keys() == own.keys()
    for name, entry in found.items():
        assert (entry.edges, entry.counts) == (own[name].edges, own[name].counts)
        assert entry.sum_us == pytest.approx(own[name].sum_us, abs=1000)


def test_the_screens_show_the_bucket_of_the_quantile() -> None:
    pages = [(PAGES / f"vllm-0.10-dp2-{number}.prom").read_bytes() for number in (1, 2)]
    found = tally(*pages)
    (model,) = fleet_snapshot(found, PriceBook()).models
    assert model.ttft_s.p95.n == sum(told(found)["ttft"].counts)
    assert model.ttft_s.p95.high in told(found)["ttft"].edges


def test_of_an_engine_that_restarted_between_two_pages_nothing_is_told() -> None:
    pages = [(PAGES / f"vllm-0.10-dp2-{number}.prom").read_bytes() for number in (2, 1)]
    assert told(tally(*pages)) == {}
