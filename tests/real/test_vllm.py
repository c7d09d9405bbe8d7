"""A real vLLM under real requests, beside a stub of two GPUs: what tokwatch says is what the API and the stub say."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.real.engines import Vllm, engine_core
from tests.real.processes import free_port, required
from tests.real.recording import Tokwatch
from tests.real.served import (
    Served,
    check_dollars,
    check_joules,
    check_never_idle,
    check_restart,
    check_secret_is_nowhere,
    check_snapshot,
    check_tokens,
    model_rows,
    secret_file,
    serve,
)

pytestmark = pytest.mark.real

_LOAD_S = 190.0  # the claim is about three minutes
_CLIENTS = 10  # two more than it runs at once, so that some wait


def a_vllm(folder: Path) -> Vllm:
    """Skips the test where none is installed."""
    python, model = required("TOKWATCH_REAL_VLLM_PYTHON", "TOKWATCH_REAL_VLLM_MODEL")
    return Vllm(python, model, free_port(), secrets.token_urlsafe(24), folder / "vllm.txt")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """Three minutes of requests, recorded. vLLM is found on the box, and placed by the process it has on GPU 0."""
    folder = tmp_path_factory.mktemp("vllm")
    vllm = a_vllm(folder)
    key = secret_file(folder, vllm.key)
    config = f'[[servers]]\nurl = "{vllm.api.url}"\ntoken_file = "{key}"\n'
    with vllm.running() as server:
        tokwatch = Tokwatch.in_folder(folder / "tokwatch", config, pids=(engine_core(server),))
        return serve(tokwatch, vllm.api, clients=_CLIENTS, seconds=_LOAD_S)


def test_tokens_are_those_of_the_api_to_the_token(served: Served) -> None:
    check_tokens(served)


def test_every_request_is_counted_as_finished(served: Served) -> None:
    rows = model_rows(served.tokwatch, served.api.address)
    assert sum(row["requests_completed"] for row in rows) == served.requests
    assert sum(row["requests_failed"] + row["requests_aborted"] for row in rows) == 0


def test_joules_are_the_integral_of_the_power_drawn(served: Served) -> None:
    check_joules(served)


def test_dollars_are_price_times_gpu_hours_over_tokens(served: Served) -> None:
    check_dollars(served)


def test_once_answers_at_once_from_the_running_recorder(served: Served) -> None:
    check_snapshot(served, window_ms=60_000)


def test_a_server_is_placed_by_the_process_it_has_on_the_gpu(served: Served) -> None:
    assert [gpu.placed_by for gpu in served.once.gpus] == ["process", ""]


def test_nothing_calls_it_idle_while_clients_are_served(served: Served) -> None:
    check_never_idle(served)


def test_the_api_key_is_nowhere(served: Served) -> None:
    check_secret_is_nowhere(served)


def test_a_restart_loses_no_token_of_a_finished_request(tmp_path: Path) -> None:
    vllm = a_vllm(tmp_path)
    tokwatch = Tokwatch.in_folder(tmp_path / "tokwatch", f'[[servers]]\nurl = "{vllm.api.url}"\ngpus = [0]\n')
    check_restart(tokwatch, vllm.api, vllm.running)
