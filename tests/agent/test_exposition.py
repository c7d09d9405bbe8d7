"""The page, read back by Prometheus' own client library and by promtool: every number is what was counted."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from collectors.labels import clean_label
from tests.agent.saying import statements
from tests.ledger.box import OUT_S, PROMPT_S, Box, serve, work
from tests.ledger.readings import flow, gpu, gpu_facts, lost_gpu, no_page, page, server_facts
from tokwatch.agent import exposition
from tokwatch.agent.families import OwnCost
from tokwatch.ledger.fleet.report_of import Statement

OWN = OwnCost(1.5, 50 << 20)
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
GPU_0 = {"gpu": "0", "uuid": "GPU-00000000-aaaa", "model_name": "NVIDIA H100 80GB HBM3"}
SERVER = {"server": "127.0.0.1:8000", "engine": "vllm", "model": "Qwen/Qwen3-32B"}


def samples(families: Iterable[Metric]) -> Samples:
    """Every sample of a page once. Fails where two are of one series, which a Prometheus would refuse."""
    found: Samples = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


def text_of(statement: Statement) -> Samples:
    return samples(text_families(exposition.page(statement, OWN, openmetrics=False).decode()))


def value(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


STATEMENT = statements()[-1]


@pytest.fixture
def statement() -> Statement:
    return STATEMENT


def test_counters_are_the_totals_in_base_units(statement: Statement) -> None:
    found = text_of(statement)
    assert value(found, "tokwatch_gpu_energy_joules_total", **GPU_0) == 30 * 300
    assert value(found, "tokwatch_gpu_observed_seconds_total", **GPU_0) == 30
    assert value(found, "tokwatch_prompt_tokens_total", **SERVER) == 30 * PROMPT_S
    assert value(found, "tokwatch_cached_tokens_total", **SERVER) == 30 * 1000
    assert value(found, "tokwatch_output_tokens_total", **SERVER) == 30 * OUT_S
    assert value(found, "tokwatch_cost_dollars_total", part="rent", currency="USD") == pytest.approx(3 * 3 * 30 / 3600)
    assert value(found, "tokwatch_ticks_total") == 31
    assert value(found, "process_cpu_seconds_total") == 1.5


def test_gauges_are_those_of_the_tick(statement: Statement) -> None:
    found = text_of(statement)
    assert value(found, "tokwatch_gpu_power_watts", **GPU_0) == 300
    assert value(found, "tokwatch_gpu_utilization_ratio", **GPU_0) == 0.9
    assert value(found, "tokwatch_gpu_memory_used_bytes", **GPU_0) == 40_000 << 20
    assert value(found, "tokwatch_gpu_memory_total_bytes", **GPU_0) == 80 << 30
    assert value(found, "tokwatch_gpu_temperature_celsius", **GPU_0) == 60
    assert value(found, "tokwatch_server_up", **SERVER) == 1
    assert value(found, "tokwatch_requests_running", **SERVER) == 1
    assert value(found, "tokwatch_kv_cache_usage_ratio", **SERVER) == 0.25


def test_states_are_one_and_zero_and_their_seconds_add_up_to_the_watched_ones(statement: Statement) -> None:
    found = text_of(statement)
    states = {
        dict(labels)["state"]: number
        for (name, labels), number in found.items()
        if name == "tokwatch_gpu_state" and ("gpu", "0") in labels
    }
    seconds = sum(
        number
        for (name, labels), number in found.items()
        if name == "tokwatch_gpu_state_seconds_total" and ("gpu", "0") in labels
    )
    assert states["serving"] == 1
    assert sum(states.values()) == 1
    assert seconds == 30


def test_openmetrics_tells_the_same_by_its_own_rules(statement: Statement) -> None:
    page = exposition.page(statement, OWN, openmetrics=True).decode()
    assert page.endswith("# EOF\n")
    assert "_created" not in page
    families = list(openmetrics_families(page))  # type: ignore[no-untyped-call]
    assert {family.type for family in families} == {"counter", "gauge", "info"}
    assert samples(families) == text_of(statement)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool on the PATH")
def test_promtool_finds_nothing_to_say(statement: Statement) -> None:
    page = exposition.page(statement, OWN, openmetrics=False)
    ended = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_what_is_not_known_has_no_sample() -> None:
    box = Box()
    bare = gpu_facts(memory_total_bytes=None, name=None)
    for second in range(3):
        gpus = [
            replace(gpu(second), facts=bare, power_w=None, energy_mj=None, utilization=None, temperature_c=None),
            lost_gpu(second, 1),
        ]
        box.turn(second, gpus, [no_page(second)])
    found = text_of(statements(box, usd_per_gpu_hour=None)[-1])
    names = {name for name, _ in found}
    assert not names & {
        *("tokwatch_gpu_power_watts", "tokwatch_gpu_energy_joules_total", "tokwatch_gpu_idle_energy_joules_total"),
        *("tokwatch_gpu_utilization_ratio", "tokwatch_gpu_temperature_celsius"),
        *("tokwatch_requests_running", "tokwatch_kv_cache_usage_ratio", "tokwatch_output_tokens_total"),
        "tokwatch_cost_dollars_total",
    }
    assert value(found, "tokwatch_server_up", **SERVER) == 0


def test_a_token_that_passes_two_servers_is_on_the_page_once() -> None:
    box = Box()
    router = server_facts("127.0.0.1:9000", counts=False)
    for second in range(11):
        passing = page(second, flow(output_tokens=second * OUT_S, prompt_tokens=second * PROMPT_S), facts=router)
        box.turn(second, [gpu(second), gpu(second, 1)], [work(second), passing])
    found = text_of(statements(box)[-1])
    told = {labels: number for (name, labels), number in found.items() if name == "tokwatch_output_tokens_total"}
    assert told == {frozenset(SERVER.items()): 10 * OUT_S}
    assert value(found, "tokwatch_server_up", **SERVER | {"server": "127.0.0.1:9000"}) == 1


def test_tenants_are_added_up_and_make_no_series() -> None:
    box = Box()
    for second in range(6):
        flows = [flow(tenant=f"customer {n}", output_tokens=second * n, prompt_tokens=0) for n in range(40)]
        box.turn(second, [gpu(second)], [page(second, *flows)])
    found = text_of(statements(box)[-1])
    told = [number for (name, _), number in found.items() if name == "tokwatch_output_tokens_total"]
    assert told == [5 * sum(range(40))]


def test_what_is_gone_leaves_the_page() -> None:
    box = serve(Box(), range(5), free=1)
    for second in range(5, 400, 5):
        box.turn(second, [gpu(second), gpu(second, 1)], known=())
    page_text = exposition.page(statements(box)[-1], OWN, openmetrics=False).decode()
    assert 'gpu="2"' not in page_text
    assert "tokwatch_server_up" not in page_text


@given(st.text(min_size=1))
def test_no_label_can_break_out_of_its_quotes(name: str) -> None:
    statement = STATEMENT
    servers = tuple(structs.replace(each, model=name, address=name) for each in statement.hello.servers)
    gpus = tuple(replace(fact, key=f"{fact.key}{name}") for fact in statement.gpus)
    hostile = replace(statement, hello=structs.replace(statement.hello, servers=servers), gpus=gpus)
    for openmetrics, parse in ((False, text_families), (True, openmetrics_families)):
        found = samples(parse(exposition.page(hostile, OWN, openmetrics=openmetrics).decode()))
        labels = SERVER | {"server": clean_label(name), "model": clean_label(name)}
        assert value(found, "tokwatch_server_up", **labels) == 1
        assert all(each.startswith(("tokwatch_", "process_")) for each, _ in found)
