"""A real llama-server under real requests. It counts a request's output when the request ends, and its prompt without
the cached part; what it was still answering when it died it never counted."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.real.clients import Api, Request, load_of, session_of, total
from tests.real.engines import LlamaServer
from tests.real.processes import free_port, required, wait_until
from tests.real.recording import Tokwatch, now_ms, of_server, states_of
from tests.real.served import (
    Served,
    check_dollars,
    check_joules,
    check_never_idle,
    check_restart,
    check_secret_is_nowhere,
    check_snapshot,
    check_tokens,
    counted_tokens,
    model_rows,
    secret_file,
    serve,
)
from tokwatch.ledger.entries import ServerEntry, State

pytestmark = pytest.mark.real

_LOAD_S = 65.0
_CLIENTS = 4  # as many as it has slots: with more there is always a queue, and a queue of 30 s is BACKLOG
_AT_END_WINDOW_MS = 300_000  # tok/s of an engine that counts whole requests is shown over five minutes
_MOST_IT_PRINTS_EXACTLY = 999_999  # its page has six significant digits
_LONG = 4_000  # tokens, just below what its context holds


@dataclass(frozen=True, slots=True)
class Bench:
    """A server that is not started yet, and the tokwatch that will watch it."""

    llama: LlamaServer
    folder: Path
    config: str

    def tokwatch(self, pids: tuple[int, ...] = ()) -> Tokwatch:
        return Tokwatch.in_folder(self.folder / "tokwatch", self.config, pids=pids)


def a_bench(folder: Path, settings: str = "") -> Bench:
    """Skips the test where no llama-server is installed."""
    program, model = required("TOKWATCH_REAL_LLAMA_SERVER", "TOKWATCH_REAL_LLAMA_MODEL")
    llama = LlamaServer(program, model, free_port(), secrets.token_urlsafe(24), folder / "llama.txt")
    key = secret_file(folder, llama.key)
    return Bench(llama, folder, f'{settings}[[servers]]\nurl = "{llama.api.url}"\ntoken_file = "{key}"\n')


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A minute of requests, recorded."""
    bench = a_bench(tmp_path_factory.mktemp("llama"))
    with bench.llama.running() as server:
        return serve(bench.tokwatch((server.pid,)), bench.llama.api, clients=_CLIENTS, seconds=_LOAD_S)


def test_tokens_are_those_of_the_api_to_the_token(served: Served) -> None:
    used = served.used
    assert max(used.prompt - used.cached, used.cached, used.output) <= _MOST_IT_PRINTS_EXACTLY, "too much load"
    check_tokens(served)


def test_joules_are_the_integral_of_the_power_drawn(served: Served) -> None:
    check_joules(served)


def test_dollars_are_price_times_gpu_hours_over_tokens(served: Served) -> None:
    check_dollars(served)


def test_once_answers_at_once_from_the_running_recorder(served: Served) -> None:
    check_snapshot(served, window_ms=_AT_END_WINDOW_MS)


def test_nothing_calls_it_idle_while_clients_are_served(served: Served) -> None:
    check_never_idle(served)


def test_the_api_key_is_nowhere(served: Served) -> None:
    check_secret_is_nowhere(served)


def test_long_answers_are_progress_and_their_end_is_idleness(tmp_path: Path) -> None:
    """While they are made not one token is counted: only the engine's steps tell that the GPU works."""
    bench = a_bench(tmp_path, "[states]\nevidence_window_s = 1\n")
    with bench.llama.running() as server:
        tokwatch, api = bench.tokwatch((server.pid,)), bench.llama.api
        with tokwatch.recording():
            tokwatch.wait_for_pages(api.address, 0, 3)
            from_ms = now_ms()
            used = total(asyncio.run(load_of(api, [_long_answer()] * 4, at_once=4)))
            to_ms = now_ms()

            def is_parked() -> bool:
                return states_of(tokwatch.records(to_ms), tokwatch.gpu(0))[-1:] == [State.PARKED]

            wait_until(is_parked, "the GPU is called parked after the last answer", within_s=30)
    server_entity = tokwatch.entity("server", api.address)
    assert server_entity is not None
    meanwhile = [
        (record, entry)
        for record in tokwatch.records(from_ms, to_ms)
        for entry in of_server([record], server_entity)
        if from_ms + 1000 < entry.t0_ms and entry.t1_ms < to_ms - 1000
    ]
    print(f"{used.output} tokens in {(to_ms - from_ms) / 1000:.1f} s; {len(meanwhile)} pages in the middle of it")
    assert len(meanwhile) >= 2, "the answers were too short to say anything: make a larger model"
    print(f"  engine steps on them: {[entry.progress for _, entry in meanwhile]}")
    flows = tokwatch.flows(api.address)
    for record, entry in meanwhile:
        assert entry.progress
        assert [flow.output_tokens for flow in record.flows if flow.entity in flows] == [0]
        assert states_of([record], tokwatch.gpu(0)) == [State.SERVING]
    assert counted_tokens(model_rows(tokwatch, api.address)).output == used.output


