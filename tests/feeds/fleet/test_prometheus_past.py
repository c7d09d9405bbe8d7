"""The same past in a real Prometheus and in a real VictoriaMetrics: what the source makes of it, host by host.

AT is twenty minutes in, and lies on a scrape; the window is four scrapes of 15 s. All counters move evenly, so what a
window holds is known.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping

import pytest

from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.identity import HostIdentity
from collectors.prometheus.target import PrometheusTarget
from tests.feeds.fleet.prometheus_past import (
    AT_S,
    BEGUN_S,
    ENGINES,
    Past,
    Values,
    counting,
    past_server,
    until,
)
from tokwatch.feeds.fleet.prometheus import PrometheusSource
from tokwatch.ledger.entries import HistogramEntry, State
from tokwatch.ledger.fleet.tally import FleetTally, FlowTally, HostTally

AT = AT_S - BEGUN_S
WINDOW = 60


def dcgm(
    past: Past, host: str, gpu: int, *, utilization: float = 80, energy: Values | None = None, used_mib: float = 70_000,
    node: str = "", watts: float = 500, **labels: str,
) -> None:  # fmt: skip
    told = {
        "job": "dcgm",
        "instance": f"{host}:9400",
        "gpu": str(gpu),
        "UUID": f"GPU-{host}-{gpu}",
        "modelName": "NVIDIA H100",
        "Hostname": node or host,
        **labels,
    }
    past.series("DCGM_FI_DEV_POWER_USAGE", told, watts)
    past.series("DCGM_FI_DEV_GPU_UTIL", told, utilization)
    past.series("DCGM_FI_DEV_GPU_TEMP", told, 50 + gpu)
    past.series("DCGM_FI_DEV_FB_USED", told, used_mib)
    past.series("DCGM_FI_DEV_FB_FREE", told, 80_000 - used_mib)
    past.series("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", told, energy or counting(watts * 1000, from_=1e9))


def vllm(
    past: Past, host: str, model: str, *, output: Values | None = None, job: str = "vllm",
    edges: tuple[str, ...] = ("0.1", "0.5", "+Inf"),
) -> None:  # fmt: skip
    told = {"job": job, "instance": f"{host}:8000", "engine": "0", "model_name": model}
    past.series("vllm:num_requests_running", told, 3)
    past.series("vllm:num_requests_waiting", told, 1)
    past.series("vllm:kv_cache_usage_perc", told, 0.25)
    past.series("vllm:generation_tokens_total", told, output or counting(100, from_=5000))
    past.series("vllm:prompt_tokens_total", told, counting(300))
    past.series("vllm:prefix_cache_hits_total", told, counting(50))
    for reason in ("stop", "length", "abort", "error"):
        past.series("vllm:request_success_total", told | {"finished_reason": reason}, counting(0.2))
    for place, edge in enumerate(edges, 1):
        each = told | {"le": edge}
        past.series("vllm:time_to_first_token_seconds_bucket", each, counting(place * 2 if edge != "+Inf" else 8))
    past.series("vllm:time_to_first_token_seconds_sum", told, counting(1.5))


def pair(past: Past, engine: str, model: str, **halves: Mapping[str, str]) -> None:
    """Servers by host, with the labels that say which half each is."""
    for place, (host, labels) in enumerate(halves.items()):
        told = {"job": engine, "instance": f"{host}:9000", "model_name": model, **labels}
        past.series(f"{engine}:num_requests_running", told, 1)
        past.series(f"{engine}:num_running_reqs", told, 1)
        past.series(f"{engine}:prompt_tokens_total", told, counting(300))
        past.series(f"{engine}:generation_tokens_total", told, counting(100 if place else 2))
        dcgm(past, host, 0)


def agent(past: Past, host: str) -> None:
    page = {"job": "tokwatch", "instance": f"{host}:9476"}
    past.series("tokwatch_build_info", page | {"version": "1.2.3"}, 1)
    for gpu in range(2):
        told = page | {"gpu": str(gpu), "uuid": f"GPU-{host}-{gpu}", "model_name": "NVIDIA H100 PCIe"}
        past.series("tokwatch_gpu_power_watts", told, 350)
        past.series("tokwatch_gpu_energy_joules_total", told, counting(350))
        past.series("tokwatch_gpu_utilization_ratio", told, 0.0)
        past.series("tokwatch_gpu_state", told | {"state": "other_work"}, float(gpu == 0))
        past.series("tokwatch_gpu_state", told | {"state": "parked"}, float(gpu == 1))
    server = page | {"server": "127.0.0.1:8000", "engine": "vllm", "model": "agents-model"}
    past.series("tokwatch_output_tokens_total", server, counting(40))
    past.series("tokwatch_server_up", server, 1)
    past.series("tokwatch_requests_running", server, 2)
    for edge, per_s in (("0.1", 1), ("0.5", 3), ("+Inf", 4)):
        past.series("tokwatch_time_to_first_token_seconds_bucket", server | {"le": edge}, counting(per_s))
    past.series("tokwatch_time_to_first_token_seconds_sum", server, counting(0.5))


def everything() -> Past:
    past = Past()
    for job, instance in (("dcgm", "steady:9400"), ("vllm", "steady:8000")):
        past.series("up", {"job": job, "instance": instance}, 1)
    for gpu in range(2):
        dcgm(past, "steady", gpu, region="north", cluster="c1")
    vllm(past, "steady", "Qwen")
    # Counters begin anew within the window.
    dcgm(past, "reset", 0, energy=counting(500_000, from_=1e12, restarted_s=AT - 30))
    vllm(past, "reset", "Qwen", output=counting(100, from_=1e9, restarted_s=AT - 30), edges=("0.1", "0.25", "+Inf"))
    # Three servers of one host, scraped one after another.
    for number in range(3):
        told = {"job": "vllm", "instance": f"many:{8000 + number}", "engine": "0", "model_name": "Many"}
        past.series("vllm:generation_tokens_total", told, counting(100), phase_s=5 * number)
        past.series("vllm:num_requests_running", told, 1, phase_s=5 * number)
    # First seen half a window ago.
    vllm(past, "young", "Qwen", output=counting(100, begun_s=AT - 30, from_=777_000))
    dcgm(past, "young", 0)
    # The same GPUs and the same server, told by an agent and by what else asks them.
    agent(past, "both")
    for gpu in range(2):
        dcgm(past, "both", gpu)
    vllm(past, "both", "agents-model")
    # A gateway before engines of Qwen, under a name of its own.
    gateway = {"job": "litellm", "instance": "gate:4000", "requested_model": "our-best"}
    past.series("litellm_output_tokens_metric_total", gateway, counting(9999))
    # Quiet GPUs: one held, one free, one whose utilisation nobody tells.
    dcgm(past, "quiet", 0, utilization=0)
    dcgm(past, "quiet", 1, utilization=0, used_mib=3)
    dcgm(past, "quiet", 2, utilization=2147483632)
    # A busy GPU whose memory is not told.
    meagre = {"job": "dcgm", "instance": "meagre:9400", "gpu": "0", "UUID": "GPU-meagre", "Hostname": "meagre"}
    past.series("DCGM_FI_DEV_GPU_UTIL", meagre, 90)
    past.series("DCGM_FI_DEV_POWER_USAGE", meagre, 300)
    # A board in slices, each of which repeats the board's watts.
    for part in ("1", "2"):
        dcgm(past, "mig", 0, GPU_I_ID=part, GPU_I_PROFILE="3g.40gb", used_mib=10_000)
    # One page asked by two jobs.
    vllm(past, "twice", "Llama")
    vllm(past, "twice", "Llama", job="again")
    # One half prefills, the other decodes; Dynamo's does not say so.
    pair(past, "sglang", "GLM", ahead={"engine_type": "prefill"}, after={"engine_type": "decode"})
    kimi = {"dynamo_namespace": "kimi"}
    pair(
        past, "vllm", "Kimi", early=kimi | {"dynamo_component": "prefill"}, late=kimi | {"dynamo_component": "backend"}
    )
    # Silent for ten minutes, its server for twenty.
    past.series("up", {"job": "dcgm", "instance": "gone:9400"}, until(AT - 600, 1, then=0))
    past.series("up", {"job": "vllm", "instance": "steadily-down:8000"}, 0)
    past.series("up", {"job": "node", "instance": "nobody:9100"}, 0)
    return past


@pytest.fixture(scope="module", params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with past_server(request.param, tmp_path_factory.mktemp(request.param), everything()) as url:
        yield url


@pytest.fixture
async def source(url: str) -> AsyncIterator[PrometheusSource]:
    source = PrometheusSource(PrometheusClient(PrometheusTarget(url)))
    yield source
    await source.close()


@pytest.fixture
async def tally(source: PrometheusSource) -> FleetTally:
    return await source.at(AT_S * 1000)


def host(tally: FleetTally, name: str) -> HostTally:
    return next(each for each in tally.hosts if each.host == name)


def flow(tally: FleetTally, name: str) -> FlowTally:
    (only,) = host(tally, name).flows
    return only


async def test_a_host_is_told_whole(tally: FleetTally) -> None:
    assert tally.window_ms == WINDOW * 1000
    assert host(tally, "steady") == HostTally(
        host="steady",
        t1_ms=AT_S * 1000,
        length_ms=WINDOW * 1000,
        gpus=2,
        gpu_model="NVIDIA H100",
        states=((State.SERVING.value, 2),),
        power_w=1000.0,
        power_gpus=2,
        energy_mj=2 * 500_000 * WINDOW,
        measured_ms=2 * WINDOW * 1000,
        memory_used_mib=140_000,
        memory_total_mib=160_000,
        utilization=0.8,
        temperature_max_c=51,
        flows=(
            FlowTally(
                model="Qwen",
                engine="vllm",
                prompt_tokens=300 * WINDOW,
                cached_tokens=50 * WINDOW,
                output_tokens=100 * WINDOW,
                finished=24,  # "stop" and "length"
                failed=12,
                running=3,
                waiting=1,
                kv_usage=0.25,
            ),
        ),
        region="north",
        cluster="c1",
    )


async def test_a_restart_loses_nothing_and_invents_nothing(tally: FleetTally) -> None:
    # VictoriaMetrics counts 15 s before the restart and 30 s after it; Prometheus stretches that to the window.
    assert 4500 <= (flow(tally, "reset").output_tokens or 0) <= 6100
    assert 45 * 500_000 <= (host(tally, "reset").energy_mj or 0) <= 61 * 500_000


async def test_a_young_series_counts_from_its_first_sample_over_the_time_since(tally: FleetTally) -> None:
    assert flow(tally, "young").output_tokens == 100 * 30
    assert host(tally, "young").measured_ms == WINDOW * 1000


async def test_servers_that_are_scraped_at_different_times_count_in_the_same_length(tally: FleetTally) -> None:
    assert (flow(tally, "many").output_tokens, flow(tally, "many").servers) == (3 * 100 * WINDOW, 3)
    assert host(tally, "many").length_ms == WINDOW * 1000


async def test_what_an_agent_tells_is_not_counted_again(tally: FleetTally) -> None:
    both = host(tally, "both")
    assert (both.gpus, both.gpu_model, both.power_w, both.agent) == (2, "NVIDIA H100 PCIe", 700.0, "1.2.3")
    assert both.energy_mj == 2 * 350_000 * WINDOW
    assert flow(tally, "both").output_tokens == 40 * WINDOW
    assert (flow(tally, "both").servers, flow(tally, "both").running) == (1, 2)


async def test_an_agents_own_judgement_of_its_gpus_counts(tally: FleetTally) -> None:
    assert host(tally, "both").states == ((State.PARKED.value, 1), (State.OTHER_WORK.value, 1))


async def test_what_an_agent_does_not_tell_is_taken_from_an_exporter(tally: FleetTally) -> None:
    assert host(tally, "both").memory_used_mib == 140_000
    assert host(tally, "both").temperature_max_c == 51


async def test_a_gateways_tokens_are_counted_at_its_engines(tally: FleetTally) -> None:
    assert not any(flow.engine == "litellm" for each in tally.hosts for flow in each.flows)
    assert [note.found for note in tally.notes if note.name == "gateways"] == [
        "litellm on gate: tokens are counted at the engines behind"
    ]


@pytest.mark.parametrize(("first", "second"), [("ahead", "after"), ("early", "late")])
async def test_the_tokens_of_a_pair_are_counted_at_one_half_each(tally: FleetTally, first: str, second: str) -> None:
    told = [
        (each.prompt_tokens, each.output_tokens, each.running) for each in (flow(tally, first), flow(tally, second))
    ]
    assert told == [(300 * WINDOW, None, 1), (None, 100 * WINDOW, 1)]


async def test_quiet_gpus_are_judged_by_their_memory_and_blanks_are_not_told(tally: FleetTally) -> None:
    assert host(tally, "quiet").states == (
        (State.BLIND.value, 1),
        (State.HELD.value, 1),
        (State.UNALLOCATED.value, 1),
    )
    assert host(tally, "quiet").utilization == 0.0


async def test_a_gpu_is_busy_whether_its_memory_is_told_or_not(tally: FleetTally) -> None:
    meagre = host(tally, "meagre")
    assert (meagre.states, meagre.memory_used_mib) == (((State.OTHER_WORK.value, 1),), None)


async def test_a_divided_board_draws_its_power_once_and_its_memory_adds_up(tally: FleetTally) -> None:
    mig = host(tally, "mig")
    assert (mig.gpus, mig.power_w, mig.energy_mj) == (1, 500.0, 500_000 * WINDOW)
    assert (mig.memory_used_mib, mig.memory_total_mib) == (20_000, 160_000)


async def test_a_page_that_two_jobs_ask_counts_once(tally: FleetTally) -> None:
    assert flow(tally, "twice").output_tokens == 100 * WINDOW
    assert (flow(tally, "twice").servers, flow(tally, "twice").running) == (1, 3)


async def test_a_silent_host_has_the_age_of_its_last_sign_of_life(tally: FleetTally) -> None:
    gone = host(tally, "gone")
    assert (gone.up, gone.gpus, gone.states) == (False, None, ())
    assert abs(gone.t1_ms - (AT_S - 600) * 1000) <= 15_000
    assert gone.problem.startswith("gone:9400 (dcgm): not scraped (up is 0) for ")
    assert gone.problem.endswith(" s; the Prometheus' page of targets says why")


async def test_a_host_that_was_silent_for_an_hour_says_so(tally: FleetTally) -> None:
    assert "for an hour or longer" in host(tally, "steadily-down").problem


async def test_targets_of_other_jobs_are_nobodys_problem(tally: FleetTally) -> None:
    assert "nobody" not in {each.host for each in tally.hosts}


async def test_latencies_are_those_of_servers_that_ran_through_by_the_edges_they_share(tally: FleetTally) -> None:
    by_model = {each.model: each for each in tally.latencies}
    (ttft,) = by_model["Llama"].histograms
    assert (ttft.name, ttft.edges) == ("ttft", (0.1, 0.5))
    # Two jobs ask the one server of Llama: quantiles of both are those of either.
    assert ttft.counts == (240, 240, 480)
    assert ttft.sum_us == 2 * 90_000_000
    (mixed,) = by_model["Qwen"].histograms
    assert mixed.edges == (0.1,)


async def test_requests_that_an_agent_times_are_not_timed_again_by_their_engines_page(tally: FleetTally) -> None:
    (told,) = (each for each in tally.latencies if each.model == "agents-model")
    assert told.histograms == (HistogramEntry("ttft", (0.1, 0.5), (60, 120, 60), 30_000_000),)


async def test_servers_whose_host_has_no_gpus_are_told_with_what_to_do(tally: FleetTally) -> None:
    (note,) = (note for note in tally.notes if note.name == "hosts")
    assert note.found.startswith(
        "2 hosts have servers and no GPUs (many, twice), 3 GPUs and no server (meagre, mig, quiet)"
    )
    assert "host_label" in note.hint


async def test_hosts_are_named_by_the_configured_label(url: str) -> None:
    source = PrometheusSource(PrometheusClient(PrometheusTarget(url)), identity=HostIdentity.of(host_label="cluster"))
    tally = await source.at(AT_S * 1000)
    await source.close()
    assert host(tally, "c1").gpus == 2
    assert host(tally, "steady").flows  # its server has no such label


async def test_matchers_narrow_every_query(url: str) -> None:
    source = PrometheusSource(PrometheusClient(PrometheusTarget(url)), within='instance=~"steady:.*"')
    tally = await source.at(AT_S * 1000)
    await source.close()
    assert [each.host for each in tally.hosts] == ["steady"]


async def test_the_trend_is_what_the_tallies_were(source: PrometheusSource, tally: FleetTally) -> None:
    assert len(tally.trend) == 30
    assert tally.trend[-1].at_ms == AT_S * 1000 // 60_000 * 60_000
    before = await source.at(tally.trend[-3].at_ms)
    power_w = sum(each.power_w or 0 for each in before.hosts)
    assert tally.trend[-3].power_w == pytest.approx(power_w)
    tokens = sum(flow.output_tokens or 0 for each in before.hosts for flow in each.flows)
    assert tally.trend[-3].output_tok_s == pytest.approx(tokens / WINDOW, rel=0.01)
    idle = sum(count for each in before.hosts for state, count in each.states if State(state).idle)
    assert tally.trend[-3].gpus_idle == idle


async def test_a_time_before_all_samples_has_no_hosts_and_says_what_was_looked_for(source: PrometheusSource) -> None:
    tally = await source.at((BEGUN_S - 86_400 * 30) * 1000)
    assert tally.hosts == ()
    assert [(note.ok, note.found) for note in tally.notes] == [
        (False, "no series of any meter or engine that tokwatch knows")
    ]
