"""How a vocabulary's table is matched with a page, whatever the engine."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from collectors.exposition import parse
from collectors.readings import ALL_TENANTS, FlowReading, Histogram, Moves, ServerFacts, ServerReading
from collectors.vocabularies import VOCABULARIES, read_page, recognise
from collectors.vocabularies.plan import MAX_EDGES, MAX_FLOWS, MAX_PART_NAME, MAX_PARTS, plan_of
from collectors.vocabularies.reader import read
from collectors.vocabularies.vocabulary import AllOf, Info, Role, Series, Vocabulary, spellings

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
    metrics = parse(page.encode(), vocabulary.wanted)
    return read(plan_of(vocabulary, metrics), metrics.values, SERVER, 7, headers=headers)


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


# --- ranks, copies, totals, parts ---------------------------------------------------------------------------------


def test_a_sum_over_ranks_is_told_with_its_parts_and_one_rank_by_its_name() -> None:
    got = flow('toy:out_total{model="a",r="1"} 4\ntoy:out_total{model="a",r="0"} 3\n')
    assert got.output_tokens == 7
    assert got.parts == (("output_tokens", (("r=0", 3), ("r=1", 4))),)
    assert flow('toy:out_total{model="a",r="0"} 3\n').parts == (("output_tokens", (("r=0", 3),)),)
    assert flow('toy:out_total{model="a"} 3\n').parts == ()


def test_what_differs_only_in_the_selecting_label_restarts_together_and_is_one_part() -> None:
    assert flow('toy:done_total{why="stop"} 1\ntoy:done_total{why="length"} 2\n').parts == ()


def test_of_copies_on_several_ranks_the_lowest_found_is_taken_alone_for_each_group() -> None:
    toy = replace(TOY, copies=("tp", "pp"))
    page = "".join(
        f'toy:out_total{{dp="{dp}",tp="{tp}"}} {10 * dp + tp}\n' for dp, tp in ((0, 0), (0, 1), (1, 2), (1, 10))
    )
    assert flow(page, toy).output_tokens == 0 + 12


def test_a_total_that_stands_beside_its_parts_is_taken_alone() -> None:
    toy = replace(TOY, totals={"priority": ""})
    assert (
        flow(
            'toy:out_total{priority=""} 7\ntoy:out_total{priority="1"} 3\ntoy:out_total{priority="2"} 4\n', toy
        ).output_tokens
        == 7
    )
    assert flow('toy:out_total{priority="1"} 3\ntoy:out_total{priority="2"} 4\n', toy).output_tokens == 7


def test_a_sum_of_several_series_needs_all_of_them() -> None:
    prompt = Role((AllOf((Series("toy:computed"), Series("toy:cached"))), Series("toy:prompt")), "prompt")
    toy = replace(TOY, counters={"prompt_tokens": prompt})
    assert flow("toy:computed 3\ntoy:cached 4\n", toy).prompt_tokens == 7
    assert flow("toy:computed 3\ntoy:prompt 9\n", toy).prompt_tokens == 9
    assert dict(reading("toy:computed 3\n", toy).missing)["prompt_tokens"] == "prompt"


def test_a_label_value_can_be_left_out_of_a_sum() -> None:
    cached = Role((Series("toy:cached", "source", frozenset({"total"}), others=True),), "cached")
    toy = replace(TOY, counters={"cached_tokens": cached})
    page = 'toy:cached{source="device"} 3\ntoy:cached{source="host"} 4\ntoy:cached{source="total"} 7\n'
    assert flow(page, toy).cached_tokens == 7


# --- whose tokens, and what the page says of the deployment -------------------------------------------------------


def test_tenants_and_tiers_are_flows_of_their_own_and_an_empty_label_is_none() -> None:
    toy = replace(TOY, tenant_labels=("team", "key"), tier_labels=("tier",))
    page = (
        'toy:out_total{model="a",team="red",key="k1",tier="batch"} 1\n'
        'toy:out_total{model="a",team="None",key="k2"} 2\ntoy:out_total{model="a",team="",key="None"} 4\n'
    )
    told = [(flow.tenant, flow.tier, flow.output_tokens) for flow in reading(page, toy).flows]
    assert told == [("(untagged)", "", 4), ("k2", "", 2), ("red", "batch", 1)]


def test_too_many_tenants_are_added_up_and_that_is_said() -> None:
    toy = replace(TOY, tenant_labels=("team",))
    page = "".join(f'toy:out_total{{model="a",team="t{number}"}} 1\n' for number in range(MAX_FLOWS + 1))
    got = reading(page, toy)
    assert [(flow.tenant, flow.output_tokens) for flow in got.flows] == [(ALL_TENANTS, 257)]
    assert "more than 256" in dict(got.missing)["tenants"]


def test_the_role_of_the_page_is_what_its_series_agree_on() -> None:
    toy = replace(TOY, roles={"engine_type": {"prefill": "prefill", "unified": ""}})
    assert flow('toy:out_total{engine_type="prefill"} 1\ntoy:done_total{why="stop"} 1\n', toy).role == "prefill"
    assert flow('toy:out_total{engine_type="unified"} 1\n', toy).role == ""
    assert flow('toy:out_total{engine_type="prefill"} 1\ntoy:running{engine_type="unified"} 1\n', toy).role == ""


def test_deployment_facts_are_labels_or_values_of_info_series() -> None:
    toy = replace(
        TOY,
        infos=(
            Info(Series("toy:config_info"), {"tp": "tensor parallel", "quant": "quantisation"}),
            Info(Series("toy:slots"), {"": "slots"}),
        ),
    )
    got = reading('toy:config_info{tp="4",quant="None"} 1\ntoy:slots 16\n', toy)
    assert got.facts == (("tensor parallel", "4"), ("slots", "16"))


def test_when_tokens_move_depends_on_the_series_they_are_read_from() -> None:
    toy = replace(TOY, moves_by={"toy:out_total": Moves.AT_END})
    assert reading("toy:new_out_total 1\n", toy).moves is Moves.LIVE
    assert reading("toy:out_total 1\n", toy).moves is Moves.AT_END


def test_an_engine_put_to_sleep_says_so() -> None:
    asleep = Role((Series("toy:sleep", "state", frozenset({"off"})),), "sleep")
    toy = replace(TOY, gauges={"asleep": asleep})
    assert reading('toy:sleep{state="off"} 1\ntoy:sleep{state="awake"} 0\n', toy).asleep is True
    assert reading('toy:sleep{state="off"} 0\n', toy).asleep is False
    assert reading("", toy).asleep is None


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
        (buckets(("NaN", 1), ("+Inf", 3)), "without an edge"),
        (buckets(("100", 4), ("+Inf", 3)), "counts fall"),
        (buckets(("100", -1), ("+Inf", 3)), "no counts"),
        (buckets(("100", 1), ("+Inf", 1e16)), "no counts"),
        (buckets(("100", math.nan), ("+Inf", 3)), "NaN"),
        (buckets(("x", 1), ("+Inf", 3)), "without an edge"),
        ("toy:ttft_ms_bucket 1\n", "without an edge"),
        (buckets(("100", 1), ("+Inf", 3), total=""), "has no sum"),
        (buckets(("100", 1), ("+Inf", 3), total="toy:ttft_ms_sum NaN\n"), "sum is no number"),
        (buckets(("1", 1), ("+Inf", 3)) + buckets(("+Inf", 3), labels=',r="1"', total=""), "other buckets"),
    ],
)
def test_what_is_no_whole_histogram_is_left_out_with_the_reason(page: str, reason: str) -> None:
    got = reading(page)
    assert got.flows[0].histograms == ()
    assert reason in dict(got.missing)["ttft"]


# --- hostile and unknown pages ------------------------------------------------------------------------------------


def test_a_page_with_more_models_than_can_be_stored_is_refused() -> None:
    page = "".join(f'toy:out_total{{model="m{number}"}} 1\n' for number in range(MAX_FLOWS + 1))
    got = reading(page)
    assert not got.ok
    assert got.flows == ()
    assert "more than 256 models" in got.problem


def test_more_ranks_than_are_kept_by_name_are_one_sum() -> None:
    page = "".join(f'toy:out_total{{model="a",r="{number}"}} 1\n' for number in range(MAX_PARTS + 1))
    got = flow(page)
    assert (got.output_tokens, got.parts) == (MAX_PARTS + 1, ())


def test_names_of_ranks_are_kept_short_and_apart() -> None:
    long = "".join(f'toy:out_total{{model="a",{"x" * 1000}="{number}"}} {number}\n' for number in (3, 4))
    ((_, parts),) = flow(long).parts
    assert sorted(value for _, value in parts) == [3, 4]
    assert max(len(name) for name, _ in parts) <= MAX_PART_NAME


def test_a_histogram_of_very_many_buckets_is_left_out() -> None:
    page = buckets(*((str(edge), edge) for edge in range(MAX_EDGES + 1)), ("+Inf", 999))
    assert f"more than {MAX_EDGES} buckets" in dict(reading(page).missing)["ttft"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('toy:out_total{model="a"} -1\n', 'toy:out_total{model="a"} -2\n'),
        ('toy:out_total{model="a"} 1e300\n', 'toy:out_total{model="a"} NaN\n'),
        ("toy:kv 1.01\n", "toy:kv 1.02\n"),
        (buckets(("100", 1), ("+Inf", 1e16)), buckets(("100", 1), ("+Inf", 1e17))),
    ],
)
def test_what_is_said_of_a_bad_value_does_not_change_with_it(one: str, other: str) -> None:
    """Every change of it would be kept as news, once a second."""
    assert reading(one).missing == reading(other).missing != ()


def test_values_that_add_up_to_more_than_can_be_are_unknown() -> None:
    page = "".join(f'toy:out_total{{model="a",r="{number}"}} {2**47}\n' for number in range(3))
    assert flow(page + 'toy:done_total{model="a",why="stop"} 1\n').output_tokens is None


def test_tenants_that_were_too_many_stay_added_up() -> None:
    """Each of them was counted under all of them: apart, each would be counted again."""
    toy = replace(TOY, tenant_labels=("team",))
    few = b'toy:out_total{model="a",team="t1"} 1\n'
    plan = plan_of(toy, parse(few, toy.wanted), together=True)
    assert [flow.tenant for flow in plan.flows] == [ALL_TENANTS]


def test_a_page_of_no_known_engine_says_what_is_on_it() -> None:
    got = read_page(b"python_info 1\nprocess_open_fds 3\n", SERVER, 7)
    assert not got.ok
    assert "process_open_fds, python_info" in got.problem


def test_no_page_is_claimed_by_two_vocabularies() -> None:
    for vocabulary in VOCABULARIES:
        for sign in vocabulary.signs:
            assert recognise(sign) is vocabulary
