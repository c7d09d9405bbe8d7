"""Two clusters behind one server, whose hosts have the same names: each is told, and looked into, by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from collectors.labels import REPLACEMENT
from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.identity import HostIdentity
from collectors.prometheus.target import PrometheusTarget
from tests.feeds.fleet.prometheus_past import (
    AT_S,
    BEGUN_S,
    ENGINES,
    Past,
    counting,
    past_server,
    until,
)
from tokwatch.cli import make_parser
from tokwatch.config.prometheus import PrometheusSection
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.fleet.prometheus import PrometheusSource
from tokwatch.feeds.fleet.prometheus_equal_names import EqualNames
from tokwatch.feeds.prometheus_host.finding import pages_of
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.tally import FleetTally, HostKey, HostTally
from tokwatch.ledger.prices.book import PriceBook

WINDOW = 60


def gpus(past: Past, host: str, cluster: str, watts: float, *, silent: bool = False) -> None:
    """The same GPUs, job and address in each cluster, as a machine image and a scrape configuration make them."""
    told = {"job": "dcgm", "instance": f"{host}:9400", "cluster": cluster}
    last_s = AT_S - BEGUN_S - 600
    past.series("up", told, until(last_s, 1, then=0) if silent else 1)
    told |= {"gpu": "0", "UUID": "GPU-0", "modelName": f"NVIDIA {cluster}", "Hostname": host}
    past.series("DCGM_FI_DEV_POWER_USAGE", told, until(last_s, watts) if silent else watts)
    past.series("DCGM_FI_DEV_GPU_UTIL", told, until(last_s, 0) if silent else 0)


def server(past: Past, host: str, cluster: str, tok_s: float, waiting: int) -> None:
    told = {"job": "vllm", "instance": f"{host}:8000", "cluster": cluster}
    past.series("up", told, 1)
    told |= {"engine": "0", "model_name": "Qwen"}
    past.series("vllm:generation_tokens_total", told, counting(tok_s))
    past.series("vllm:num_requests_running", told, 5 if tok_s else 0)
    past.series("vllm:num_requests_waiting", told, waiting)


def two_clusters() -> Past:
    past = Past()
    for cluster, watts, tok_s in (("a", 300.0, 100.0), ("b", 500.0, 0.0)):
        gpus(past, "gpu-01", cluster, watts)
        server(past, "gpu-01", cluster, tok_s, waiting=3 if tok_s else 0)
    gpus(past, "gpu-02", "a", 400, silent=True)
    gpus(past, "gpu-02", "b", 400)
    gpus(past, "only", "a", 200)
    return past


@pytest.fixture(scope="module", params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with past_server(request.param, tmp_path_factory.mktemp(request.param), two_clusters()) as url:
        yield url


@pytest.fixture
async def source(url: str) -> AsyncIterator[PrometheusSource]:
    source = PrometheusSource(PrometheusClient(PrometheusTarget(url)), within='job!=""')
    yield source
    await source.close()


@pytest.fixture
async def tally(source: PrometheusSource) -> FleetTally:
    return await source.at(AT_S * 1000)


def host(tally: FleetTally, name: str, cluster: str) -> HostTally:
    return next(each for each in tally.hosts if each.key == HostKey(name, "", cluster))


async def test_hosts_of_one_name_are_told_apart(tally: FleetTally) -> None:
    assert [each.key for each in tally.hosts] == [
        ("gpu-01", "", "a"), ("gpu-01", "", "b"), ("gpu-02", "", "a"), ("gpu-02", "", "b"), ("only", "", "a"),
    ]  # fmt: skip
    one, other = host(tally, "gpu-01", "a"), host(tally, "gpu-01", "b")
    assert (one.power_w, one.gpus, one.gpu_model) == (300.0, 1, "NVIDIA a")
    assert (other.power_w, other.gpus, other.gpu_model) == (500.0, 1, "NVIDIA b")
    assert (one.flows[0].output_tokens, other.flows[0].output_tokens) == (100 * WINDOW, 0)


async def test_a_host_that_is_silent_in_one_cluster_answers_in_the_other(tally: FleetTally) -> None:
    silent, other = host(tally, "gpu-02", "a"), host(tally, "gpu-02", "b")
    assert (silent.up, other.up) == (False, True)
    assert abs(silent.t1_ms - (AT_S - 600) * 1000) <= 15_000
    assert other.problem == ""


async def test_only_the_replica_that_is_left_out_is_misrouted(tally: FleetTally) -> None:
    snapshot = fleet_snapshot(tally, PriceBook())
    (model,) = snapshot.models
    assert model.misrouted == ("gpu-01 (b)",)
    assert [row.label for row in snapshot.hosts if row.host != "gpu-02"] == ["gpu-01 (a)", "gpu-01 (b)", "only"]


async def test_the_sums_of_the_trend_are_of_all_of_them(tally: FleetTally) -> None:
    assert tally.trend[-1].power_w == 300 + 500 + 400 + 200


async def test_the_door_leads_to_the_host_in_its_cluster(source: PrometheusSource, tally: FleetTally) -> None:
    door = source.door(HostKey("gpu-01", "", "b"), None)
    assert door is not None
    assert door.argv[-2:] == ("--host=gpu-01", '--selector=job!="",cluster="b"')
    assert door.words.startswith("tokwatch of gpu-01 (b), through ")
    past = source.door(HostKey("gpu-01", "", "b"), AT_S * 1000)
    assert past is not None
    for way in (door, past):
        said = make_parser().parse_args(way.argv[3:])
        assert (said.host, said.selector) == ("gpu-01", 'job!="",cluster="b"')
    door = source.door(HostKey("only", "", "a"), None)
    assert door is not None
    assert door.argv[-2:] == ("--host=only", '--selector=job!=""')


@pytest.mark.parametrize(("cluster", "watts"), [("a", 300.0), ("b", 500.0)])
async def test_what_is_behind_the_door_is_that_host_alone(url: str, cluster: str, watts: float) -> None:
    client = PrometheusClient(PrometheusTarget(url))
    pages = pages_of(client, "gpu-01", PrometheusSection(selector=f'job!="",cluster="{cluster}"'))
    until_ms = AT_S * 1000
    assert await pages.look_around(until_ms - 600_000, until_ms)
    scraped = await pages.between(until_ms - 60_000, until_ms)
    await client.close()
    told = [
        value
        for page in scraped.pages
        for series, value in zip(page.metrics.series, page.metrics.values, strict=True)
        if series.name == "DCGM_FI_DEV_POWER_USAGE"
    ]
    assert set(told) == {watts}


async def test_a_host_whose_place_cannot_be_written_is_not_guessed() -> None:
    hosts = [HostTally("gpu-01", 0, 0, cluster=cluster) for cluster in ("a", f"b{REPLACEMENT}")]
    names = EqualNames(hosts, HostIdentity(region=(), cluster=("cluster",)))
    assert names.place_of(hosts[0].key) == 'cluster="a"'
    with pytest.raises(SourceError, match="cannot be asked for"):
        names.place_of(hosts[1].key)


async def test_a_place_that_is_not_told_is_asked_for_as_such() -> None:
    hosts = [HostTally("gpu-01", 0, 0, region=region) for region in ("", 'eu "west"')]
    names = EqualNames(hosts, HostIdentity())
    assert [names.place_of(host.key) for host in hosts] == [
        'region="",cluster=""', r'region="eu \"west\"",cluster=""',
    ]  # fmt: skip


async def test_that_names_stand_for_several_hosts_is_told(tally: FleetTally) -> None:
    assert [note.found for note in tally.notes if note.name == "equal names"] == [
        "2 names stand for several hosts each (gpu-01, gpu-02): told apart by cluster"
    ]
