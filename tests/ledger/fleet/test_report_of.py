"""What an agent says at a tick: who is there, how counters stand, and nothing that nobody measured."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from tests.ledger.box import OUT_S, PROMPT_S, Box, serve, work
from tests.ledger.readings import MIB, flow, free_gpu, gpu, gpu_facts, lost_gpu, no_page, page, server_facts
from tokwatch import __version__
from tokwatch.ledger.entries import Flag, State
from tokwatch.ledger.fleet.report import PROTOCOL, FlowAbout, FlowReport, GpuAbout, Hello, Report, ServerAbout
from tokwatch.ledger.fleet.report_of import Statement, Teller
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.view import View


def said(box: Box, book: PriceBook | None = None, *, from_record: int = 0) -> Statement:
    """What is said at the box's last tick; from_record: that the counters begin after."""
    view = View(box.run, book or PriceBook())
    for record in box.records[:from_record]:
        view.apply(record)
    teller = Teller(box.run, since=view.tick)
    for record in box.records[from_record:]:
        view.apply(record)
        teller.take(record, view)
    return teller.say(view)


def test_a_hello_tells_what_is_there() -> None:
    hello = said(serve(Box(), range(3), free=1)).hello
    assert (hello.tokwatch, hello.version, hello.host) == (PROTOCOL, __version__, "box")
    assert hello.interval_s == 1.0
    assert hello.gpus == tuple(
        GpuAbout(index, f"GPU-{str(index) * 8}-aaaa", "NVIDIA H100 80GB HBM3", 81920, 700.0) for index in range(3)
    )
    assert hello.servers == (ServerAbout("127.0.0.1:8000", "vllm", "Qwen/Qwen3-32B"),)
    assert hello.flows == (FlowAbout(0, "Qwen/Qwen3-32B", "", "(untagged)", ""),)


def test_counters_stand_at_what_was_counted_since_the_run_began() -> None:
    report = said(serve(Box(), range(31), free=1)).report
    first, _, free = report.gpus
    assert report.watched_ms == 30_000
    assert (first.energy_mj, first.measured_ms) == (30 * 300_000, 30_000)
    assert free.energy_mj == 30 * 60_000
    assert sum(ms for _, ms in first.state_ms) == 30_000
    assert report.flows == (FlowReport(30_000, 30 * PROMPT_S, 30_000, 30 * OUT_S),)


def test_gauges_are_those_of_the_last_tick() -> None:
    report = said(serve(Box(), range(61), free=1)).report
    first, _, free = report.gpus
    assert (first.power_mw, first.util_permille, first.temperature_c) == (300_000, 900, 60)
    assert first.memory_used_mib == 40_000
    assert (first.servers, free.servers) == ((0,), ())
    assert (first.state, free.state) == (State.SERVING, State.UNALLOCATED)
    [server] = report.servers
    assert (server.up, server.running, server.waiting, server.kv_permyriad) == (True, 1, 0, 2500)


def test_what_a_lost_gpu_drew_before_stays_and_its_gauges_are_unknown() -> None:
    box = serve(Box(), range(10))
    for second in range(10, 30):
        box.turn(second, [lost_gpu(second), gpu(second, 1)], [work(second)])
    lost, _ = said(box).report.gpus
    assert lost.state == State.LOST
    assert (lost.power_mw, lost.util_permille, lost.memory_used_mib) == (None, None, None)
    assert lost.energy_mj == 9 * 300_000


def test_a_server_that_does_not_answer_keeps_its_counters_and_tells_no_gauges() -> None:
    box = serve(Box(), range(10))
    for second in range(10, 13):
        box.turn(second, [gpu(second), gpu(second, 1)], [no_page(second)])
    statement = said(box)
    [server] = statement.report.servers
    assert (server.up, server.running, server.waiting, server.kv_permyriad) == (False, None, None, None)
    assert statement.report.flows[0].output_tokens == 9 * OUT_S


def test_a_server_that_has_gone_is_left_out_and_begins_at_zero_when_it_is_back() -> None:
    box = serve(Box(), range(10))
    for second in range(10, 60):
        box.turn(second, [gpu(second), gpu(second, 1)], known=())
    view = View(box.run, PriceBook())
    teller = Teller(box.run)
    for record in box.records:
        view.apply(record)
        teller.take(record, view)
        gone = teller.say(view)
    assert (gone.hello.servers, gone.hello.flows, gone.report.flows) == ((), (), ())
    for second in (60, 61):
        record = box.turn(second, [gpu(second), gpu(second, 1)], [work(second)])
        view.apply(record)
        teller.take(record, view)
    [flow_report] = teller.say(view).report.flows
    assert flow_report.output_tokens == 52 * OUT_S, "what it counted since it was last told"


def test_tokens_that_are_counted_elsewhere_are_told_and_not_to_be_added() -> None:
    box = Box()
    router = server_facts("127.0.0.1:9000", counts=False)
    for second in range(11):
        pages = [work(second), page(second, flow(output_tokens=second * 7, prompt_tokens=second * 5), facts=router)]
        box.turn(second, [gpu(second), gpu(second, 1)], pages)
    statement = said(box)
    place = [about.address for about in statement.hello.servers].index("127.0.0.1:9000")
    [(about, told, counted)] = [
        each
        for each in zip(statement.hello.flows, statement.report.flows, statement.counted, strict=True)
        if each[0].server == place
    ]
    assert about.elsewhere == Flag.PROMPT_ELSEWHERE | Flag.OUTPUT_ELSEWHERE
    assert (told.prompt_tokens, told.output_tokens) == (50, 70)
    assert (counted.prompt_tokens, counted.output_tokens) == (None, None)


def test_counters_that_begin_in_the_middle_have_a_name_of_their_own() -> None:
    box = serve(Box(), range(21))
    whole, later = said(box), said(box, from_record=11)
    assert later.report.watched_ms == 10_000
    assert later.report.flows[0].output_tokens == 10 * OUT_S
    assert whole.hello.run != later.hello.run
    assert later.hello.started_ms == box.records[10].tick.tick_ms


def test_what_a_device_does_not_tell_is_unknown_and_not_zero() -> None:
    box = Box()
    facts = gpu_facts(memory_total_bytes=None, power_limit_w=None, name=None)
    for second in range(3):
        box.turn(second, [replace(gpu(second), facts=facts, power_w=None, energy_mj=None, temperature_c=None)])
    statement = said(box)
    [about], [report] = statement.hello.gpus, statement.report.gpus
    assert (about.memory_total_mib, about.power_limit_w, about.name) == (None, None, "")
    assert (report.energy_mj, report.power_mw, report.temperature_c, report.idle_energy_mj) == (None,) * 4
    assert report.memory_used_mib == 40_000 * MIB // MIB


def test_the_recorders_problems_are_told() -> None:
    box = Box()
    box.turn(0, [free_gpu(0)], problems=[("store", "the disk is full")])
    assert said(box).hello.problems == ("the disk is full",)


def test_the_lines_survive_the_wire() -> None:
    statement = said(serve(Box(), range(5), free=1))
    for value, kind in ((statement.hello, Hello), (statement.report, Report)):
        assert msgspec.json.decode(msgspec.json.encode(value), type=kind) == value
