"""What changes on a page between two readings adds no tokens, and loses none: ranks, processes, names, tenants."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.readings import ServerFacts, ServerReading
from collectors.vocabularies import read_page
from tests.ledger.box import Box, value
from tests.ledger.readings import NOON_MS, boot_ns
from tokwatch.ledger.entries import Flag
from tokwatch.ledger.sums import counted

NOON_S = NOON_MS / 1000
REMOTE = ServerFacts("10.0.0.7:8000", "vllm", metrics_url="http://10.0.0.7:8000/metrics", origin="config")
LITELLM = replace(REMOTE, engine="litellm")
LLAMA_CPP = replace(REMOTE, engine="llama.cpp")


def vllm(second: float, started_s: float | None = None, **ranks: int) -> ServerReading:
    """A page of vLLM with the output tokens of each rank."""
    lines = [f'vllm:generation_tokens_total{{engine="{rank[1:]}",model_name="m"}} {n}' for rank, n in ranks.items()]
    lines += [f"process_start_time_seconds {started_s}"] if started_s is not None else []
    return read_page("\n".join((*lines, "")).encode(), REMOTE, boot_ns(second))


def litellm(second: float, *tokens: int) -> ServerReading:
    """A page of LiteLLM with the output tokens of each end user."""
    name = "litellm_output_tokens_metric_total"
    lines = [f'{name}{{requested_model="m",end_user="user-{n}"}} {told}' for n, told in enumerate(tokens)]
    return read_page(
        "\n".join((*lines, f"process_start_time_seconds {NOON_S - 600}", "")).encode(), LITELLM, boot_ns(second)
    )


def llama_cpp(second: float, tokens: int, model: str | None) -> ServerReading:
    page = f"llamacpp:tokens_predicted_total {tokens}\n".encode()
    headers = {"process-start-time-unix": "123456"}
    return read_page(page, replace(LLAMA_CPP, model=model), boot_ns(second), headers=headers)


def output_tokens(box: Box) -> int:
    return sum(flow.output_tokens or 0 for record in box.records for flow in record.flows)


def counted_tokens(box: Box) -> int:
    """Without those counted at another server."""
    return sum(counted(flow).output_tokens or 0 for record in box.records for flow in record.flows)


def watched(*pages: ServerReading, restart_before: int | None = None) -> Box:
    """A box that reads a page a second."""
    box = Box()
    for second, page in enumerate(pages):
        if second == restart_before:
            box.restart(second)
        box.turn(second, (), [page])
    return box


# --- ranks ------------------------------------------------------------------------------------------------------------


def test_a_rank_that_leaves_the_page_and_comes_back_is_not_counted_again() -> None:
    for started_s in (None, NOON_S - 600):
        pages = (
            vllm(0, started_s, r0=1000, r1=900),
            vllm(1, started_s, r0=1010),
            vllm(2, started_s, r0=1020, r1=905),
        )
        assert output_tokens(watched(*pages)) == 25


# --- several processes behind one address -----------------------------------------------------------------------------


def test_replicas_that_take_turns_behind_one_address_are_not_counted_from_zero_each_time() -> None:
    one, other = NOON_S - 600, NOON_S - 500
    pages = [vllm(n, one, r0=1000 + n) if n % 2 == 0 else vllm(n, other, r0=5000 + n) for n in range(10)]
    assert output_tokens(watched(*pages)) == 8 + 8


def test_a_process_that_started_before_the_page_before_it_is_no_restart() -> None:
    box = watched(vllm(0, NOON_S - 600, r0=1000), vllm(1, NOON_S - 700, r0=9000))
    assert output_tokens(box) == 0
    assert box.records[-1].flows[0].output_tokens is None
    assert box.records[-1].flows[0].flags & Flag.BASELINE


def test_a_clock_that_was_stepped_while_nobody_recorded_makes_no_server_a_new_one() -> None:
    """The process list tells starts by the wall clock: after a step the same process started at another time."""
    box = Box()
    for second, started_s in ((0, NOON_S - 600), (1, NOON_S - 600), (60, NOON_S - 598), (61, NOON_S - 598)):
        if second == 60:
            box.restart(60)
        page = vllm(second, r0=1000 + second)
        box.turn(second, (), [replace(page, server=replace(REMOTE, started_at_s=started_s))])
    assert output_tokens(box) == 61


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_model_that_is_named_otherwise_after_a_restart_of_the_recorder_is_the_same_flow() -> None:
    for before, after in (("llama", None), ("llama", "Llama 3"), (None, "llama")):
        box = watched(
            llama_cpp(0, 5000, before), llama_cpp(1, 5010, before), llama_cpp(2, 5020, after), restart_before=2
        )
        assert output_tokens(box) == 20


def test_a_second_model_on_the_page_counts_from_zero() -> None:
    first = 'vllm:generation_tokens_total{engine="0",model_name="m"} 1000\n'
    second = 'vllm:generation_tokens_total{engine="0",model_name="lora"} 2000\n'
    pages = [read_page(text.encode(), REMOTE, boot_ns(n)) for n, text in enumerate((first, first + second))]
    assert output_tokens(watched(*pages)) == 2000


def test_tenants_that_become_too_many_to_be_told_apart_are_not_counted_again() -> None:
    few = litellm(0, *([100] * 256))
    many = litellm(1, *([101] * 256), 7)
    more = litellm(2, *([102] * 256), 9)
    assert output_tokens(watched(few, many, more)) == 256 + 7 + 256 + 2
    assert output_tokens(watched(few, many, more, restart_before=1)) == 256 + 7 + 256 + 2


# --- rates of what comes late -----------------------------------------------------------------------------------------


def test_the_first_request_of_a_tenant_is_no_burst() -> None:
    """Its series appears with all its tokens at once: there were none of them in the minutes before."""
    box = Box()
    for second in range(101):
        tokens = (100 * second,) if second < 100 else (100 * second, 5000)
        box.turn(second, (), [litellm(second, *tokens)])
    (server,) = box.snapshot().servers
    assert value(server.tok_s) == pytest.approx(100 + 5000 / 100)


def test_the_first_request_of_a_server_is_no_burst() -> None:
    box = Box()
    for second in range(101):
        page = b"vllm:num_requests_running 0\n" + (b"vllm:generation_tokens_total 600\n" if second >= 100 else b"")
        box.turn(second, (), [read_page(page, REMOTE, boot_ns(second))])
    (server,) = box.snapshot().servers
    assert value(server.tok_s) == pytest.approx(10)


def test_tokens_counted_at_a_gateway_until_its_engine_appears_are_not_told_twice_as_fast() -> None:
    box = Box()
    for second in range(101):
        pages = [litellm(second, 100 * second)]
        if second >= 70:
            engine = replace(REMOTE, address="10.0.0.7:8001")
            pages.append(replace(vllm(second, NOON_S - 600, r0=100 * second), server=engine))
        box.turn(second, (), pages)
    assert value(box.snapshot().totals.tok_s) < 190
    assert counted_tokens(box) == 69 * 100 + 30 * 100
