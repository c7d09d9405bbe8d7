"""Latencies and service levels as a Snapshot shows them: by server, and of all servers together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

import pytest

from collectors.readings import Histogram, Layer, ServerReading
from tests.ledger.box import PRICE, Box, placed
from tests.ledger.readings import flow, gpu, page
from tokwatch.ledger.bodies import SettingsBody
from tokwatch.ledger.goodput import Population, service_level
from tokwatch.ledger.slo import PER_TOKEN_ONLY, Outcomes, Slo
from tokwatch.ledger.snapshot import Interval, ServerRow, Snapshot

MINUTE = 61  # pages, so that the window is full

# What is observed each second: name → (edges, counts per bucket).
Rates = Mapping[str, tuple[tuple[float, ...], tuple[int, ...]]]
TTFT_S: Rates = {"ttft": ((0.1, 0.5, 1.0), (8, 1, 0, 1))}
TPOT_S: Rates = {"tpot": ((0.05, 0.1), (9, 1, 0))}


@dataclass(frozen=True)
class Serving:
    """A server that ends so many requests a second, of 100 tokens each."""

    observed: Rates
    address: str = "127.0.0.1:8000"
    model: str = "Qwen/Qwen3-32B"
    finished: int = 10
    failed: int = 0
    aborted: int = 0
    layer: Layer = Layer.ENGINE

    def page(self, second: int) -> ServerReading:
        reading = flow(
            model=self.model,
            output_tokens=100 * self.finished * second,
            finished=self.finished * second,
            failed=self.failed * second,
            aborted=self.aborted * second,
            histograms=tuple((name, histogram(*layout, second)) for name, layout in self.observed.items()),
        )
        return page(second, reading, facts=placed(0, address=self.address, model=self.model), layer=self.layer)


def histogram(edges: tuple[float, ...], counts: tuple[int, ...], seconds: int) -> Histogram:
    return Histogram(edges, tuple(accumulate(count * seconds for count in counts)), 1.0 * seconds)


def shown(slo: SettingsBody, *servers: Serving, seconds: int = MINUTE) -> Snapshot:
    """After a minute of servers that answer as told, on one GPU."""
    box = Box(settings=slo)
    for second in range(seconds):
        box.turn(second, [gpu(second)], [server.page(second) for server in servers])
    return box.snapshot(PRICE)


def row(slo: SettingsBody, server: Serving) -> ServerRow:
    (found,) = shown(slo, server).servers
    return found


def about(interval: Interval) -> list[float | None]:
    """Low, high and point, without the last digits of floats."""
    return [None if x is None else round(x, 9) for x in (interval.low, interval.high, interval.point)]


# --- latencies --------------------------------------------------------------------------------------------------------


def test_a_server_shows_the_bucket_of_each_quantile_and_of_how_many() -> None:
    server = row(
        SettingsBody(), Serving({**TTFT_S, **TPOT_S, "e2e": ((1.0, 5.0), (5, 5, 0)), "queue": ((0.3,), (10, 0))})
    )
    assert (server.ttft_s.p50, server.ttft_s.p95, server.ttft_s.p99) == (
        Interval(0.0, 0.1, n=600),
        Interval(1.0, None, n=600),
        Interval(1.0, None, n=600),
    )
    assert (server.tpot_s.p95, server.e2e_s.p99, server.queue_s.p99) == (
        Interval(0.05, 0.1, n=600),
        Interval(1.0, 5.0, n=600),
        Interval(0.0, 0.3, n=600),
    )
    assert (server.ttft_p95_s, server.tpot_p95_s) == (server.ttft_s.p95, server.tpot_s.p95)
    assert server.itl_s.p50 == Interval(None, None, "no request finished")


@pytest.mark.parametrize(
    ("observed", "kind"),
    [
        ({**TPOT_S, "itl": ((0.01,), (90, 0))}, "per request"),
        ({"itl": ((0.01,), (90, 0))}, "per token"),
        ({"token_time": ((0.01,), (10, 0))}, "per request, prefill included"),
        ({}, ""),
    ],
)
def test_trap_07_a_server_says_which_kind_of_per_token_latency_it_has(observed: Rates, kind: str) -> None:
    server = row(SettingsBody(), Serving(observed))
    assert server.per_token == kind
    assert (server.itl_s.p50.n, server.tpot_s.p50.n) == (
        5400 if "itl" in observed else None,
        600 if "tpot" in observed else None,
    )


def test_servers_of_other_buckets_have_a_quantile_together_between_edges_of_either() -> None:
    other: Rates = {"ttft": ((0.2, 2.0), (10, 0, 0))}
    box = shown(SettingsBody(), Serving(TTFT_S), Serving(other, address="b:1"))
    assert box.totals.ttft_p95_s == Interval(0.1, 0.5, n=1200)


def test_without_an_slo_that_is_the_reason_whatever_a_page_tells() -> None:
    untold = Serving({}, finished=10)
    assert shown(SettingsBody(), untold).totals.slo_met.why == "no SLO set"
    assert row(SettingsBody(), untold).slo_met.why == "no SLO set"
    assert shown(SettingsBody(), untold, seconds=1).totals.slo_met.why == "no SLO set"


# --- the share that met the SLO ---------------------------------------------------------------------------------------


def test_a_limit_on_an_edge_is_met_exactly_and_within_a_bucket_between_bounds() -> None:
    exact = row(SettingsBody(slo_ttft_s=0.5), Serving(TTFT_S))
    assert exact.slo_met == exact.ttft_met == Interval(0.9, 0.9, point=0.9, n=600)
    within = row(SettingsBody(slo_ttft_s=0.3), Serving(TTFT_S))
    assert about(within.slo_met) == about(within.ttft_met) == [0.8, 0.9, 0.85]
    assert (within.slo_met.marks, within.slo_met.n) == (("est",), 600)
    assert within.slo == "TTFT ≤ 0.3 s"


def test_both_limits_are_met_between_bounds_and_each_is_told_by_itself() -> None:
    server = row(SettingsBody(slo_ttft_s=0.5, slo_tpot_s=0.05), Serving({**TTFT_S, **TPOT_S}))
    assert about(server.slo_met) == [0.8, 0.9, None]
    assert about(server.ttft_met) == about(server.tpot_met) == [0.9, 0.9, 0.9]
    assert server.e2e_met == Interval(None, None, "no E2E limit set")
    assert about(row(SettingsBody(slo_e2e_s=2.0), Serving({"e2e": ((2.0,), (7, 3))})).slo_met) == [0.7, 0.7, 0.7]


def test_gaps_between_tokens_are_a_share_of_tokens_and_of_no_requests() -> None:
    server = row(SettingsBody(slo_ttft_s=0.5, slo_tpot_s=0.05), Serving({**TTFT_S, "itl": ((0.05, 0.1), (80, 10, 0))}))
    assert server.slo_met == server.goodput_req_s == server.slo_weighted_tok_s == Interval(None, None, PER_TOKEN_ONLY)
    assert about(server.token_gaps_met) == [round(8 / 9, 9)] * 3
    assert (about(server.ttft_met), server.tpot_met.why) == ([0.9, 0.9, 0.9], "no request finished")


def test_a_share_of_few_requests_is_told_in_counts() -> None:
    few = shown(SettingsBody(slo_ttft_s=0.3), Serving(TTFT_S), seconds=3).totals
    assert (few.slo_met.low, few.slo_met.why, few.slo_verdict) == (0.8, "few requests: 16–18 of 20", "")
    exact = shown(SettingsBody(slo_ttft_s=0.5), Serving(TTFT_S), seconds=3).totals
    assert exact.slo_met.why == "few requests: 18 of 20"


def test_without_an_slo_or_a_request_it_says_so() -> None:
    assert row(SettingsBody(), Serving(TTFT_S)).slo_met == Interval(None, None, "no SLO set")
    assert row(SettingsBody(slo_ttft_s=0.5), Serving({}, finished=0)).slo_met == Interval(
        None, None, "no request finished"
    )
    nobody = Box(settings=SettingsBody(slo_ttft_s=0.5))
    nobody.turn(0)
    assert nobody.snapshot().totals.slo_met == Interval(None, None, "no request finished")


@pytest.mark.parametrize(("target", "verdict"), [(0.8, "met"), (0.85, ""), (0.95, "missed")])
def test_a_target_is_met_or_missed_only_where_the_bounds_leave_no_doubt(target: float, verdict: str) -> None:
    totals = shown(SettingsBody(slo_ttft_s=0.3, slo_target=target), Serving(TTFT_S)).totals
    assert (totals.slo_target, totals.slo_verdict, totals.slo) == (target, verdict, "TTFT ≤ 0.3 s")


# --- goodput ----------------------------------------------------------------------------------------------------------


def test_goodput_is_good_requests_per_second_and_counts_failed_and_aborted_ones_as_bad() -> None:
    server = row(SettingsBody(slo_ttft_s=0.5), Serving(TTFT_S, failed=4, aborted=1))
    assert about(server.goodput_req_s) == [9.0, 9.0, 9.0]
    assert about(server.slo_met) == [0.6, 0.6, 0.6]


def test_trap_17_good_tokens_are_an_estimate_from_good_requests() -> None:
    server = row(SettingsBody(slo_ttft_s=0.3), Serving(TTFT_S))
    assert about(server.slo_weighted_tok_s) == [800.0, 900.0, 850.0]
    assert server.slo_weighted_tok_s.marks == ("est",)
    assert about(server.goodput_req_s) == [8.0, 9.0, 8.5]


def test_requests_counted_while_nobody_timed_them_are_not_judged() -> None:
    """Counters go on over a restart of the recorder and histograms start anew: each request that was counted in
    between could be good or bad."""
    box = Box(settings=SettingsBody(slo_ttft_s=0.5))
    for second in (*range(30), *range(40, 60)):
        if second == 40:
            box.restart(second)
        box.turn(second, [gpu(second)], [Serving(TTFT_S).page(second)])
    (server,) = box.snapshot(PRICE).servers
    assert about(server.slo_met) == [0.9, 0.9, 0.9]
    assert about(server.goodput_req_s) == [9.0, 9.0, 9.0]
    assert server.requests_s.value == 10.0


# --- several servers and models ---------------------------------------------------------------------------------------


def test_servers_with_other_buckets_are_judged_together() -> None:
    other: Rates = {"ttft": ((0.2, 2.0), (10, 0, 0))}
    totals = shown(SettingsBody(slo_ttft_s=0.5), Serving(TTFT_S), Serving(other, address="b:1")).totals
    assert about(totals.slo_met) == [0.95, 0.95, 0.95]
    assert about(totals.goodput_req_s) == [19.0, 19.0, 19.0]


def test_a_server_that_cannot_be_judged_is_left_out_and_the_rest_marked_part() -> None:
    gaps: Rates = {**TTFT_S, "itl": ((0.05,), (90, 0))}
    slo = SettingsBody(slo_ttft_s=0.5, slo_tpot_s=0.05)
    totals = shown(slo, Serving({**TTFT_S, **TPOT_S}), Serving(gaps, address="b:1")).totals
    assert (about(totals.slo_met), totals.slo_met.n, totals.slo_met.marks) == ([0.8, 0.9, None], 600, ("part",))


def test_a_request_that_passes_a_gateway_and_an_engine_is_judged_once() -> None:
    gateway = Serving(TTFT_S, address="b:1", layer=Layer.GATEWAY)
    box = shown(SettingsBody(slo_ttft_s=0.5), Serving(TTFT_S), gateway)
    assert [server.slo_met.n for server in box.servers] == [600, 600]
    assert (box.totals.slo_met.n, box.totals.ttft_p95_s.n) == (600, 600)


def test_a_model_may_have_limits_of_its_own() -> None:
    slo = SettingsBody(slo_ttft_s=0.5, slo_models={"small": Slo(0.1)})
    both = shown(slo, Serving(TTFT_S), Serving(TTFT_S, address="b:1", model="small"))
    assert [(server.slo, about(server.slo_met)[0]) for server in both.servers] == [
        ("TTFT ≤ 0.5 s", 0.9),
        ("TTFT ≤ 0.1 s", 0.8),
    ]
    assert about(both.totals.slo_met) == [0.85, 0.85, 0.85]


def test_an_engine_without_latencies_says_so_and_not_that_nothing_finished() -> None:
    """llama.cpp has no histograms and counts no finished requests, however many it serves."""
    box = Box(settings=SettingsBody(slo_ttft_s=0.5))
    for second in range(MINUTE):
        reading = flow(output_tokens=100 * second, finished=None)
        box.turn(second, [gpu(second)], [page(second, reading, facts=placed(0))])
    assert box.snapshot(PRICE).servers[0].slo_met.why == "its page tells no latencies"


def test_until_the_others_are_warm_nothing_is_blamed_on_the_engine_without_latencies() -> None:
    slo = Slo(ttft_s=0.5)
    silent = Population(slo, Outcomes(None, 0, 0), {}, output_tokens=100, length_ms=1000)
    cold = Population(slo, Outcomes(None, 0, 0), {}, output_tokens=0, length_ms=0)
    assert service_level([silent, cold], slo).met.why == "warming up"
    assert service_level([silent], slo).met.why == "its page tells no latencies"
