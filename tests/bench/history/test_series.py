"""Records as series: increments add up to counters, what is unknown is no sample, times keep to the scrape's grid."""

from __future__ import annotations

from bench.history.series import Samples, Series
from tokwatch.ledger.entries import FlowEntry, HistogramEntry, HostEntry, Tick, TickRecord

BEGINS_MS = 1_700_000_000_000


def _flow(tick_ms: int, output_tokens: int | None, counts: tuple[int, ...]) -> FlowEntry:
    ttft = HistogramEntry("ttft", (0.1, 0.5), counts, 250_000)
    return FlowEntry(3, tick_ms - 1000, tick_ms, None, None, output_tokens, None, None, None, None, (ttft,))


def _samples(*flows: FlowEntry) -> dict[str, Series]:
    records = [TickRecord(Tick(flow.t1_ms, flow.t1_ms, 0, 0, 1), flows=(flow,)) for flow in flows]
    return {each.metric + each.labels.get("le", ""): each for each in Samples(records).series}


def test_increments_add_up_and_an_unknown_one_is_no_sample() -> None:
    flows = [_flow(BEGINS_MS + 1000 * n, tokens, (1, 0, 0)) for n, tokens in enumerate((5, None, 7))]
    tokens = _samples(*flows)["model_output_tokens_total"]
    assert list(tokens.values()) == [5, 12]
    assert list(tokens.times_ms) == [BEGINS_MS, BEGINS_MS + 2000]


def test_buckets_are_cumulative_over_edges_and_time() -> None:
    found = _samples(_flow(BEGINS_MS, 1, (1, 2, 0)), _flow(BEGINS_MS + 1000, 1, (0, 1, 4)))
    assert [list(found[f"model_ttft_bucket{edge}"].values()) for edge in ("0.1", "0.5", "+Inf")] == [
        [1, 1],
        [3, 4],
        [3, 8],
    ]
    assert list(found["model_ttft_sum"].values()) == [0.25, 0.5]


def test_a_time_within_two_milliseconds_of_the_grid_is_on_it() -> None:
    times_ms = [BEGINS_MS + 2, BEGINS_MS + 998, BEGINS_MS + 2003]
    tokens = _samples(*(_flow(at_ms, 1, (0, 0, 0)) for at_ms in times_ms))["model_output_tokens_total"]
    assert list(tokens.times_ms) == [BEGINS_MS, BEGINS_MS + 1000, BEGINS_MS + 2003]


def test_a_value_is_counted_for_each_number_that_is_known() -> None:
    host = HostEntry(1, 0, 1000, 100, 2000, None, 12, 40_960)
    assert Samples([TickRecord(Tick(1000, 1000, 0, 0, 1), hosts=(host,))]).values == 5
