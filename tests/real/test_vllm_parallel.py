"""A real vLLM of several processes: two API servers before one engine, and two data-parallel engines behind one.

Their pages come from several processes: no process start, and gauges that are those of whichever wrote last. Under
load the data-parallel ones have read 0 running; nothing may call that idle.
"""

from __future__ import annotations

import secrets

import pytest

from tests.real.engines import Vllm, engine_core
from tests.real.processes import free_port, required
from tests.real.recording import Tokwatch
from tests.real.served import Served, check_joules, check_never_idle, check_tokens, secret_file, serve

pytestmark = pytest.mark.real

_LOAD_S = 60.0
_CLIENTS = 10
_WAYS = {
    "two API servers": ("--api-server-count", "2"),
    "data-parallel 2": ("--data-parallel-size", "2", "--data-parallel-address", "127.0.0.1"),
}


@pytest.fixture(scope="module", params=list(_WAYS.values()), ids=list(_WAYS))
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Served:
    python, model = required("TOKWATCH_REAL_VLLM_PYTHON", "TOKWATCH_REAL_VLLM_MODEL")
    folder = tmp_path_factory.mktemp("vllm")
    vllm = Vllm(python, model, free_port(), secrets.token_urlsafe(24), folder / "vllm.txt", request.param)
    config = f'[[servers]]\nurl = "{vllm.api.url}"\ntoken_file = "{secret_file(folder, vllm.key)}"\n'
    with vllm.running() as server:
        tokwatch = Tokwatch.in_folder(folder / "tokwatch", config, pids=(engine_core(server),))
        return serve(tokwatch, vllm.api, clients=_CLIENTS, seconds=_LOAD_S)


def test_tokens_are_those_of_the_api_to_the_token(served: Served) -> None:
    check_tokens(served)


def test_nothing_calls_it_idle_while_clients_are_served(served: Served) -> None:
    check_never_idle(served)


def test_joules_are_the_integral_of_the_power_drawn(served: Served) -> None:
    check_joules(served)
