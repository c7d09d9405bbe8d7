"""The same questions to a real Prometheus and a real VictoriaMetrics, and their log-ins."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from collectors.credential import Credential, Origin
from collectors.prometheus.client import PrometheusClient, QueryError
from collectors.prometheus.target import PrometheusTarget
from collectors.scrape_error import Failure
from tests import prometheus_servers as servers

TLS = Path(__file__).parents[1] / "tls"
PASSWORD = "correct horse"
HASHED = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"  # of it, by bcrypt at its lowest cost


@asynccontextmanager
async def client_of(target: PrometheusTarget) -> AsyncIterator[PrometheusClient]:
    client = PrometheusClient(target)
    try:
        yield client
    finally:
        await client.close()


ENGINES = {"prometheus": servers.prometheus, "victoria-metrics": servers.victoria_metrics}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, servers.Server]]:
    """Those that are installed, under a path prefix, with a few samples of one target: another Prometheus' own page."""
    with ExitStack() as stack:
        page = stack.enter_context(servers.prometheus(tmp_path_factory.mktemp("scraped")))
        jobs = [servers.pages("self", page.url.removeprefix("http://"), labels={"host": "a"})]
        started = {
            name: stack.enter_context(start(tmp_path_factory.mktemp(name), jobs, interval_s=0.5, prefix="/a/prefix"))
            for name, start in ENGINES.items()
            if not servers.missing(name)
        }
        for server in started.values():
            servers.wait_for_samples(server, "count_over_time(up[1m]) > 3")
        yield started


@pytest.fixture(params=ENGINES)
def server(request: pytest.FixtureRequest) -> servers.Server:
    if words := servers.missing("prometheus", request.param):
        pytest.skip(words)
    started: dict[str, servers.Server] = request.getfixturevalue("running")
    return started[request.param]


async def test_the_latest_sample_comes_with_its_labels_and_age(server: servers.Server) -> None:
    async with client_of(PrometheusTarget(server.url)) as client:
        up, age = await client.instant("up"), await client.instant("time() - timestamp(up)")
    (labels,) = up.labels
    assert (labels["job"], labels["host"], up.values) == ("self", "a", (1.0,))
    assert up.at_s == pytest.approx(time.time(), abs=10)
    assert 0 <= age.values[0] < 10
    assert (up.warnings, up.bytes > 50, up.took_s > 0) == ((), True, True)


async def test_a_range_and_raw_samples_tell_when_each_was(server: servers.Server) -> None:
    now_s = math.floor(time.time())
    async with client_of(PrometheusTarget(server.url)) as client:
        ranged = await client.range("up", now_s - 1, now_s, 0.5)
        raw = await client.samples("up[1m]", time.time())
    assert set(ranged.times_s[0]) <= {now_s - 1, now_s - 0.5, now_s}
    assert len(raw.values[0]) > 3
    assert raw.labels[0] is ranged.labels[0]


async def test_numbers_that_are_none_come_too(server: servers.Server) -> None:
    async with client_of(PrometheusTarget(server.url)) as client:
        infinite = await client.instant("up / 0")
        scalar = await client.instant("scalar(up) + 1")
    assert infinite.values == (math.inf,)
    assert scalar.values == (2.0,)


async def test_label_values_tell_which_metrics_are_there(server: servers.Server) -> None:
    async with client_of(PrometheusTarget(server.url)) as client:
        names = await client.label_values("__name__", ['{__name__=~"up|process_start_time_seconds"}'])
        hosts = await client.label_values("host", ["up"], start_s=time.time() - 600, end_s=time.time())
    assert names == ("process_start_time_seconds", "up")
    assert hosts == ("a",)


async def test_the_scrape_interval_is_found(server: servers.Server) -> None:
    async with client_of(PrometheusTarget(server.url)) as client:
        assert await client.scrape_interval_s("self") == 0.5


async def test_a_query_that_is_wrong_is_refused_in_the_servers_words(server: servers.Server) -> None:
    async with client_of(PrometheusTarget(server.url)) as client:
        with pytest.raises(QueryError, match=r"refuses the query \(HTTP 4\d\d: .*(unclosed|sum)") as raised:
            await client.instant("sum(")
    assert raised.value.failure is Failure.REFUSED


