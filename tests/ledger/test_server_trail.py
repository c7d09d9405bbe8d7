"""What one server did, in buckets: tokens spread over their intervals, gauges while the page was up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokwatch.ledger.entries import FlowEntry, ServerEntry, Tick, TickRecord
from tokwatch.ledger.server_trail import ServerTrail, server_trail

SERVER, FLOW, OTHER_FLOW = 5, 6, 7


def flow(t0_ms: int, t1_ms: int, output: int | None, entity: int = FLOW, **drafts: Any) -> FlowEntry:
    return FlowEntry(
        entity=entity,
        t0_ms=t0_ms,
        t1_ms=t1_ms,
        prompt_tokens=None,
        cached_tokens=None,
        output_tokens=output,
        finished=None,
        failed=None,
        aborted=None,
        preempted=None,
        **drafts,
    )


def gauges(
    t0_ms: int, t1_ms: int, running: int, waiting: int = 0, *, up: bool = True, entity: int = SERVER
) -> ServerEntry:
    return ServerEntry(entity, t0_ms, t1_ms, up, running, waiting, 5000, None, 1, 1)


def trail(
    flows: Sequence[FlowEntry] = (), servers: Sequence[ServerEntry] = (), *, step_ms: int = 1000, buckets: int = 4
) -> ServerTrail:
    """In one tick: how entries are spread over ticks does not matter."""
    record = TickRecord(Tick(9_999, 9_999, 0, 0, 1), servers=tuple(servers), flows=tuple(flows))
    return server_trail([record], SERVER, (FLOW, OTHER_FLOW), 0, step_ms, buckets)


def test_tokens_are_spread_evenly_over_the_interval_they_came_in() -> None:
    assert trail([flow(500, 2500, 200)]).tok_s == (100, 100, 100, None)


def test_a_measured_zero_is_no_gap() -> None:
    assert trail([flow(0, 1000, 0), flow(2000, 3000, None)]).tok_s == (0, None, None, None)


def test_flows_of_a_server_are_added() -> None:
    found = trail([flow(0, 2000, 200), flow(0, 1000, 50, OTHER_FLOW)])
    assert found.tok_s[:2] == pytest.approx((150, 100))


def test_gauges_are_means_over_time_and_unknown_while_the_page_is_down() -> None:
    found = trail(servers=[gauges(0, 250, 8), gauges(250, 1000, 4), gauges(1000, 2000, 9, up=False)])
    assert found.running == (5, None, None, None)
    assert found.kv_usage[0] == 0.5


def test_other_servers_are_not_in_it() -> None:
    assert trail([flow(0, 1000, 100, entity=99)], [gauges(0, 1000, 8, entity=98)]) == trail()


def test_acceptance_is_of_all_drafts_together() -> None:
    found = trail(
        [
            flow(0, 1000, 10, drafted_tokens=100, accepted_tokens=50),
            flow(1000, 2000, 10, drafted_tokens=300, accepted_tokens=270),
        ]
    )
    assert found.acceptance == pytest.approx(0.8)
    assert trail().acceptance is None


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(1, 400), st.integers(0, 10_000)), max_size=8),
    st.integers(1, 300),
)
def test_no_token_is_lost_between_buckets(entries: list[tuple[int, int, int]], step_ms: int) -> None:
    """Entries that follow one another, and buckets that hold all of them."""
    flows, start = [], 0
    for gap, length, tokens in entries:
        flows.append(flow(start + gap, start + gap + length, tokens))
        start += gap + length
    found = server_trail(
        [TickRecord(Tick(1, 1, 0, 0, 1), flows=tuple(flows))], SERVER, (FLOW,), 0, step_ms, start // step_ms + 1
    )
    known = [0] * len(found.tok_s)
    for entry in flows:
        for ms in range(entry.t0_ms, entry.t1_ms):
            known[ms // step_ms] += 1
    added = sum((rate or 0) * ms / 1000 for rate, ms in zip(found.tok_s, known, strict=True))
    assert added == pytest.approx(sum(tokens for _, _, tokens in entries))
