"""Agents on two boxes, scraped by a real Prometheus and a real VictoriaMetrics: what they counted is what is shown.

Beside the agent of alpha its server's own page and a dcgm-exporter of its GPUs are scraped too, and counted once.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.target import PrometheusTarget
from tests.commands.box import CommandBox
from tests.prometheus_servers import Server, missing, needed, pages, prometheus, query, victoria_metrics
from tests.real.processes import free_port, wait_until
from tokwatch.feeds.fleet.prometheus import PrometheusSource
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.tally import FleetTally
from tokwatch.ledger.snapshot import Snapshot

SCRAPE_S = 1.0
LATE_S = SCRAPE_S + 0.5  # how old a sample can be: a scrape, and an agent's tick before it
FOUND_S = 1.0  # until VictoriaMetrics can find what it has taken in
TOKENS_S = 200  # of each server
POWER_W = {"alpha": (512, 120), "beta": (433, 97)}
_MODEL = "Qwen/Qwen3-32B"
_GPU = """
gpu NVIDIA H100 80GB HBM3
uuid GPU-{host}-{index}
power_w {power_w}
memory_used_mib {memory_mib}
utilization_percent {utilization}
"""

pytestmark = pytest.mark.slow


@dataclass
class Pages:
    """A vLLM at work, at /metrics, and an exporter of alpha's GPUs that tells other watts, at /dcgm."""

    begun_s: float = field(default_factory=time.monotonic)
    address: str = ""

    def body(self, path: str) -> str:
        tokens = int((time.monotonic() - self.begun_s) * TOKENS_S)
        if path == "/dcgm":
            return "".join(_dcgm(f"GPU-alpha-{index}", index, tokens) for index in (0, 1))
        labels = f'engine="0",model_name="{_MODEL}"'
        return (
            f"vllm:num_requests_running{{{labels}}} 3\nvllm:num_requests_waiting{{{labels}}} 1\n"
            f"vllm:prompt_tokens_total{{{labels}}} {2 * tokens}\nvllm:generation_tokens_total{{{labels}}} {tokens}\n"
            + "".join(
                f'vllm:time_to_first_token_seconds_bucket{{{labels},le="{edge}"}} {count}\n'
                for edge, count in (("0.25", 0), ("0.5", tokens), ("+Inf", tokens))
            )
            + f"vllm:time_to_first_token_seconds_sum{{{labels}}} {0.4 * tokens}\n"
        )


def _dcgm(uuid: str, index: int, seconds: int) -> str:
    labels = f'gpu="{index}",UUID="{uuid}",modelName="NVIDIA H100 80GB HBM3"'
    return (
        f"DCGM_FI_DEV_POWER_USAGE{{{labels}}} 700\nDCGM_FI_DEV_GPU_UTIL{{{labels}}} 100\n"
        f"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{{labels}}} {700_000 * seconds}\nDCGM_FI_DEV_FB_USED{{{labels}}} 9\n"
    )


@contextmanager
def served(told: Pages) -> Iterator[Pages]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = told.body(self.path).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        told.address = f"127.0.0.1:{server.server_address[1]}"
        yield told
        server.shutdown()


@dataclass(frozen=True, slots=True)
class Scraped:
    """A box whose agent is scraped."""

    host: str
    box: CommandBox
    address: str
    agent: subprocess.Popen[str]

    def page(self) -> Mapping[str, float]:
        """Sums of the agent's page by name."""
        text = urllib.request.urlopen(f"http://{self.address}/metrics", timeout=10).read().decode()
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0.0) + sample.value
        return found

    def snapshot(self) -> Snapshot:
        """What `once` reads of the agent's own store."""
        ended = self.box.run(self.box.command("once", "--json"))
        return msgspec.json.decode(ended.stdout, type=Snapshot)


