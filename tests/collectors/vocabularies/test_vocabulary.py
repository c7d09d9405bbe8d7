"""How a vocabulary's table is matched with a page, whatever the engine."""

from __future__ import annotations

import pytest

from collectors.exposition import parse
from collectors.readings import FlowReading, Histogram, Moves, ServerFacts, ServerReading
from collectors.vocabularies import VOCABULARIES, read_page, recognise
from collectors.vocabularies.reader import MAX_MODELS, read
from collectors.vocabularies.vocabulary import Role, Series, Vocabulary, spellings

SERVER = ServerFacts("127.0.0.1:8000", "toy", model="from-command-line")

TOY = Vocabulary(
    engine="toy",
    signs=(frozenset({"toy:out_total"}), frozenset({"out_total", "in_total"})),
    moves=Moves.LIVE,
    model_labels=("model",),
    start_series="process_start_time_seconds",
    start_header="x-start",
    counters={
        "output_tokens": Role((Series("toy:new_out_total"), Series("toy:out_total")), "output"),
        "finished": Role((Series("toy:done_total", "why", frozenset({"stop", "length"})),), "finished"),
        "failed": Role((Series("toy:done_total", "why", frozenset({"error"})),), "failed"),
    },
    gauges={
        "running": Role((Series("toy:running"),), "running"),
        "kv_usage": Role((Series("toy:kv_percent"),), "KV", scale=0.01),
    },
    histograms={"ttft": Role((Series("toy:ttft_ms"),), "TTFT", scale=0.001)},
)


def reading(page: str, vocabulary: Vocabulary = TOY, headers: dict[str, str] | None = None) -> ServerReading:
    return read(vocabulary, parse(page.encode(), vocabulary.wanted), SERVER, 7, headers=headers)


def flow(page: str, vocabulary: Vocabulary = TOY) -> FlowReading:
    (flow,) = reading(page, vocabulary).flows
    return flow


def test_a_name_is_known_with_colon_or_underscore_and_with_or_without_total() -> None:
    assert spellings("toy:out_total") == ("toy:out_total", "toy:out", "toy_out_total", "toy_out")
    for name in spellings("toy:out_total"):
        assert flow(f"{name} 5\n").output_tokens == 5


def test_a_page_is_recognised_by_a_whole_set_of_names() -> None:
    assert TOY.recognises(frozenset({"toy_out", "other"}))
    assert TOY.recognises(frozenset({"out_total", "in_total"}))
    assert not TOY.recognises(frozenset({"out_total"}))


def test_the_newest_name_on_the_page_is_read_and_twins_are_not_added() -> None:
    assert flow("toy:out_total 5\ntoy:new_out_total 6\ntoy:new_out 6\n").output_tokens == 6


def test_every_other_label_is_summed_for_each_model() -> None:
    page = 'toy:out_total{model="b",rank="0"} 1\ntoy:out_total{model="b",rank="1"} 2\ntoy:out_total{model="a"} 4\n'
    assert [(flow.model, flow.output_tokens) for flow in reading(page).flows] == [("a", 4), ("b", 3)]


def test_the_pages_model_wins_over_the_command_line() -> None:
    assert flow('toy:out_total{model="on-page"} 1\n').model == "on-page"
    assert flow("toy:out_total 1\n").model == "from-command-line"
    assert flow('toy:out_total{model=""} 1\n').model == "from-command-line"


def test_a_label_splits_outcomes() -> None:
    page = 'toy:done_total{why="stop"} 1\ntoy:done_total{why="length"} 2\ntoy:done_total{why="error"} 4\n'
    assert (flow(page).finished, flow(page).failed) == (3, 4)


def test_an_absent_series_is_none_with_what_is_lost() -> None:
    got = reading('toy:out_total 1\ntoy:done_total{why="stop"} 0\n')
    assert got.flows[0].finished == 0
    assert got.flows[0].failed is None
    assert got.running is None
    assert dict(got.missing) == {"failed": "failed", "ttft": "TTFT", "running": "running", "kv_usage": "KV"}
    assert got.used == ("toy:done_total", "toy:out_total")


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1", "9223372036854775794", "4.611686018427388e+18", "1e16"])
def test_a_value_that_is_no_count_is_none_with_the_reason_and_never_zero(value: str) -> None:
    got = reading(
        f'toy:out_total{{model="a"}} {value}\ntoy:running {value}\ntoy:done_total{{model="a",why="stop"}} 3\n'
    )
    assert got.flows[0].output_tokens is None
    assert got.flows[0].finished == 3
    assert got.running is None
    assert "toy:out_total is" in dict(got.missing)["output_tokens"]
    assert "no count" in dict(got.missing)["running"]