def test_a_restart_loses_no_token_of_a_finished_request(tmp_path: Path) -> None:
    bench = a_bench(tmp_path)
    check_restart(bench.tokwatch(), bench.llama.api, bench.llama.running)


def test_a_client_that_leaves_is_counted_for_what_was_made_for_it(tmp_path: Path) -> None:
    """More than it was sent: the engine notices late. The API tells nobody how much it was; the counters do."""
    bench = a_bench(tmp_path)
    with bench.llama.running() as server:
        tokwatch, api = bench.tokwatch((server.pid,)), bench.llama.api
        with tokwatch.recording():
            tokwatch.wait_for_pages(api.address, 0, 1)
            (sent,) = asyncio.run(_answers_cut_short(api, 1, enough=20, cut=None))
            finished = total(asyncio.run(load_of(api, [_short_answer(0)], at_once=1)))
            tokwatch.wait_for_pages(api.address, now_ms(), 2)
            wait_until(lambda: _last_page(tokwatch, api).running == 0, "nothing is answered any more", within_s=60)
    counted = counted_tokens(model_rows(tokwatch, api.address))
    print(f"output tokens: finished {finished.output}, sent before the client left {sent}, tokwatch {counted.output}")
    assert finished.output + sent <= counted.output <= finished.output + _LONG


def test_a_killed_server_takes_with_it_only_what_it_had_not_finished(tmp_path: Path) -> None:
    """Finished requests are all counted; of the others at most what their clients were sent."""
    bench = a_bench(tmp_path)
    with bench.llama.running() as server:
        tokwatch, api = bench.tokwatch((server.pid,)), bench.llama.api
        with tokwatch.recording():
            finished = total(asyncio.run(load_of(api, [_short_answer(place) for place in range(20)], at_once=3)))
            tokwatch.wait_for_pages(api.address, now_ms(), 2)
            sent = asyncio.run(_answers_cut_short(api, 3, enough=200, cut=server.kill))
            wait_until(lambda: not _last_page(tokwatch, api).up, "the recorder sees that it is gone", within_s=30)
    counted = counted_tokens(model_rows(tokwatch, api.address))
    produced = finished.output + sum(sent)
    print(f"output tokens: finished {finished.output}, sent of 3 cut short {sent}, tokwatch {counted.output}")
    print(f"  tokwatch lacks {produced - counted.output}: llama-server counts a request when it ends; these did not")
    assert finished.output <= counted.output <= produced
    assert counted.prompt >= finished.prompt


def _long_answer() -> Request:
    return Request("/v1/completions", {"prompt": "once", "max_tokens": _LONG, "ignore_eos": True})


def _short_answer(place: int) -> Request:
    return Request("/v1/completions", {"prompt": f"{place} short", "max_tokens": 5 + place, "ignore_eos": True})


async def _answers_cut_short(api: Api, count: int, *, enough: int, cut: Callable[[], None] | None) -> list[int]:
    """Tokens that each of several streams had brought when all of them had `enough` and were cut: by `cut`, which makes
    the server break them off, else by their clients, which leave."""
    sent = [0] * count

    async def read(number: int) -> None:
        body = _long_answer().body | {"model": api.model, "stream": True, "timings_per_token": True}
        async with session.post(f"{api.url}/v1/completions", json=body) as answer:
            async for chunk in _chunks(answer.content):
                sent[number] = chunk["timings"]["predicted_n"]
                if min(sent) >= enough:
                    if cut is None:
                        return
                    cut()
        pytest.fail("an answer came to its end before it was cut")

    async with session_of(api) as session:
        ends = await asyncio.gather(*(read(number) for number in range(count)), return_exceptions=True)
    broken_off = [end for end in ends if end is not None]
    assert all(isinstance(end, aiohttp.ClientError) for end in broken_off), broken_off
    return sent


async def _chunks(lines: AsyncIterable[bytes]) -> AsyncIterator[dict[str, Any]]:
    async for line in lines:
        if line.startswith(b"data: {"):
            yield json.loads(line.removeprefix(b"data: "))


def _last_page(tokwatch: Tokwatch, api: Api) -> ServerEntry:
    """What the recorder knows last of the server."""
    server = tokwatch.entity("server", api.address)
    assert server is not None
    return of_server(tokwatch.records(now_ms() - 30_000), server)[-1]