@contextmanager
def agent_on(folder: Path, host: str, server: str) -> Iterator[Scraped]:
    folder.mkdir()
    busy, idle = POWER_W[host]
    gpus = ((busy, 70_000, 90), (idle, 4, 0))
    box = CommandBox(
        folder,
        "".join(
            _GPU.format(host=host, index=index, power_w=power_w, memory_mib=memory_mib, utilization=utilization)
            for index, (power_w, memory_mib, utilization) in enumerate(gpus)
        ),
    )
    address = f"127.0.0.1:{free_port()}"
    box.config.write_text(
        f'interval_s = 0.25\ndiscover = false\nhost = "{host}"\n[agent]\nlisten = "{address}"\n'
        f'[[servers]]\nurl = "http://{server}/metrics"\ngpus = [0]\nengine = "vllm"\n'
    )
    process = box.start(box.command("agent", "--listen"))
    try:
        yield Scraped(host, box, address, process)
    finally:
        process.kill()
        process.communicate(timeout=30)


@dataclass(frozen=True, slots=True)
class Fleet:
    boxes: Mapping[str, Scraped]
    servers: Mapping[str, Server]

    def source(self, kind: str) -> PrometheusSource:
        return PrometheusSource(PrometheusClient(PrometheusTarget(self.servers[kind].url)))


