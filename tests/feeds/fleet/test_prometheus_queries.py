"""Every table that tokwatch has makes queries that real servers accept; a new one is tested by being there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from collectors.meters import METERS
from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.dialects import AGENT_METER, AGENT_STATE, AGENT_VERSION, AGENT_VOCABULARY, dialects
from collectors.prometheus.identity import HostIdentity
from collectors.prometheus.server_roles import ROLE_LABELS
from collectors.prometheus.target import PrometheusTarget
from collectors.vocabularies import VOCABULARIES
from tests.prometheus_servers import Server, missing, prometheus, victoria_metrics
from tokwatch.feeds.fleet.prometheus_queries import Questions

_SERVERS: dict[str, Callable[..., AbstractContextManager[Server]]] = {
    "prometheus": prometheus,
    "victoria-metrics": victoria_metrics,
}
AGENT_NAMES = {name for sources in AGENT_METER.values.values() for source in sources for name in source.names}
TABLES: dict[str, frozenset[str]] = {
    **{
        meter.name: frozenset(n for sources in meter.values.values() for s in sources for n in s.names).union(
            meter.info, *meter.signs
        )
        for meter in METERS
    },
    **{
        each.engine: each.wanted.union(*each.signs)
        for each in VOCABULARIES
        if dialects(each.wanted.union(*each.signs)).found
    },
    "tokwatch": frozenset(AGENT_NAMES) | AGENT_VOCABULARY.wanted | {AGENT_STATE, AGENT_VERSION},
}


def questions(names: frozenset[str], *, apart: bool = False) -> Questions:
    usual = HostIdentity(apart=apart)  # nobody has all of its labels: of equal names some are looked at
    identity = usual.among({"host", "Hostname", "node", "region", "cluster"}) if apart else usual
    return Questions(dialects(names, 'env="prod"'), identity, ("a", "b"), 60, 15)


def queries(asked: Questions) -> Iterator[str]:
    yield from (query for group in asked.groups for query in group.queries)
    yield from asked.trend()
    yield asked.hosts.last_seen(["h1:9400", "[::1]:9400"])
    yield asked.hosts.counted
    yield asked.hosts.repeated(300)
    yield from (ask.text for ask in asked.hosts.young_lengths())


@pytest.fixture(scope="module", params=_SERVERS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if words := missing(request.param):
        pytest.skip(words)
    with _SERVERS[request.param](tmp_path_factory.mktemp("server")) as server:
        yield server.url


@pytest.fixture
async def client(url: str) -> AsyncIterator[PrometheusClient]:
    client = PrometheusClient(PrometheusTarget(url))
    yield client
    await client.close()


@pytest.mark.parametrize("table", TABLES)
async def test_a_server_accepts_every_query_of_a_table(client: PrometheusClient, table: str) -> None:
    asked = list(queries(questions(TABLES[table])))
    assert len(asked) >= 6
    for query in asked:
        await client.instant(query, 1_790_000_000)


async def test_a_fleet_of_several_of_everything_is_asked_within_the_limits(client: PrometheusClient) -> None:
    together = TABLES["tokwatch"] | TABLES["dcgm-exporter"] | TABLES["vllm"] | TABLES["sglang"] | TABLES["tensorrt-llm"]
    colons = {name.replace(":", "_") for name in together if ":" in name}
    as_written = {name for name in together if name not in colons and f"{name}_total" not in together}
    asked = [*queries(questions(frozenset(as_written))), *queries(questions(frozenset(as_written), apart=True))]
    assert max(map(len, asked)) <= 16_000  # of VictoriaMetrics, in bytes
    for query in asked:
        await client.instant(query, 1_790_000_000)


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("table", TABLES)
def test_every_query_of_a_table_is_short_enough_for_every_server(table: str, apart: bool) -> None:
    asked = replace(questions(TABLES[table], apart=apart), role_labels=ROLE_LABELS)
    longest = max(len(query.encode()) for query in queries(asked))
    assert longest <= 16_000  # of VictoriaMetrics


def test_the_configured_matchers_stand_in_every_selector() -> None:
    asked = questions(TABLES["vllm"] | TABLES["dcgm-exporter"] | TABLES["tokwatch"])
    series = re.compile(r"(?:\b(?:vllm[:_]|DCGM_|tokwatch_|up\b)[\w:]*|)(\{[^}]*\})?")
    for query in queries(asked):
        named = [match for match in series.finditer(re.sub(r'"(?:[^"\\]|\\.)*"', '""', query)) if match[0]]
        assert named
        assert all(match[1] and "env=" in match[1] for match in named)


def test_a_partition_of_a_board_does_not_speak_for_it() -> None:
    power = {ask.figure: ask.text for ask in questions(TABLES["AMD device-metrics-exporter"]).gpus.power()}
    assert 'gpu_gfx_activity{gpu_partition_id=~"|0"' in power["utilization_sum"]


def test_a_divided_boards_utilisation_is_not_that_of_a_slice() -> None:
    power = {ask.figure: ask.text for ask in questions(TABLES["dcgm-exporter"]).gpus.power()}
    assert 'DCGM_FI_DEV_GPU_UTIL{gpu_i_id=~"|NA|N/A",GPU_I_ID=~"|NA|N/A"' in power["utilization_sum"]
    assert 'DCGM_FI_DEV_POWER_USAGE{env="prod"}' in power["power_w"]


def test_energy_of_another_unit_comes_in_ours() -> None:
    energy = {ask.figure: ask.text for ask in questions(TABLES["AMD device-metrics-exporter"]).gpus.energy()}
    assert "*0.001" in energy["energy_mj"]


def test_intervals_between_tokens_are_asked_for_only_where_the_time_per_token_is_not_told() -> None:
    groups = {group.name for group in questions(TABLES["vllm"]).groups}
    assert "latencies (tpot)" in groups
    assert "latencies (itl)" not in groups
    assert "latencies (itl)" in {group.name for group in questions(TABLES["lmdeploy"]).groups}
