"""What each model has of the fleet."""

from __future__ import annotations

import pytest

from tests.ledger.fleet.made import NOW_MS, book, fleet, flow, host
from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.model_rows import OLD, shares_of
from tokwatch.ledger.fleet.snapshot import ModelRow
from tokwatch.ledger.fleet.tally import HostTally, ModelLatency


def models_of(*hosts: HostTally, latencies: tuple[ModelLatency, ...] = ()) -> dict[str, ModelRow]:
    snapshot = fleet_snapshot(fleet(*hosts, latencies=latencies), book())
    return {row.model: row for row in snapshot.models}


def test_a_model_alone_on_its_hosts_has_all_of_them() -> None:
    row = models_of(host("h1", flow()), host("h2", flow()))["Qwen3-32B"]
    assert (row.hosts, row.servers, row.gpus.value, row.gpus.marks) == (2, 4, 16.0, ())
    assert row.usd_per_hour.value == 32.0
    assert row.tok_per_j.value == 0.25
    assert (row.running, row.waiting, row.kv_usage.value) == (40, 0, 0.5)


def test_a_shared_host_is_divided_by_output_tokens_and_says_so() -> None:
    rows = models_of(host("h1", flow("a", output=45_000), flow("b", output=15_000)))
    assert [(rows[name].gpus.value, rows[name].gpus.marks) for name in "ab"] == [
        (6.0, ("allocated",)),
        (2.0, ("allocated",)),
    ]
    assert rows["a"].usd_per_hour.value == 12.0
    assert rows["b"].power_w.value == 1_000.0


@pytest.mark.parametrize(
    ("flows", "shares"),
    [
        ((flow("a", output=0, prompt_tokens=30), flow("b", output=0, prompt_tokens=10)), (0.75, 0.25)),
        ((flow("a", output=None, prompt_tokens=30), flow("b", prompt_tokens=10)), (0.75, 0.25)),
        ((flow("a", output=0, prompt_tokens=0), flow("b", output=0, prompt_tokens=0)), (0.5, 0.5)),
    ],
)
def test_without_output_to_divide_by_prompts_do_and_then_nothing(
    flows: tuple[object, ...], shares: tuple[float, float]
) -> None:
    found = shares_of(flows)  # type: ignore[arg-type]
    assert (found["a"].value, found["b"].value) == shares


def test_requests_and_how_many_of_them_failed() -> None:
    row = models_of(host("h1", flow()))["Qwen3-32B"]
    assert row.requests_s.value == 3.0
    assert row.failed_share.value == pytest.approx(0.1)
    assert row.cached_share.value == 0.25


def test_a_replica_that_is_down_is_listed_and_left_out_of_the_sums() -> None:
    row = models_of(host("h1", flow()), host("h2", flow(), up=False))["Qwen3-32B"]
    assert (row.tok_s.value, row.tok_s.marks) == (1_000, ("part",))
    assert (row.running, row.servers) == (20, 2)
    assert [(replica.host, replica.running, replica.verdict) for replica in row.replicas] == [
        ("h1", 20, ""),
        ("h2", None, "does not answer"),
    ]


def test_latencies_are_of_the_model_alone() -> None:
    told = ModelLatency(
        "Qwen3-32B",
        (HistogramEntry("ttft", (0.5, 1.0), (90, 10, 0), 0), HistogramEntry("tpot", (0.01, 0.02), (1, 0, 99), 0)),
    )
    row = models_of(host("h1", flow(), flow("b")), latencies=(told,))
    assert (row["Qwen3-32B"].ttft_s.p95.low, row["Qwen3-32B"].ttft_s.p50.high) == (0.5, 0.5)
    assert (row["Qwen3-32B"].tpot_s.p95.low, row["Qwen3-32B"].tpot_s.p95.high) == (0.02, None)
    assert row["b"].ttft_s.p95.why == "no request finished"


def test_the_model_with_the_most_output_comes_first() -> None:
    assert list(models_of(host("h1", flow("a", output=1)), host("h2", flow("b")))) == ["b", "a"]


def test_a_replica_of_which_all_is_old_says_so_and_proves_nothing() -> None:
    queue, old = host("h1", flow(waiting=9)), host("h2", flow(running=0), t1_ms=NOW_MS - 60_000)
    (row,) = models_of(queue, old).values()
    assert row.misrouted == ()
    assert (row.replicas[1].verdict, row.replicas[1].tok_s.marks) == (OLD, ("stale",))
