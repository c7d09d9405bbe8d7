"""Latencies by every way an agent tells them: its lines, its page read directly, its page by Prometheus' rules."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from collectors.fleet.agent_columns import NAMES
from collectors.fleet.page_samples import PageSamples
from collectors.prometheus.dialects import AGENT_GPU, AGENT_LATENCIES
from collectors.readings import FlowReading, Histogram
from tests.agent.saying import statements
from tests.ledger.box import OUT_S, PROMPT_S, Box
from tests.ledger.readings import flow, gpu, page, server_facts
from tokwatch.agent import exposition
from tokwatch.agent.families import OwnCost
from tokwatch.ledger.entries import HistogramEntry
from tokwatch.ledger.fleet.meter import FleetMeter
from tokwatch.ledger.fleet.page_counters import HostPages
from tokwatch.ledger.fleet.report import Hello, Report
from tokwatch.ledger.fleet.report_of import Statement

OWN = OwnCost(1.5, 50 << 20)
EDGES = (0.1, 0.25, 1.0)
LABELS = {"server": "127.0.0.1:8000", "engine": "vllm", "model": "Qwen/Qwen3-32B"}
SECONDS = 21


def timed(second: int) -> tuple[tuple[str, Histogram], ...]:
    """All latencies that a page may have: second n observes n % 4 slow requests besides a fast one."""
    slow = sum(n % 4 for n in range(second + 1))
    counts = (0, second, second + slow, second + slow)
    names = (*AGENT_LATENCIES, "queue")
    return tuple((name, Histogram(EDGES, counts, 0.2 * second + 0.5 * slow)) for name in names)


def at_work(second: int, **changes: object) -> FlowReading:
    tokens = {
        "output_tokens": second * OUT_S,
        "prompt_tokens": second * PROMPT_S,
        "finished": second,
        "cached_tokens": second,
    }
    return flow(**{**tokens, "histograms": timed(second), **changes})


def box(seconds: int = SECONDS) -> Box:
    made = Box()
    for second in range(seconds):
        made.turn(second, [gpu(second), gpu(second, 1)], [page(second, at_work(second))])
    return made


@pytest.fixture(scope="module")
def told() -> list[Statement]:
    return statements(box())


def text(statement: Statement, *, openmetrics: bool = False) -> bytes:
    return exposition.page(statement, OWN, openmetrics=openmetrics)


def observed(meter: FleetMeter, at_s: int) -> dict[str, HistogramEntry]:
    (host,) = meter.tally(1000 * at_s, 60_000)
    return {entry.name: entry for tally in host.flows for entry in tally.latencies}


def test_a_line_has_the_buckets_of_ttft_and_tpot(told: list[Statement]) -> None:
    statement = told[-1]
    assert [(about.name, about.model, about.edges) for about in statement.hello.latencies] == [
        ("tpot", LABELS["model"], EDGES),
        ("ttft", LABELS["model"], EDGES),
    ]
    slow = sum(n % 4 for n in range(SECONDS))
    assert {report.counts for report in statement.report.latencies} == {(0, SECONDS - 1, slow, 0)}
    assert {report.sum_ms for report in statement.report.latencies} == {200 * (SECONDS - 1) + 500 * slow}


def test_lines_and_pages_tell_a_fleet_the_same(told: list[Statement]) -> None:
    by_line, by_page = FleetMeter(), FleetMeter()
    reader, pages = PageSamples("h1:9476"), HostPages("h1", "run", started_ms=0, interval_s=1.0)
    for second, statement in enumerate(told):
        at_ms = 1000 * second
        by_line.hello("h1", msgspec.json.decode(msgspec.json.encode(statement.hello), type=Hello), at_ms)
        by_line.report("h1", msgspec.json.decode(msgspec.json.encode(statement.report), type=Report), at_ms)
        sample = reader.read(text(statement), at_ms * 1_000_000).sample()
        if (hello := pages.add("page", sample, at_ms)) is not None:
            by_page.hello("h1", hello, at_ms)
        report = pages.report(at_ms, at_ms, at_ms)
        assert report is not None
        by_page.report("h1", report, at_ms)
    found = observed(by_line, SECONDS - 1)
    assert found == observed(by_page, SECONDS - 1)
    assert found.keys() == {"ttft", "tpot"}
    assert sum(found["ttft"].counts) == SECONDS - 1 + sum(n % 4 for n in range(SECONDS))


def test_the_page_has_histograms_as_prometheus_has_them(told: list[Statement]) -> None:
    for openmetrics, parse in ((False, text_families), (True, openmetrics_families)):
        families = {each.name: each for each in parse(text(told[-1], openmetrics=openmetrics).decode())}
        for latency, name in AGENT_LATENCIES.items():
            family = families[name]
            assert family.type == "histogram", latency
            buckets = {each.labels["le"]: each.value for each in family.samples if each.name == f"{name}_bucket"}
            own = (0, SECONDS - 1, sum(n % 4 for n in range(SECONDS)), 0)
            assert buckets == dict(zip(("0.1", "0.25", "1.0", "+Inf"), accumulate(own), strict=True))
            rest = {each.name.removeprefix(name): each for each in family.samples if "le" not in each.labels}
            assert rest["_count"].value == sum(own)
            assert rest["_sum"].value == pytest.approx(0.2 * own[1] + 0.5 * own[2])
            assert {tuple(each.labels.items()) for each in rest.values()} == {tuple(LABELS.items())}


def test_a_router_times_no_request_that_an_engine_times() -> None:
    made = Box()
    router = server_facts("127.0.0.1:9000", counts=False)
    for second in range(11):
        passing = page(second, at_work(second), facts=router)
        made.turn(second, [gpu(second), gpu(second, 1)], [page(second, at_work(second)), passing])
    statement = statements(made)[-1]
    assert {statement.hello.servers[about.server].address for about, _ in statement.latencies} == {LABELS["server"]}


def test_an_engine_that_restarts_with_other_buckets_begins_at_zero() -> None:
    made = box(11)
    for second in range(11, 14):
        fresh = Histogram((0.5,), (second - 10, second - 10), 0.3 * (second - 10))
        reading = at_work(second - 11, histograms=(("ttft", fresh),))
        restarted = replace(page(second, reading), incarnation="process-2")
        made.turn(second, [gpu(second), gpu(second, 1)], [restarted])
    *_, statement = statements(made)
    (about,) = [each for each in statement.hello.latencies if each.name == "ttft"]
    (report,) = [
        report
        for each, report in zip(statement.hello.latencies, statement.report.latencies, strict=True)
        if each is about
    ]
    assert (about.edges, sum(report.counts)) == ((0.5,), 3)


def test_whatever_is_read_of_an_agents_page_is_written_there(told: list[Statement]) -> None:
    written = {line.split("{")[0].split(" ")[0] for line in text(told[-1]).decode().splitlines() if line[0] != "#"}
    buckets = {f"{name}{suffix}" for name in AGENT_LATENCIES.values() for suffix in ("_bucket", "_sum")}
    assert {*NAMES, *buckets, AGENT_GPU} <= written
