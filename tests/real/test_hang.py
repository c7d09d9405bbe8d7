"""One answer of ten minutes, of which llama-server counts no token before its end, is work; a stopped server is not.

It takes thirteen minutes, and a core.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import pytest

from tests.real.clients import Request, load_of
from tests.real.engines import LlamaServer
from tests.real.processes import free_port, required, wait_until
from tests.real.recording import Tokwatch, now_ms, of_server, states_of
from tokwatch.ledger.entries import State

pytestmark = pytest.mark.real

_ANSWER_S = 600.0
_TOKENS = 60_000  # more than come in that time
_WARM_UP_MS = 5_000


def test_an_answer_of_ten_minutes_raises_no_alert_and_stopping_its_server_does(tmp_path: Path) -> None:
    program, model = required("TOKWATCH_REAL_LLAMA_SERVER", "TOKWATCH_REAL_LLAMA_SLOW_MODEL")
    llama = LlamaServer(program, model, free_port(), "", tmp_path / "llama.txt", slots=1, context=65536)
    request = Request("/v1/completions", {"prompt": "once", "max_tokens": _TOKENS, "ignore_eos": True})
    with llama.running() as server:
        config = f'[[servers]]\nurl = "{llama.api.url}/metrics"\ngpus = [0]\n'
        tokwatch = Tokwatch.in_folder(tmp_path / "tokwatch", config, pids=(server.pid,))
        with tokwatch.recording(), ThreadPoolExecutor(1) as thread:
            tokwatch.wait_for_pages(llama.api.address, 0, 2)
            from_ms, ends_s = now_ms(), time.monotonic() + _ANSWER_S
            answer = thread.submit(asyncio.run, load_of(llama.api, [request], at_once=1, timeout_s=2 * _ANSWER_S))
            wait_until(lambda: answer.done() or time.monotonic() > ends_s, "it answered long", within_s=_ANSWER_S + 60)
            assert not answer.done(), "the answer was too short: make a slower model"
            to_ms = now_ms()
            os.kill(server.pid, signal.SIGSTOP)

            def is_told() -> bool:
                return any(State(alert.state) is State.BLIND for alert in tokwatch.alerts(now_ms() - 1000, now_ms()))

            try:
                wait_until(is_told, "an alert says that the server does not answer", within_s=60)
                wait_until(
                    lambda: any(a.status == "firing" for a in tokwatch.alerts(now_ms() - 1000, now_ms())),
                    "that alert fires",
                    within_s=240,
                )
                fired_ms = now_ms()
            finally:
                os.kill(server.pid, signal.SIGCONT)
                server.kill()
            with pytest.raises(aiohttp.ClientError):
                answer.result()
    entity = tokwatch.entity("server", llama.api.address)
    assert entity is not None
    during = tokwatch.records(from_ms + _WARM_UP_MS, to_ms)
    pages = [entry for entry in of_server(during, entity) if entry.up]
    flows = tokwatch.flows(llama.api.address)
    tokens = sum(flow.output_tokens or 0 for record in during for flow in record.flows if flow.entity in flows)
    states = states_of(during, tokwatch.gpu(0))
    print(f"{len(pages)} pages in {(to_ms - from_ms) / 1000:.0f} s of one answer, {tokens} tokens counted on them")
    print(f"  pages without an engine step: {sum(not entry.progress for entry in pages)}; states: {set(states)}")
    print(f"  after SIGSTOP the alert fired in {(fired_ms - to_ms) / 1000:.0f} s")
    assert tokens == 0
    assert set(states) == {State.SERVING}
    assert [a for a in tokwatch.alerts(from_ms + _WARM_UP_MS, to_ms) if tokwatch.gpu(0) in a.gpus] == []