def test_one_bad_rank_makes_the_models_sum_unknown_and_leaves_other_models() -> None:
    page = 'toy:out_total{model="a",r="0"} 1\ntoy:out_total{model="a",r="1"} NaN\ntoy:out_total{model="b"} 2\n'
    assert [(flow.model, flow.output_tokens) for flow in reading(page).flows] == [("a", None), ("b", 2)]


def test_of_several_engines_the_fullest_cache_counts() -> None:
    assert reading('toy:kv_percent{e="0"} 20\ntoy:kv_percent{e="1"} 80\n').kv_usage == pytest.approx(0.8)


def test_a_share_beyond_one_is_not_believed() -> None:
    got = reading("toy:kv_percent 120\n")
    assert got.kv_usage is None
    assert "not between 0 and 1" in dict(got.missing)["kv_usage"]


def test_the_process_start_is_the_incarnation() -> None:
    got = reading("process_start_time_seconds 1.7951985118e+09\n")
    assert (got.incarnation, got.started_at_s) == ("1795198511.8", 1795198511.8)
    assert reading("process_start_time_seconds 0\n").incarnation is None


def test_a_start_header_tells_a_restart_and_no_time() -> None:
    got = reading("", headers={"x-start": "1779291736", "other": "1"})
    assert (got.incarnation, got.started_at_s) == ("1779291736", None)


# --- histograms ---------------------------------------------------------------------------------------------------


def buckets(*counts: tuple[str, float], labels: str = "", total: str = "toy:ttft_ms_sum 300\n") -> str:
    return "".join(f'toy:ttft_ms_bucket{{le="{le}"{labels}}} {count}\n' for le, count in counts) + total


def test_a_histogram_comes_in_seconds_with_the_pages_own_edges() -> None:
    page = buckets(("100.0", 1), ("+Inf", 4), ("500", 3))
    assert flow(page).histograms == (("ttft", Histogram((0.1, 0.5), (1, 3, 4), 0.3)),)


def test_the_histograms_of_several_ranks_are_added() -> None:
    page = buckets(("100", 1), ("+Inf", 2), labels=',r="0"', total="")
    page += buckets(("100", 10), ("+Inf", 20), labels=',r="1"', total="")
    page += 'toy:ttft_ms_sum{r="0"} 100\ntoy:ttft_ms_sum{r="1"} 200\n'
    assert flow(page).histograms == (("ttft", Histogram((0.1,), (11, 22), 0.3)),)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (buckets(("100", 1), ("500", 3)), "does not end in a +Inf bucket"),
        (buckets(("NaN", 1), ("+Inf", 3)), "does not end in a +Inf bucket"),
        (buckets(("100", 4), ("+Inf", 3)), "counts fall"),
        (buckets(("100", -1), ("+Inf", 3)), "no count"),
        (buckets(("x", 1), ("+Inf", 3)), "without an edge"),
        ("toy:ttft_ms_bucket 1\n", "without an edge"),
        (buckets(("100", 1), ("+Inf", 3), total=""), "has no sum"),
        (buckets(("100", 1), ("+Inf", 3), total="toy:ttft_ms_sum NaN\n"), "has no sum"),
        (buckets(("1", 1), ("+Inf", 3)) + buckets(("+Inf", 3), labels=',r="1"', total=""), "other buckets"),
    ],
)
def test_what_is_no_whole_histogram_is_left_out_with_the_reason(page: str, reason: str) -> None:
    got = reading(page)
    assert got.flows[0].histograms == ()
    assert reason in dict(got.missing)["ttft"]


# --- hostile and unknown pages ------------------------------------------------------------------------------------


def test_a_page_with_more_models_than_can_be_stored_is_refused() -> None:
    page = "".join(f'toy:out_total{{model="m{number}"}} 1\n' for number in range(MAX_MODELS + 1))
    got = reading(page)
    assert not got.ok
    assert got.flows == ()
    assert "257 models" in got.problem


def test_a_page_of_no_known_engine_says_what_is_on_it() -> None:
    got = read_page(b"python_info 1\nprocess_open_fds 3\n", SERVER, 7)
    assert not got.ok
    assert "process_open_fds, python_info" in got.problem


def test_no_page_is_claimed_by_two_vocabularies() -> None:
    for vocabulary in VOCABULARIES:
        for sign in vocabulary.signs:
            assert recognise(sign) is vocabulary
