"""One agent's page is a page of each of its servers, and of its GPUs; what it reads is read from nobody else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from collectors.prometheus.agent_pages import AgentPages, agent_gpus, tells_of
from collectors.prometheus.host_pages import read_names
from collectors.prometheus.host_readings import HostReader, HostReadings
from collectors.prometheus.scraped_pages import PageMaker, Target
from collectors.readings import FlowReading, Histogram, Layer, Moves, Reason
from tests.feeds.prometheus_host.agent import AGENT, SGLANG, SGLANG_TOKENS_S, VLLM, agent_page
from tests.feeds.prometheus_host.host import METER, SERVER, TOKENS_S, WATTS, engine_page, gpu_page
from tests.scraped import Scrape, answers, samples


class Host:
    """Answers of a Prometheus about h7, read one after another."""

    def __init__(self) -> None:
        self._maker = PageMaker()
        self._agents = AgentPages()
        self._reader = HostReader("h7", "prom:9090")

    def read(self, *scrapes: Scrape, now_s: float | None = None) -> HostReadings:
        """What is new with one answer; now_s: when the last of it was scraped, unless told otherwise."""
        pages = self._agents.apart(self._maker.pages(*answers(samples(scrapes))))
        now_s = max(scrape.at_s for scrape in scrapes) if now_s is None else now_s
        return self._reader.read(pages, round(now_s * 1000))


def agent_at(at_s: float, **page: object) -> Scrape:
    return Scrape(AGENT, at_s, agent_page(at_s, **page))  # type: ignore[arg-type]


def states(told: HostReadings) -> list[tuple[str, str, bool]]:
    return sorted((server.server.address, server.server.engine, server.ok) for server in told.servers)


# --- servers ----------------------------------------------------------------------------------------------------------


def test_each_server_is_read_under_its_own_address_and_engine() -> None:
    told = Host().read(agent_at(100))
    sglang, vllm = sorted(told.servers, key=lambda server: server.server.engine)
    assert [server.server.address for server in (sglang, vllm)] == [SGLANG, VLLM]
    assert (vllm.ok, vllm.running, vllm.waiting, vllm.kv_usage, vllm.moves) == (True, 8, 0, 0.25, Moves.LIVE)
    tokens = TOKENS_S * 100
    assert vllm.flows == (
        FlowReading(
            "Qwen3-32B",
            prompt_tokens=4 * tokens,
            cached_tokens=tokens,
            output_tokens=tokens,
            finished=tokens // 100,
            failed=3,
            aborted=2,
        ),
    )
    assert [flow.output_tokens for flow in sglang.flows] == [SGLANG_TOKENS_S * 100]
    assert vllm.at_ns == sglang.at_ns == 100_000_000_000


def test_a_server_is_somewhere_on_the_host_and_what_has_no_histogram_is_told() -> None:
    told = Host().read(Scrape({**AGENT, "pod": "tokwatch-x", "namespace": "gpu"}, 100, agent_page(100)))
    assert {(facts.anywhere, facts.pod, facts.metrics_url) for facts in told.known_servers} == {(True, "", None)}
    assert ("ttft", "time to first token and its SLO") in told.servers[0].missing


def test_a_server_has_the_latencies_that_its_agent_tells_and_says_which_its_engine_has_not() -> None:
    labels = f'server="{VLLM}",engine="vllm",model="Qwen3-32B"'
    name = "tokwatch_time_to_first_token_seconds"
    lines = [f'{name}_bucket{{{labels},le="{edge}"}} {count}' for edge, count in (("0.1", 2), ("1.0", 7), ("+Inf", 9))]
    page = (
        agent_page(100) + "\n".join([*lines, f"{name}_sum{{{labels}}} 4.5", f"{name}_count{{{labels}}} 9\n"]).encode()
    )
    told = Host().read(Scrape(AGENT, 100, page.replace(b'engine="sglang"', b'engine="llama.cpp"')))
    llama, vllm = sorted(told.servers, key=lambda server: server.server.engine)
    assert vllm.flows[0].histograms == (("ttft", Histogram((0.1, 1.0), (2, 7, 9), 4.5)),)
    assert llama.flows[0].histograms == ()
    assert dict(llama.missing)["ttft"] == "all latencies and their SLOs: llama-server has no histograms"


def test_a_router_stands_where_its_engine_says_and_on_no_gpu() -> None:
    page = agent_page(100).replace(b'engine="sglang"', b'engine="sglang-router"')
    routers = [server for server in Host().read(Scrape(AGENT, 100, page)).servers if server.server.address == SGLANG]
    assert [(router.layer, router.server.anywhere) for router in routers] == [(Layer.ROUTER, False)]


def test_a_server_that_the_agent_cannot_read_is_told_in_words() -> None:
    told = Host().read(agent_at(100, up=False))
    assert states(told) == [(SGLANG, "sglang", False), (VLLM, "vllm", False)]
    assert f"{VLLM}: its tokwatch agent h7:9476 cannot read its page" in [server.problem for server in told.servers]
    assert all(gpu.problem is None for gpu in told.gpus)


def test_an_agent_that_could_not_be_scraped_takes_its_servers_and_gpus_with_it() -> None:
    host = Host()
    host.read(agent_at(100))
    told = host.read(Scrape(AGENT, 115, None))
    assert states(told) == [(SGLANG, "sglang", False), (VLLM, "vllm", False)]
    words = "the scrape of its tokwatch agent h7:9476 by prom:9090 failed (up is 0)"
    assert {server.problem for server in told.servers} == {f"{SGLANG}: {words}", f"{VLLM}: {words}"}
    assert {gpu.problem for gpu in told.gpus} == {Reason.STALE}
    assert states(host.read(agent_at(130))) == [(SGLANG, "sglang", True), (VLLM, "vllm", True)]


def test_a_server_that_is_gone_from_the_page_is_stale_and_then_forgotten() -> None:
    host = Host()
    host.read(agent_at(100))
    for at_s in range(115, 190, 15):
        told = host.read(agent_at(at_s, servers=(VLLM,)))
    assert states(told) == [(SGLANG, "sglang", False), (VLLM, "vllm", True)]
    told = host.read(agent_at(701, servers=(VLLM,)))
    assert states(told) == [(VLLM, "vllm", True)]


def test_sources_say_who_tells() -> None:
    probes = {probe.name: probe.found for probe in Host().read(agent_at(100)).probes}
    assert probes == {
        "exporter h7:9476": "tokwatch agent: 2 GPUs, by prom:9090, job tokwatch",
        f"server {VLLM}": "vllm, told by the tokwatch agent h7:9476, by prom:9090, job tokwatch",
        f"server {SGLANG}": "sglang, told by the tokwatch agent h7:9476, by prom:9090, job tokwatch",
    }


# --- GPUs -------------------------------------------------------------------------------------------------------------


def test_a_gpu_has_its_counter_its_gauges_and_the_facts_of_its_info() -> None:
    gpu = Host().read(agent_at(100)).gpus[0]
    assert (gpu.power_w, gpu.energy_mj, gpu.energy_estimated) == (WATTS, WATTS * 100 * 1000, False)
    assert (gpu.utilization, gpu.memory_used_bytes, gpu.temperature_c) == (0.9, 70_000 << 20, 60)
    facts = gpu.facts
    assert (facts.index, facts.uuid, facts.name, facts.memory_total_bytes) == (0, "GPU-0", "H100", 81_920 << 20)
    assert (facts.driver_version, facts.kind, facts.power_scope, facts.meter) == ("575.1", "gpu", "module", "agent")


def test_without_its_info_a_gpu_is_a_gpu() -> None:
    page = b"".join(line for line in agent_page(1).splitlines(keepends=True) if b"_info" not in line)
    [gpu, _] = Host().read(Scrape(AGENT, 1, page)).gpus
    assert (gpu.facts.kind, gpu.facts.power_scope, gpu.facts.driver_version) == ("gpu", "gpu", None)


def test_other_pages_have_no_gpus_of_an_agent() -> None:
    pages = PageMaker().pages(*answers(samples([Scrape(METER, 1, gpu_page(1))])))
    assert agent_gpus(pages[0].metrics, 0) == ()


# --- once -------------------------------------------------------------------------------------------------------------


def of_host(*order: Scrape) -> list[tuple[str, str, bool]]:
    return states(Host().read(*order))


def test_a_servers_own_page_is_left_out_where_an_agent_of_its_host_reads_it() -> None:
    vllm, agent = Scrape(SERVER, 100, engine_page(100)), agent_at(107)
    assert of_host(vllm, agent) == [(SGLANG, "sglang", True), (VLLM, "vllm", True)]
    assert of_host(vllm) == [("h7:8000", "vllm", True)]


def test_it_stays_out_while_the_agent_is_silent() -> None:
    """The agent's counters go on meanwhile: read beside them, its page would count that time twice."""
    host = Host()
    host.read(Scrape(SERVER, 100, engine_page(100)), agent_at(107))
    told = host.read(Scrape(SERVER, 115, engine_page(115)), Scrape(AGENT, 122, None))
    assert states(told) == [(SGLANG, "sglang", False), (VLLM, "vllm", False)]


