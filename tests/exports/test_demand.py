"""The demand of each local hour of the day, and of prompts by length, from quarter rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tokwatch.exports.demand import by_tenant, hours_of_day, prompt_lengths
from tokwatch.exports.names import Names
from tokwatch.exports.showback import FlowPart
from tokwatch.ledger.demand import MILLIONTHS
from tokwatch.ledger.entries import Entity, HistogramEntry
from tokwatch.ledger.registry import flow_key
from tokwatch.store.quarter_rows import FlowQuarter

NOON_MS = 1_795_262_400_000  # 2026-11-21 12:00 UTC
QUARTER_MS = 900_000
UTC, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")


def entity(number: int, model: str, tenant: str = "(untagged)") -> Entity:
    return Entity(number, "flow", "box", flow_key(7, model, "", tenant, ""), 7, 0)


NAMES = Names([entity(1, "Qwen"), entity(2, "Llama"), entity(3, "Qwen", "acme")], [])


def parts(quarters: Iterable[FlowQuarter]) -> list[FlowPart]:
    return [FlowPart(NAMES.flow(each.entity), each) for each in quarters]


def quarter(number: int, flow: int = 1, **changes: Any) -> FlowQuarter:
    usual: dict[str, Any] = {
        "quarter_ms": NOON_MS + number * QUARTER_MS,
        "run": 1,
        "entity": flow,
        "covered_ms": QUARTER_MS,
        "prompt_tokens": 3_000,
        "cached_tokens": 1_000,
        "output_tokens": 600,
        "finished": 9,
        **dict.fromkeys(("failed", "aborted", "preempted")),
        "histograms": (),
        "entries": 900,
        "flags": 0,
    }
    return FlowQuarter(**(usual | changes))


def test_an_hour_adds_up_its_quarters() -> None:
    hour = hours_of_day(parts([quarter(n) for n in range(4)]), UTC)["Qwen"][12]
    assert (hour.seconds, hour.tokens.uncached, hour.tokens.cached, hour.tokens.output) == (3600, 8_000, 4_000, 2_400)
    assert hour.requests_per_s == pytest.approx(36 / 3600)


def test_hours_are_those_of_the_clock_on_the_wall() -> None:
    hours = hours_of_day(parts([quarter(0)]), BERLIN)["Qwen"]
    assert [hour.hour for hour in hours if hour.seconds] == [13]


def test_the_same_hour_of_several_days_is_one() -> None:
    hours = hours_of_day(parts([quarter(0), quarter(96)]), UTC)["Qwen"]
    assert hours[12].seconds == 1800


def test_models_are_apart_and_tenants_where_asked() -> None:
    flows = [quarter(0, 1), quarter(0, 2), quarter(0, 3)]
    assert list(hours_of_day(parts(flows), UTC)) == ["Llama", "Qwen"]
    assert list(hours_of_day(parts(flows), UTC, by_tenant)) == ["(untagged)", "acme"]


def test_flows_of_one_quarter_were_watched_in_the_same_time() -> None:
    flows = [quarter(0, 1), quarter(0, 3, covered_ms=60_000)]
    assert hours_of_day(parts(flows), UTC)["Qwen"][12].seconds == 900


def test_requests_that_nobody_counts_are_unknown() -> None:
    assert hours_of_day(parts([quarter(0, finished=None)]), UTC)["Qwen"][12].requests_per_s is None


def test_cached_tokens_are_never_more_than_prompt_tokens() -> None:
    hour = hours_of_day(parts([quarter(0, prompt_tokens=3, cached_tokens=4)]), UTC)["Qwen"][12]
    assert (hour.tokens.uncached, hour.tokens.cached) == (0, 3)


def test_prompt_lengths_of_all_quarters_are_added() -> None:
    lengths = (HistogramEntry("prompt_length", (100.0,), (5, 1), 900 * MILLIONTHS),)
    found = prompt_lengths(parts([quarter(n, histograms=lengths) for n in range(2)]))["Qwen"]
    assert [bucket.requests for bucket in found] == [10, 2]
