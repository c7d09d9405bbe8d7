"""Demand by hour of day: stretches add up, a missing hour is unknown and not quiet."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tests.exports.box import ENTITIES, FACTS, LLAMA_FLOW, QWEN_FLOW, flow_quarter
from tokwatch.exports.money.demand import Asking
from tokwatch.exports.names import Names
from tokwatch.ledger.entries import HistogramEntry

LENGTHS = HistogramEntry("prompt_length", (100.0, 1000.0), (800, 90, 10), 150_000_000_000)
ROWS = [flow_quarter(0, QWEN_FLOW, histograms=(LENGTHS,)), flow_quarter(0, LLAMA_FLOW), flow_quarter(1, QWEN_FLOW)]


def asking() -> Asking:
    return Asking(Names(ENTITIES, FACTS), ZoneInfo("Europe/Berlin"), "Europe/Berlin")


def test_tokens_and_requests_stand_at_the_local_hour() -> None:
    asked = asking()
    asked.take(ROWS)
    [noon] = [hour for hour in asked.demand.hours if hour.observed_hours]
    assert noon.hour == 13  # 12:00 UTC
    assert noon.observed_hours == 0.5
    assert noon.tok_s.value == pytest.approx(3 * 1_500_000 / 1800)
    assert noon.requests_per_s.value == pytest.approx(3 * 900 / 1800)
    assert asked.demand.hours[3].tok_s.why == "not watched at this hour"


def test_stretches_add_up() -> None:
    at_once, piecewise = asking(), asking()
    at_once.take(ROWS)
    piecewise.take(ROWS[:2])
    piecewise.take(ROWS[2:])
    assert piecewise.demand == at_once.demand


def test_prompts_are_told_by_length_where_pages_tell_it() -> None:
    asked = asking()
    asked.take(ROWS)
    asked.take(ROWS[:1])
    lengths = asked.demand.prompt_lengths
    assert [(each.above_tokens, each.up_to_tokens, each.requests) for each in lengths] == [
        (0.0, 100.0, 1600),
        (100.0, 1000.0, 180),
        (1000.0, None, 20),
    ]
    assert lengths[1].prompt_tokens_at_least >= 180 * 101
