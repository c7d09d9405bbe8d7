"""How many requests were good: between bounds that hold for every population that the histograms allow."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.observed import TPOT, TTFT, edges, observations, seconds
from tokwatch.ledger.latency import Observations
from tokwatch.ledger.mlperf import PRESETS
from tokwatch.ledger.slo import (
    NO_REQUEST,
    NO_SLO,
    PER_TOKEN_ONLY,
    WITH_PREFILL,
    Between,
    Good,
    Outcomes,
    Slo,
    good_requests,
)

THOUSAND = {"ttft": Observations([TTFT]), "tpot": Observations([TPOT])}


def shares(slo: Slo, latencies: dict[str, Observations], outcomes: Outcomes) -> Between:
    good = good_requests(slo, latencies, outcomes)
    assert isinstance(good, Good), good
    return good.share


def ttft(*values: float) -> dict[str, Observations]:
    return {"ttft": observations((0.1, 0.5), values)}


# --- test vector A ----------------------------------------------------------------------------------------------------


def test_limits_inside_buckets_leave_wide_bounds() -> None:
    assert shares(Slo(0.450, 0.040), THOUSAND, Outcomes(1000)) == Between(0.0, 0.850, None)


def test_trap_17_limits_on_edges_are_exact_and_both_at_once_are_not() -> None:
    assert shares(Slo(0.5), THOUSAND, Outcomes(1000)) == Between(0.850, 0.850, 0.850)
    assert shares(Slo(tpot_s=0.05), THOUSAND, Outcomes(1000)) == Between(0.900, 0.900, 0.900)
    assert shares(Slo(0.5, 0.05), THOUSAND, Outcomes(1000)) == Between(0.750, 0.850, None)


def test_one_limit_inside_a_bucket_has_an_estimate() -> None:
    share = shares(Slo(0.450), THOUSAND, Outcomes(1000))
    assert [share.low, share.high, share.point] == pytest.approx([0.620, 0.850, 0.804], abs=1e-12)


def test_where_all_meet_one_limit_the_other_gives_the_estimate() -> None:
    latencies = {"ttft": Observations([((0.1,), (1000, 0))]), "tpot": Observations([TPOT])}
    assert shares(Slo(0.1, 0.040), latencies, Outcomes(1000)).point == pytest.approx(0.660, abs=1e-12)


# --- requests that ended badly ----------------------------------------------------------------------------------------


def test_failed_and_aborted_requests_are_never_good() -> None:
    latencies = ttft(*[0.05] * 80)  # the failed ones had no first token
    assert shares(Slo(0.1), latencies, Outcomes(80, 20)) == Between(0.8, 0.8, 0.8)


def test_an_aborted_request_may_be_one_that_met_its_limit() -> None:
    share = shares(Slo(0.1), ttft(*[0.05] * 90, *[0.3] * 10), Outcomes(90, 10))
    assert (share.low, share.high) == (0.8, 0.9)  # all ten aborted were quick, or all ten were the slow ones


def test_trap_08_a_dropped_client_in_no_counter_is_a_request_that_was_not_good() -> None:
    # vLLM 0.32: 15 first tokens, 14 requests at their end, no abort counted.
    share = shares(Slo(0.1), ttft(*[0.05] * 15), Outcomes(14))
    assert (share.low, share.high) == (14 / 15, 14 / 15)


def test_a_request_that_still_runs_may_yet_be_good() -> None:
    share = shares(Slo(0.1), ttft(*[0.05] * 15), Outcomes(10, running=5))
    assert (share.low, share.high) == (10 / 15, 1.0)


def test_when_every_request_failed_none_was_good() -> None:
    assert shares(Slo(0.1, 0.05), {}, Outcomes(0, 7)) == Between(0, 0, 0)


def test_trap_24_requests_without_a_first_token_are_neither_good_nor_bad() -> None:
    share = shares(Slo(0.1), ttft(*[0.05] * 10), Outcomes(100))  # LiteLLM times streamed answers only
    assert (share.low, share.high) == (0.1, 1.0)


def test_an_engine_that_does_not_count_requests_is_judged_by_those_it_timed() -> None:
    assert shares(Slo(0.1), ttft(0.05, 0.05, 0.05, 0.3), Outcomes(None)) == Between(0.75, 0.75, 0.75)


# --- what cannot be judged --------------------------------------------------------------------------------------------


def test_trap_07_gaps_between_tokens_say_nothing_of_requests() -> None:
    gaps = {**ttft(0.05), "itl": observations((0.1,), [0.01] * 90)}
    assert good_requests(Slo(0.1, 0.05), gaps, Outcomes(1)) == PER_TOKEN_ONLY
    prefill = {**ttft(0.05), "token_time": observations((0.1,), [0.01])}
    assert good_requests(Slo(0.1, 0.05), prefill, Outcomes(1)) == WITH_PREFILL
    assert isinstance(good_requests(Slo(0.1), gaps, Outcomes(1)), Good)  # TTFT alone is of requests


def test_without_limits_or_requests_nothing_is_said() -> None:
    assert good_requests(Slo(), THOUSAND, Outcomes(1000)) == NO_SLO
    assert good_requests(Slo(0.5), {}, Outcomes(0)) == NO_REQUEST
    assert good_requests(Slo(0.5), ttft(0.05), Outcomes(0, running=1)) == NO_REQUEST
    assert good_requests(Slo(0.5), {}, Outcomes(3)) == "no TTFT was observed"


# --- the bounds hold --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    ttft_s: float
    tpot_s: float
    end: (
        str  # "finished" | "aborted" after its first token, and counted | "dropped" after it, in no counter | "running"
    )


request_lists = st.lists(
    st.builds(Request, seconds, seconds, st.sampled_from(["finished"] * 6 + ["aborted", "dropped", "running"])),
    max_size=40,
)


@given(request_lists, st.integers(0, 3), edges, edges, seconds, seconds | st.none())
def test_the_true_share_of_good_requests_lies_within_the_bounds(
    requests: list[Request],
    refused: int,
    ttft_edges: list[float],
    tpot_edges: list[float],
    ttft_s: float,
    tpot_s: float | None,
) -> None:
    if any(request.end == "dropped" for request in requests):
        refused = 0  # requests without a first token hide as many that were dropped after it: no page tells them apart
    number = {end: sum(r.end == end for r in requests) for end in ("finished", "aborted", "dropped", "running")}
    latencies = {
        "ttft": observations(ttft_edges, [r.ttft_s for r in requests]),
        "tpot": observations(tpot_edges, [r.tpot_s for r in requests if r.end in ("finished", "aborted")]),
    }
    outcomes = Outcomes(number["finished"], number["aborted"] + refused, number["running"])
    good = good_requests(Slo(ttft_s, tpot_s), latencies, outcomes)
    ended = number["finished"] + number["aborted"] + number["dropped"] + refused
    if isinstance(good, str):
        assert good == NO_REQUEST
        assert number["finished"] + number["aborted"] + refused == 0
        return
    truly_good = sum(
        r.end == "finished" and r.ttft_s <= ttft_s and (tpot_s is None or r.tpot_s <= tpot_s) for r in requests
    )
    assert good.number.low <= truly_good <= good.number.high
    assert good.share.low - 1e-12 <= truly_good / ended <= good.share.high + 1e-12
    if good.share.point is not None:
        assert good.share.low - 1e-12 <= good.share.point <= good.share.high + 1e-12


# --- presets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "ttft_s", "tpot_s"),
    [
        ("mlperf-server:llama-3.1-8b", 2.0, 0.1),
        ("mlperf-server:llama-2-70b", 2.0, 0.2),
        ("mlperf-server:mixtral-8x7b", 2.0, 0.2),
        ("mlperf-server:llama-3.1-405b", 6.0, 0.175),
        ("mlperf-server:deepseek-r1", 2.0, 0.08),
        ("mlperf-server:gpt-oss-120b", 3.0, 0.08),
        ("mlperf-interactive:llama-3.1-8b", 0.5, 0.03),
        ("mlperf-interactive:llama-2-70b", 0.45, 0.04),
        ("mlperf-interactive:llama-3.1-405b", 4.5, 0.08),
        ("mlperf-interactive:deepseek-r1", 1.5, 0.015),
        ("mlperf-interactive:gpt-oss-120b", 2.0, 0.02),
    ],
)
def test_the_limits_of_mlperf(preset: str, ttft_s: float, tpot_s: float) -> None:
    assert PRESETS[preset] == Slo(ttft_s, tpot_s, target=0.99)


def test_an_slo_is_told_in_words() -> None:
    assert str(Slo(2.0, 0.08, 30.0)) == "TTFT ≤ 2 s, TPOT ≤ 0.08 s, E2E ≤ 30 s"
    assert str(Slo()) == ""