KINDS: Mapping[str, Callable[..., AbstractContextManager[Server]]] = {
    "prometheus": prometheus,
    "victoria-metrics": victoria_metrics,
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Both servers read what the boxes themselves list for them, and alpha's exporter."""
    if words := missing(*KINDS):
        pytest.skip(words)
    folder = tmp_path_factory.mktemp("scraped")
    with ExitStack() as stack:
        told = stack.enter_context(served(Pages()))
        boxes = {host: stack.enter_context(agent_on(folder / host, host, told.address)) for host in POWER_W}
        for scraped in boxes.values():
            wait_until(lambda scraped=scraped: _listens(scraped), f"{scraped.host} listens", within_s=20)  # type: ignore[misc]
        listed = {host: json.loads(each.box.run(each.box.command("targets")).stdout) for host, each in boxes.items()}
        agents = [group for groups in listed.values() for group in groups if group["labels"]["job"] == "tokwatch"]
        engine = [group for group in listed["alpha"] if group["labels"]["job"] == "vllm"]
        configs = [
            {"job_name": "listed", "static_configs": [*agents, *engine]},
            pages("dcgm", told.address, path="/dcgm", labels={"host": "alpha"}),
        ]
        servers = {
            kind: stack.enter_context(server_of(folder / kind, configs, interval_s=SCRAPE_S))
            for kind, server_of in KINDS.items()
        }
        for server in servers.values():
            _wait_for(server, "count_over_time(tokwatch_output_tokens_total[1m]) >= 5", 2)
        yield Fleet(boxes, servers)


def _listens(scraped: Scraped) -> bool:
    try:
        return bool(scraped.page())
    except OSError:  # not yet, or 503 until something was counted
        return False


def _wait_for(server: Server, text: str, series: int) -> None:
    wait_until(lambda: len(query(server, text)) == series, f"{server.url} answers {text}", within_s=20)


async def asked(fleet: Fleet, kind: str) -> FleetTally:
    source = fleet.source(kind)
    try:
        return await source.now()
    finally:
        await source.close()


def states_of(snapshot: Snapshot) -> tuple[tuple[int, int], ...]:
    """As a tally has them."""
    return tuple(sorted(Counter(State[gpu.state.upper()].value for gpu in snapshot.gpus).items()))


def test_promtool_finds_nothing_wrong_with_a_page_that_is_scraped(fleet: Fleet) -> None:
    page = urllib.request.urlopen(f"http://{fleet.boxes['beta'].address}/metrics", timeout=10).read()
    checked = subprocess.run(
        [needed("promtool"), "check", "metrics"], input=page, capture_output=True, timeout=30, check=False
    )
    assert (checked.returncode, checked.stderr + checked.stdout) == (0, b"")


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_has_the_counters_of_the_agents_own_page(fleet: Fleet, kind: str) -> None:
    for host, scraped in fleet.boxes.items():
        before = scraped.page()
        told = {
            name: sum(float(each["value"][1]) for each in query(fleet.servers[kind], f'{name}{{host="{host}"}}'))
            for name in ("tokwatch_gpu_energy_joules_total", "tokwatch_output_tokens_total")
        }
        after = scraped.page()
        for name, per_s in zip(told, (sum(POWER_W[host]), TOKENS_S), strict=True):
            assert before[name] - per_s * (LATE_S + FOUND_S) <= told[name] <= after[name]


@pytest.mark.parametrize("kind", KINDS)
async def test_hosts_gpus_states_watts_and_requests_are_what_each_agent_says_itself(fleet: Fleet, kind: str) -> None:
    tally = await asked(fleet, kind)
    assert [host.host for host in tally.hosts] == ["alpha", "beta"]
    for host in tally.hosts:
        own = fleet.boxes[host.host].snapshot()
        assert (host.up, host.problem, host.gpus) == (True, "", len(own.gpus))
        assert host.gpu_model == own.gpus[0].name
        assert host.states == states_of(own) == ((State.SERVING, 1), (State.UNALLOCATED, 1))
        assert host.power_w == own.totals.power_w.value == sum(POWER_W[host.host])
        assert host.power_gpus == 2
        assert [(flow.model, flow.engine, flow.servers) for flow in host.flows] == [(_MODEL, "vllm", 1)]
        assert [(server.running, server.waiting) for server in own.servers] == [
            (flow.running, flow.waiting) for flow in host.flows
        ]


@pytest.mark.parametrize("kind", KINDS)
async def test_joules_and_tokens_are_what_was_counted_within_one_scrape(fleet: Fleet, kind: str) -> None:
    tally = await asked(fleet, kind)
    for host in tally.hosts:
        (flow,) = host.flows
        length_s, power_w = host.length_ms / 1000, sum(POWER_W[host.host])
        assert length_s >= 4
        assert host.energy_mj == pytest.approx(1000 * power_w * length_s, abs=1000 * power_w * LATE_S)
        assert flow.output_tokens == pytest.approx(TOKENS_S * length_s, abs=TOKENS_S * LATE_S)
        assert flow.prompt_tokens == pytest.approx(2 * TOKENS_S * length_s, abs=2 * TOKENS_S * LATE_S)


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_finds_the_quantile_of_a_time_to_first_token_in_an_agents_buckets(fleet: Fleet, kind: str) -> None:
    """A request a token, all of them in the bucket up to half a second."""
    buckets = "sum by(host,le) (tokwatch_time_to_first_token_seconds_bucket)"
    told = query(fleet.servers[kind], f"histogram_quantile(0.5, {buckets})")
    assert {each["metric"]["host"]: float(each["value"][1]) for each in told} == {"alpha": 0.375, "beta": 0.375}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_else_tells_of_alpha_is_there_and_counts_nothing_twice(fleet: Fleet, kind: str) -> None:
    exporter = query(fleet.servers[kind], 'sum(DCGM_FI_DEV_POWER_USAGE{host="alpha"})')
    assert float(exporter[0]["value"][1]) == 1400
    assert len(query(fleet.servers[kind], 'vllm:generation_tokens_total{host="alpha"}')) == 1
    tally = await asked(fleet, kind)
    alpha = tally.hosts[0]
    assert (alpha.gpus, alpha.power_w, alpha.memory_used_mib) == (2, sum(POWER_W["alpha"]), 70_004)
    assert [flow.running for flow in alpha.flows] == [3]
    assert "read by tokwatch, dcgm-exporter, vllm" in tally.notes[0].found


async def test_an_agent_that_dies_is_told_within_three_scrapes(fleet: Fleet) -> None:
    """The last of them: it takes both agents away. Of alpha the exporter and the server's own page go on."""
    sources = {kind: fleet.source(kind) for kind in KINDS}
    for source in sources.values():
        await source.now()
    for scraped in fleet.boxes.values():
        scraped.agent.kill()
    died_s = time.monotonic()
    for kind, source in sources.items():
        await asyncio.to_thread(_wait_for, fleet.servers[kind], 'up{job="tokwatch"} == 0', 2)
        assert time.monotonic() - died_s < 3 * SCRAPE_S
        alpha, beta = (await source.now()).hosts
        await source.close()
        assert (beta.host, beta.up, beta.power_w, beta.gpus) == ("beta", False, None, 2)
        assert beta.problem.startswith(f"{fleet.boxes['beta'].address} (tokwatch): not scraped (up is 0) for ")
        assert (alpha.host, alpha.up) == ("alpha", True)
        address = fleet.boxes["alpha"].address
        assert alpha.problem == f"{address} (tokwatch): not scraped (up is 0); the rest of the host answers"
        assert alpha.power_w == 1400  # what the exporter says, now that nobody knows better
