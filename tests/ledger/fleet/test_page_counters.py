"""Pages of a host's endpoints as reports: counters since the run began, states by the coarse rule, whose word holds."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collectors.fleet.agent_columns import AGENT
from collectors.fleet.samples import (
    CounterName,
    FlowName,
    GpuSample,
    PageAbout,
    PageSample,
    ServerName,
    ServerSample,
)
from collectors.readings import GpuFacts
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.meter import FleetMeter
from tokwatch.ledger.fleet.page_counters import HostPages
from tokwatch.ledger.fleet.page_energy import PageEnergy
from tokwatch.ledger.fleet.page_flows import PageFlows
from tokwatch.ledger.fleet.report import GpuReport, Report

GPUS = PageAbout("dcgm-exporter", gpus=(GpuFacts(0, "GPU-a", "H100", memory_total_bytes=80 << 30),))
OUTPUT = 2
ENGINE = PageAbout(
    "vllm",
    servers=(ServerName("box:8000", "vllm"),),
    flows=(FlowName(0, "qwen"),),
    counters=(CounterName(0, OUTPUT, "engine=0"), CounterName(0, OUTPUT, "engine=1")),
)


def gpu_page(
    energy_mj: int | None = 0, util: int | None = 900, used: int = 70_000, power_mw: int = 500_000
) -> PageSample:
    return PageSample(GPUS, (GpuSample(energy_mj, power_mw, util, used, 60),), (), ())


def engine_page(*outputs: int | None, running: int = 0, about: PageAbout = ENGINE) -> PageSample:
    return PageSample(about, (), (ServerSample(True, running, 0, 5000),), outputs)


class Box:
    """One host, second by second."""

    def __init__(self) -> None:
        self.pages = HostPages("h1", "run", started_ms=0, interval_s=1.0)

    def second(self, at_s: float, *samples: PageSample) -> Report:
        for sample in samples:
            self.pages.add(sample.about.kind, sample, round(1000 * at_s))
        told = self.pages.report(round(1000 * at_s), round(1000 * at_s), round(1000 * at_s))
        assert told is not None
        return told


def only(report: Report) -> GpuReport:
    (gpu,) = report.gpus
    return gpu


# --- counters -----------------------------------------------------------------------------------------------------


def test_counters_begin_at_the_first_page() -> None:
    box = Box()
    first = box.second(0, gpu_page(7_000_000), engine_page(1000, 2000))
    assert (only(first).energy_mj, first.flows[0].output_tokens) == (0, 0)
    second = box.second(1, gpu_page(7_500_000), engine_page(1010, 2001))
    assert (only(second).energy_mj, only(second).measured_ms, second.flows[0].output_tokens) == (500_000, 1000, 11)
    assert second.flows[0].covered_ms == 1000


def test_an_endpoint_that_answers_later_brings_nothing_of_before() -> None:
    box = Box()
    box.second(0, gpu_page())
    assert box.second(1, gpu_page(), engine_page(1000, 2000)).flows[0].output_tokens == 0


def test_what_was_never_told_is_unknown() -> None:
    box = Box()
    report = box.second(0, gpu_page(None), engine_page(5, 5))
    assert (report.flows[0].prompt_tokens, report.flows[0].finished) == (None, None)
    assert only(report).energy_mj is None


def test_a_rank_that_restarts_counts_from_zero_and_the_other_goes_on() -> None:
    flows = PageFlows()
    for counters in ((1000, 2000), (1010, 2010), (4, 2020)):
        flows.add(ENGINE, counters, 0)
    assert flows.report(0, 0).output_tokens == 10 + 10 + 4 + 10


def test_a_series_that_is_away_for_a_while_has_lost_nothing() -> None:
    alone = PageAbout(ENGINE.kind, (), ENGINE.servers, ENGINE.flows, ENGINE.counters[:1])
    flows = PageFlows()
    flows.add(ENGINE, (100, 200), 0)
    flows.add(alone, (110,), 0)
    flows.add(ENGINE, (120, 205), 0)
    assert flows.report(0, 0).output_tokens == 25


def test_a_series_that_a_known_page_shows_for_the_first_time_counts_from_zero() -> None:
    alone = PageAbout(ENGINE.kind, (), ENGINE.servers, ENGINE.flows, ENGINE.counters[:1])
    flows = PageFlows()
    flows.add(alone, (100,), 0)
    flows.add(ENGINE, (100, 30), 0)
    assert flows.report(0, 0).output_tokens == 30


@given(st.lists(st.lists(st.integers(0, 10**9), min_size=2, max_size=2), min_size=1, max_size=30))
def test_a_flow_counts_as_a_prometheus_does(pages: list[list[int]]) -> None:
    """Increases of each series, those after a fall from 0."""
    flows = PageFlows()
    for page in pages:
        flows.add(ENGINE, tuple(page), 0)
    increase = sum(
        now - before if now >= before else now
        for series in zip(*pages, strict=True)
        for before, now in pairwise(series)
    )
    assert flows.report(0, 0).output_tokens == increase


def test_a_flow_and_a_gpu_that_were_away_are_not_counted_twice() -> None:
    """Whoever takes reports counts what was gone from 0, for so an agent tells it."""
    two = PageAbout("dcgm-exporter", gpus=(*GPUS.gpus, GpuFacts(1, "GPU-b", "H100")))
    none = PageAbout("vllm", servers=ENGINE.servers)
    pages, meter = HostPages("h1", "run", started_ms=0, interval_s=1.0), FleetMeter()
    for second, (gpus, joules, engine, tokens) in enumerate(
        [
            (two, (0, 0), ENGINE, (0, 0)),
            (two, (1, 500), ENGINE, (40, 2)),
            (GPUS, (2,), none, ()),
            (GPUS, (3,), none, ()),
        ]
        + [(two, (4, 600), ENGINE, (41, 2))] * 2
    ):
        at_ms = 1000 * second
        told = tuple(GpuSample(1000 * energy, 500_000, 900, 70_000, 60) for energy in joules)
        for endpoint, page in (("dcgm", PageSample(gpus, told, (), ())), ("vllm", engine_page(*tokens, about=engine))):
            if (hello := pages.add(endpoint, page, at_ms)) is not None:
                meter.hello("h1", hello, at_ms)
        report = pages.report(at_ms, at_ms, at_ms)
        assert report is not None
        meter.report("h1", report, at_ms)
    (host,) = meter.tally(5000, 60_000)
    assert (host.energy_mj, host.flows[0].output_tokens) == (604_000, 43)
    assert report is not None
    assert report.flows[0].covered_ms == 1000, "since it is back"


# --- energy -------------------------------------------------------------------------------------------------------


def energy(*pages: tuple[int, int | None, int | None]) -> PageEnergy:
    """(ms, millijoules, milliwatts)."""
    meter = PageEnergy()
    for at_ms, energy_mj, power_mw in pages:
        meter.add(at_ms, GpuSample(energy_mj, power_mw))
    return meter


def test_a_counter_that_its_exporter_samples_seldom_holds_all_of_it() -> None:
    meter = energy((0, 0, None), *((s * 1000, 0, None) for s in range(1, 30)), (30_000, 21_000_000, None))
    assert (meter.energy_mj, meter.measured_ms) == (21_000_000, 30_000)


def test_a_jump_beyond_what_a_board_can_draw_is_left_out_with_its_time() -> None:
    meter = energy((0, 0, None), (1000, 10**12, None), (2000, 10**12 + 700_000, None))
    assert (meter.energy_mj, meter.measured_ms) == (700_000, 1000)


def test_a_counter_that_was_reset_counts_from_zero() -> None:
    assert energy((0, 10**10, None), (1000, 400_000, None)).energy_mj == 400_000


def test_a_board_without_a_counter_is_integrated() -> None:
    meter = energy((0, None, 500_000), (1000, None, 700_000))
    assert (meter.energy_mj, meter.measured_ms) == (600_000, 1000)


def test_power_samples_that_are_far_apart_say_nothing_of_what_lies_between() -> None:
    assert energy((0, None, 500_000), (60_000, None, 700_000)).energy_mj is None


# --- states -------------------------------------------------------------------------------------------------------


def test_a_busy_gpu_beside_a_server_at_work_serves_it() -> None:
    gpu = only(Box().second(0, engine_page(0, 0, running=3), gpu_page()))
    assert (gpu.state, gpu.servers) == (State.SERVING, (0,))


def test_a_gpu_that_a_silent_server_holds_is_parked() -> None:
    box = Box()
    box.second(0, engine_page(0, 0, running=3), gpu_page())
    box.second(30, engine_page(0, 0), gpu_page(util=0))
    gpu = only(box.second(100, engine_page(0, 0), gpu_page(util=0)))
    assert (gpu.state, gpu.servers) == (State.PARKED, (0,))


def test_a_gpu_is_quiet_only_after_a_minute_of_it() -> None:
    box = Box()
    box.second(0, gpu_page(util=900))
    assert only(box.second(59, gpu_page(util=0))).state == State.OTHER_WORK
    assert only(box.second(60, gpu_page(util=0))).state == State.HELD
    assert only(box.second(61, gpu_page(util=0, used=5))).state == State.UNALLOCATED


def test_a_gpu_without_utilisation_is_blind() -> None:
    assert only(Box().second(0, gpu_page(util=None))).state == State.BLIND


# --- whose word -----------------------------------------------------------------------------------------------------


def test_where_an_agent_answers_its_word_alone_counts() -> None:
    agent = PageAbout(
        AGENT.name, GPUS.gpus, (ServerName("127.0.0.1:8000", "vllm"),), ENGINE.flows, ENGINE.counters[:1], ("parked",)
    )
    box = Box()
    page = PageSample(agent, (GpuSample(0, 90_000, 0, 70_000, 40, 0),), (ServerSample(True),), (0,))
    report = box.second(0, gpu_page(), engine_page(0, 0), page)
    assert (len(report.gpus), len(report.servers), only(report).state) == (1, 1, State.PARKED)


def test_a_gpu_that_two_endpoints_tell_of_is_one() -> None:
    twice = PageAbout("another exporter", GPUS.gpus)
    report = Box().second(0, gpu_page(), PageSample(twice, (GpuSample(0, 1),), (), ()))
    assert len(report.gpus) == 1


def test_an_endpoint_that_fell_silent_has_no_gauges_and_keeps_its_counters() -> None:
    box = Box()
    box.second(0, gpu_page(0), engine_page(0, 0, running=3))
    box.second(1, gpu_page(500_000), engine_page(10, 0, running=3))
    report = box.second(10, engine_page(20, 0, running=3))
    assert (only(report).state, only(report).power_mw, only(report).energy_mj) == (State.UNKNOWN, None, 500_000)
    report = box.second(20, gpu_page(900_000))
    assert (report.servers[0].up, report.flows[0].output_tokens) == (False, 20)


def test_a_hello_comes_with_the_first_page_and_when_its_words_change() -> None:
    pages = HostPages("h1", "run", started_ms=0, interval_s=1.0)
    first = pages.add("a", gpu_page(), 0)
    assert first is not None
    assert (first.gpus[0].uuid, first.gpus[0].memory_total_mib, first.run) == ("GPU-a", 81_920, "run")
    assert pages.add("a", gpu_page(), 1000) is None
    second = pages.add("b", engine_page(0, 0), 1000)
    assert second is not None
    assert [(flow.model, flow.server) for flow in second.flows] == [("qwen", 0)]
    assert second.servers[0].model == "qwen"


def test_before_any_page_there_is_no_report() -> None:
    assert HostPages("h1", "run", started_ms=0, interval_s=1.0).report(0, 0, 0) is None
