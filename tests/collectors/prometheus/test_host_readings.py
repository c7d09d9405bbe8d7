"""What came through a Prometheus reads as the page itself; what it does not tell any more is never told on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from collectors.meters.counter_news import CounterNews
from collectors.meters.reader import read_meter_page
from collectors.prometheus.host_readings import HostReader, HostReadings
from collectors.prometheus.scraped_pages import PageMaker
from collectors.readings import Reason, ServerFacts, ServerReading
from collectors.vocabularies import read_page
from tests.scraped import Labels, Scrape, answers, samples

PAGES = Path(__file__).parents[2] / "pages"
SERVER = {"job": "engines", "instance": "10.0.0.7:8000", "cluster": "a"}
METER = {"job": "gpus", "instance": "10.0.0.7:9400", "cluster": "a"}
DCGM = [(PAGES / "meters" / f"dcgm-exporter-4.5.3-{n}.prom").read_bytes() for n in (1, 2)]
VLLM = [(PAGES / "engines" / f"vllm-0.10-dp2-{n}.prom").read_bytes() for n in (1, 2)]
NODE = b"node_load1 0.5\n"


def read(*scrapes: Scrape, up: bool = True, until_s: float | None = None) -> list[HostReadings]:
    """What is new at each scrape, and at `until_s`."""
    reader = HostReader("h7", "prom:9090")
    pages = PageMaker().pages(*answers(samples(scrapes, up=up)))
    told = [reader.read([page], page.at_ms) for page in pages]
    return told if until_s is None else [*told, reader.read([], round(until_s * 1000))]


def server_at(at_s: float, page: bytes | None, target: Labels = SERVER) -> Scrape:
    return Scrape(target, at_s, page)


def gpus_at(at_s: float, page: bytes | None, target: Labels = METER) -> Scrape:
    return Scrape(target, at_s, page)


def as_read_directly(reading: ServerReading, page: bytes) -> ServerReading:
    """But for its size, which nobody tells, and for empty labels, which a Prometheus takes for none."""
    told = read_page(page, reading.server, reading.at_ns)
    flows = tuple(
        replace(flow, parts=tuple((name, _named(parts)) for name, parts in flow.parts)) for flow in told.flows
    )
    return replace(told, page_bytes=0, flows=flows)


def _named(parts: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    return tuple(
        (",".join(label for label in part.split(",") if not label.endswith("=")), count) for part, count in parts
    )


def problems(told: HostReadings) -> tuple[list[str], set[tuple[Reason | None, str]]]:
    """(of its servers; of its GPUs)"""
    return [server.problem for server in told.servers], {(gpu.problem, gpu.problem_text) for gpu in told.gpus}


def output_tokens(told: HostReadings) -> int | None:
    [server] = told.servers
    [flow] = server.flows
    return flow.output_tokens


@pytest.mark.parametrize("path", sorted((PAGES / "engines").glob("*.prom")) + sorted(PAGES.glob("*.prom")), ids=str)
def test_an_engines_page_reads_the_same_through_a_prometheus(path: Path) -> None:
    page = path.read_bytes()
    [told] = read(server_at(15, page))
    for reading in told.servers:
        assert reading == as_read_directly(reading, page)
        assert reading.at_ns == 15_000_000_000
    assert bool(told.servers) == read_page(page, ServerFacts("a:1", ""), 0).ok


@pytest.mark.parametrize("label", ["role", "llm_d_ai_role"])
def test_a_label_of_the_target_says_which_half_of_a_pair_a_server_is(label: str) -> None:
    [told] = read(server_at(15, VLLM[0], {**SERVER, label: "prefill"}))
    [server] = told.servers
    assert (server.role, {flow.role for flow in server.flows}) == ("prefill", {"prefill"})
    [other] = read(server_at(15, VLLM[0], {**SERVER, label: "leader"}))
    assert [server.role for server in other.servers] == [""]


@pytest.mark.parametrize("path", sorted((PAGES / "meters").glob("*.prom")), ids=str)
def test_a_meters_page_reads_the_same_through_a_prometheus(path: Path) -> None:
    page = path.read_bytes()
    [told] = read(gpus_at(15, page))
    direct = read_meter_page(page, 15_000_000_000, origin=METER["instance"], host="h7")
    expected = {gpu.facts.uuid or gpu.facts.pci_bus_id: CounterNews().of(gpu) for gpu in direct.gpus}
    assert {gpu.facts.uuid or gpu.facts.pci_bus_id: gpu for gpu in told.gpus} == expected


# --- silence ----------------------------------------------------------------------------------------------------------


def test_a_scrape_that_failed_is_told_at_once_and_no_number_stays() -> None:
    scrapes = (server_at(0, VLLM[0]), gpus_at(0, DCGM[0]), server_at(15, None), gpus_at(15, None))
    *_, servers, gpus = read(*scrapes)
    assert problems(servers)[0] == ["10.0.0.7:8000: the scrape by prom:9090 failed (up is 0)"]
    assert problems(gpus)[1] == {(Reason.STALE, "10.0.0.7:9400: the scrape by prom:9090 failed (up is 0)")}
    assert all(gpu.power_w is None for gpu in gpus.gpus)


def test_a_target_that_is_scraped_no_more_is_stale_after_three_scrapes() -> None:
    scrapes = (server_at(0, VLLM[0]), gpus_at(1, DCGM[0]), server_at(15, VLLM[0]), gpus_at(16, DCGM[0]))
    assert problems(read(*scrapes, until_s=59)[-1]) == ([], set())
    servers, gpus = problems(read(*scrapes, until_s=62)[-1])
    assert servers == ["10.0.0.7:8000: prom:9090 has no sample of it any more: is it still scraped there?"]
    assert {reason for reason, _ in gpus} == {Reason.STALE}


def test_while_the_server_does_not_answer_its_words_stand_for_the_silence() -> None:
    reader = HostReader("h7", "prom:9090")
    for page in PageMaker().pages(*answers(samples([server_at(0, VLLM[0]), server_at(15, VLLM[0])]))):
        reader.read([page], page.at_ms)
    [reading] = reader.read([], 90_000, unheard="prom:9090 cannot be reached").servers
    assert (reading.ok, reading.problem) == (False, "prom:9090 cannot be reached")


def test_a_target_that_is_gone_for_ten_minutes_is_forgotten() -> None:
    last = read(server_at(0, VLLM[0]), gpus_at(1, DCGM[0]), until_s=700)[-1]
    assert last == HostReadings()


def test_a_gpu_that_its_exporter_tells_no_more_is_stale_and_the_others_are_read() -> None:
    lines = DCGM[1].decode().splitlines(keepends=True)
    uuid = read(gpus_at(0, DCGM[0]))[0].gpus[0].facts.uuid
    without = "".join(line for line in lines if f'"{uuid}"' not in line).encode()
    *_, told = read(gpus_at(0, DCGM[0]), gpus_at(15, without))
    assert [gpu.facts.uuid for gpu in told.gpus if gpu.problem is Reason.STALE] == [uuid]
    assert any(gpu.power_w for gpu in told.gpus)


def test_a_page_that_is_another_engines_now_is_told_and_then_read() -> None:
    sglang = (PAGES / "engines" / "sglang-0.5.23-1.prom").read_bytes()
    _, nothing, other = read(server_at(0, VLLM[0]), server_at(15, NODE), server_at(30, sglang))
    assert problems(nothing)[0] == ["10.0.0.7:8000: prom:9090 has no series of vllm there now"]
    assert [(server.server.engine, server.ok) for server in other.servers] == [("sglang", True)]


# --- whose ------------------------------------------------------------------------------------------------------------


def test_counters_go_on_from_page_to_page() -> None:
    first, second = read(server_at(0, VLLM[0]), server_at(15, VLLM[1]))
    grown = [read_page(page, ServerFacts("a:1", "vllm"), 0).flows[0].output_tokens for page in VLLM]
    assert [output_tokens(first), output_tokens(second)] == grown


def test_pages_that_nobody_reads_make_nothing() -> None:
    assert read(server_at(0, NODE)) == [HostReadings()]


def test_two_jobs_that_scrape_one_page_are_one_server_and_its_gpus_are_read_once() -> None:
    again = {**SERVER, "job": "kubernetes-pods"}, {**METER, "job": "kubernetes-pods"}
    told = read(
        *(server_at(0, VLLM[0]), server_at(1, VLLM[0], again[0])),
        *(gpus_at(2, DCGM[0]), gpus_at(3, DCGM[0], again[1])),
    )
    assert [len(each.servers) for each in told] == [1, 0, 0, 0]
    assert [bool(each.gpus) for each in told] == [False, False, True, False]


def test_when_one_of_two_jobs_cannot_read_the_page_the_other_tells() -> None:
    again = {**METER, "job": "zz"}
    told = read(gpus_at(0, DCGM[0]), gpus_at(1, DCGM[0], again), gpus_at(15, None), gpus_at(16, DCGM[1], again))
    assert all(gpu.problem is None for gpu in told[-1].gpus)


def test_what_a_server_adds_to_labels_is_taken_off_and_what_it_renamed_gets_its_name_back() -> None:
    page = b'DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-1",pod="vllm-0",namespace="llm"} 300\n'
    exporter = {**METER, "pod": "dcgm-exporter-x", "namespace": "gpu-operator"}
    [told] = read(gpus_at(0, page, exporter))
    assert [gpu.pods for gpu in told.gpus] == [("llm/vllm-0",)]


def test_an_exporter_that_tells_no_pods_does_not_pass_its_own_off_for_them() -> None:
    page = b'DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-1"} 300\n'
    [told] = read(gpus_at(0, page, {**METER, "pod": "dcgm-exporter-x", "namespace": "gpu-operator"}))
    assert [gpu.pods for gpu in told.gpus] == [()]


def test_a_server_knows_its_pod_and_that_nothing_else_tells_where_it_is() -> None:
    [told] = read(server_at(0, VLLM[0], {**SERVER, "pod": "vllm-0", "namespace": "llm"}))
    [facts] = told.known_servers
    assert (facts.address, facts.engine, facts.pod, facts.anywhere) == ("10.0.0.7:8000", "vllm", "llm/vllm-0", True)


def test_a_router_is_on_no_gpu() -> None:
    page = (PAGES / "engines" / "sglang-router-0.3.2-load.prom").read_bytes()
    assert [facts.anywhere for facts in read(server_at(0, page))[0].known_servers] == [False]


# --- when -------------------------------------------------------------------------------------------------------------


def test_a_gpu_reading_says_how_often_its_meter_is_scraped() -> None:
    told = read(*(gpus_at(at_s, DCGM[0]) for at_s in (0, 30, 60)))
    assert {gpu.facts.interval_s for gpu in told[-1].gpus} == {30.0}


def test_the_pace_is_the_slowest_servers() -> None:
    reader = HostReader("h7", "prom:9090")
    scrapes = [
        *(server_at(at_s, VLLM[0]) for at_s in (0, 30, 60)),
        *(gpus_at(at_s, DCGM[0]) for at_s in range(0, 61, 5)),
    ]
    for page in PageMaker().pages(*answers(samples(scrapes))):
        reader.read([page], page.at_ms)
    assert reader.pace_s == 30


def test_a_gpu_without_a_counter_gets_the_integral_of_its_power_at_the_pace_of_its_scrapes() -> None:
    page = b'DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-1"} 300\n'
    told = [each.gpus[0] for each in read(*(gpus_at(at_s, page) for at_s in (0, 15, 30)))]
    assert [(gpu.energy_mj, gpu.energy_estimated) for gpu in told[1:]] == [(4_500_000, True), (9_000_000, True)]


def test_without_any_sample_of_up_the_times_of_samples_are_the_scrapes() -> None:
    told = read(server_at(0, VLLM[0]), server_at(15, VLLM[1]), up=False)
    assert [server.at_ns for each in told for server in each.servers] == [0, 15_000_000_000]
