"""Sums of flows: what a server itself tells, and what of it is added to those of other servers."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.store.records import NOON_MS, flow
from tokwatch.ledger.entries import Flag, FlowEntry
from tokwatch.ledger.sums import FlowSums, counted


def entry(second: int, flags: int = 0) -> FlowEntry:
    """A second with 5120 prompt tokens (4000 cached), 1551 output tokens and 20 requests."""
    return replace(flow(NOON_MS + second * 1000, flags=flags), drafted_tokens=900, accepted_tokens=700)


def test_what_is_counted_at_another_server_is_not_known_here_and_the_rest_stays() -> None:
    whole = entry(1)
    assert counted(whole) is whole
    prompt = counted(entry(1, Flag.PROMPT_ELSEWHERE))
    assert (prompt.prompt_tokens, prompt.cached_tokens, prompt.output_tokens) == (None, None, 1551)
    output = counted(entry(1, Flag.OUTPUT_ELSEWHERE))
    assert (output.prompt_tokens, output.cached_tokens, output.preempted) == (5120, 4000, 0)
    gone = (output.output_tokens, output.finished, output.failed, output.aborted)
    assert (*gone, output.drafted_tokens, output.accepted_tokens) == (None,) * 6


@pytest.mark.parametrize("long", [False, True])
def test_a_server_shows_its_own_tokens_and_adds_only_the_counted_ones(long: bool) -> None:
    sums = FlowSums()
    sums.add(entry(1))
    sums.add(entry(2, Flag.OUTPUT_ELSEWHERE))
    own, added = sums.totals(long=long), sums.totals(long=long, counted=True)
    assert (own.output_tokens, own.output_tokens_ms, own.accepted_tokens) == (3102, 2000, 1400)
    assert (added.output_tokens, added.output_tokens_ms, added.accepted_tokens) == (1551, 1000, 700)
    assert (own.prompt_tokens, added.prompt_tokens) == (10_240, 10_240)
    sums.expire(NOON_MS + 400_000)
    assert not any(sums.totals(long=long, counted=True))


def test_sparklines_of_the_fleet_hold_counted_tokens_only() -> None:
    sums = FlowSums()
    for second in range(1, 41):
        sums.add(entry(second, Flag.OUTPUT_ELSEWHERE))
    now_ms = NOON_MS + 40_000
    assert sums.spark.rates(now_ms)[-1] == pytest.approx(1.551)
    assert sums.fleet_spark.rates(now_ms)[-1] is None


def test_a_window_speaks_for_the_time_from_its_first_page_to_its_last() -> None:
    sums = FlowSums()
    assert sums.stretch_ms(long=False) is None
    for second in (1, 5, 80, 100):
        sums.add(flow(NOON_MS + second * 1000, 3000))
        sums.expire(NOON_MS + second * 1000)
    assert sums.stretch_ms(long=False) == (NOON_MS + 77_000, NOON_MS + 100_000)
    assert sums.stretch_ms(long=True) == (NOON_MS - 2000, NOON_MS + 100_000)