def test_a_page_that_was_read_before_the_agent_told_of_its_server_leaves_no_stale_row() -> None:
    host = Host()
    assert states(host.read(Scrape(SERVER, 100, engine_page(100)))) == [("h7:8000", "vllm", True)]
    host.read(agent_at(115))
    told = host.read(agent_at(190), now_s=190)
    assert ("h7:8000", "vllm", False) not in states(told)
    assert {facts.address for facts in told.known_servers} == {SGLANG, VLLM}


@pytest.mark.parametrize(
    ("told", "page", "same"),
    [
        ("127.0.0.1:8000", {"instance": "h7:8000"}, True),
        ("[::1]:8000", {"instance": "10.0.0.7:8000"}, True),
        ("10.0.0.7:8000", {"instance": "10.0.0.7:8000"}, True),
        ("10.0.0.7:8000", {"instance": "10.0.0.7:8000", "pod": "vllm-0"}, True),
        ("127.0.0.1:8000", {"instance": "h7:8001"}, False),
        ("172.17.0.2:8000", {"instance": "h7:8000"}, False),
        ("127.0.0.1:8000", {"instance": "10.1.0.9:8000", "pod": "vllm-0"}, False),
    ],
)
def test_which_page_is_the_one_that_an_agent_reads(told: str, page: dict[str, str], same: bool) -> None:
    parts = [Target((("instance", "h7:9476"),), told, "vllm")]
    assert tells_of(parts, Target(tuple(page.items()))) is same
    assert not tells_of(parts, parts[0])


def test_an_exporters_page_goes_on_and_an_agents_servers_are_bounded() -> None:
    lines = [f'tokwatch_server_up{{server="10.0.0.{n % 250}:{n}",engine="x"}} 1' for n in range(1000)]
    told = apart([Scrape(AGENT, 1, "\n".join([*lines, ""]).encode()), Scrape(METER, 2, gpu_page(2))])
    assert sum(bool(target.server) for target in told) == 256
    assert [target.address for target in told if not target.server] == ["h7:9476", "h7:9400"]


def apart(scrapes: Sequence[Scrape]) -> list[Target]:
    return [page.target for page in AgentPages().apart(PageMaker().pages(*answers(samples(scrapes))))]


def test_the_names_of_an_agent_are_asked_for() -> None:
    names = {"tokwatch_gpu_power_watts", "tokwatch_server_up", "tokwatch_output_tokens_total", "tokwatch_gpu_info"}
    assert read_names({*names, "tokwatch_cost_dollars_total", "node_load1"}) == names