async def test_without_the_prefix_it_is_told_that_one_is_missing(server: servers.Server) -> None:
    async with client_of(PrometheusTarget(server.url.removesuffix("/a/prefix"))) as client:
        with pytest.raises(QueryError, match=r"prefix|Prometheus\?"):
            await client.instant("up")


async def test_many_queries_at_once_are_all_answered(server: servers.Server) -> None:
    async with client_of(PrometheusTarget(server.url)) as client:
        found = await asyncio.gather(*(client.instant(f"up + {i}") for i in range(30)))
    assert [answer.values for answer in found] == [(1.0 + i,) for i in range(30)]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """TLS, and one user."""
    web = {
        "tls_server_config": {"cert_file": str(TLS / "server.pem"), "key_file": str(TLS / "server.pem")},
        "basic_auth_users": {"ada": HASHED},
    }
    with servers.prometheus(tmp_path_factory.mktemp("guarded"), web_config=web, login=("ada", PASSWORD)) as server:
        yield server


def guarded_by(url: str, password: Path, ca_file: Path | None = TLS / "server.pem") -> PrometheusTarget:
    credential = Credential(Origin.of(url), "basic", "ada", file=password, ca_file=ca_file)
    return PrometheusTarget(url, credential=credential)


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    return file


@pytest.fixture
def wrong_password(tmp_path: Path) -> Path:
    file = tmp_path / "wrong"
    file.write_text("wrong staple")
    return file


async def test_tls_and_a_password_let_in(guarded: servers.Server, password: Path) -> None:
    async with client_of(guarded_by(guarded.url, password)) as client:
        assert (await client.instant("1 + 1")).values == (2.0,)


async def test_a_wrong_password_is_told_and_not_repeated(guarded: servers.Server, wrong_password: Path) -> None:
    async with client_of(guarded_by(guarded.url, wrong_password)) as client:
        with pytest.raises(QueryError, match="wants a log-in") as raised:
            await client.instant("1")
    assert raised.value.failure is Failure.LOGIN
    assert "staple" not in str(raised.value)


@pytest.mark.parametrize("ca_file", [None, TLS / "another_ca.pem"])
async def test_a_certificate_of_nobody_we_trust_ends_it(
    guarded: servers.Server, password: Path, ca_file: Path | None
) -> None:
    async with client_of(guarded_by(guarded.url, password, ca_file)) as client:
        with pytest.raises(QueryError, match=r"TLS failed \(self-signed certificate\): set ca_file") as raised:
            await client.instant("1")
    assert raised.value.failure is Failure.TLS


async def test_insecure_asks_whoever_answers(guarded: servers.Server, password: Path) -> None:
    credential = Credential(Origin.of(guarded.url), "basic", "ada", file=password)
    async with client_of(PrometheusTarget(guarded.url, credential=credential, insecure=True)) as client:
        assert (await client.instant("1")).values == (1.0,)
        assert client.notices != ()


async def test_plain_http_to_a_tls_port_is_told_in_the_servers_words(guarded: servers.Server) -> None:
    async with client_of(PrometheusTarget(guarded.url.replace("https:", "http:"))) as client:
        with pytest.raises(QueryError, match="HTTP request to an HTTPS server"):
            await client.instant("1")


async def test_a_client_certificate_lets_in_where_one_is_asked_for(tmp_path: Path) -> None:
    pem = TLS / "server.pem"  # its own CA, so it signs for clients too
    web = {
        "tls_server_config": {
            "cert_file": str(pem),
            "key_file": str(pem),
            "client_auth_type": "RequireAnyClientCert",
        }
    }
    missing_key = TLS / "another_ca.pem"
    with servers.prometheus(tmp_path / "server", web_config=web, client_certificate=pem) as server:
        trusting = Credential(Origin.of(server.url), ca_file=pem)
        async with client_of(PrometheusTarget(server.url, credential=trusting, cert_file=pem)) as client:
            assert (await client.instant("1")).values == (1.0,)
        async with client_of(PrometheusTarget(server.url, credential=trusting)) as client:
            with pytest.raises(QueryError, match=r"TLS failed|closed the connection"):
                await client.instant("1")
        async with client_of(PrometheusTarget(server.url, credential=trusting, cert_file=missing_key)) as client:
            with pytest.raises(QueryError, match=r"another_ca\.pem: no certificate with its own key"):
                await client.instant("1")
