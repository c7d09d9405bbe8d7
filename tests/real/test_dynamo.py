"""A real NVIDIA Dynamo whose engine only simulates the time that tokens take: aggregated and disaggregated.

The workers' pages count no tokens of their own with this engine, so the frontend's are the only ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.counted_once import counted, serve_and_count, shown
from tests.real.engines import Dynamo
from tests.real.processes import free_port, free_small_port, required
from tests.real.recording import Tokwatch, states_of
from tokwatch.ledger.entries import State

pytestmark = pytest.mark.real

_WARM_UP_MS = 5_000


def a_dynamo(folder: Path, workers: int) -> Dynamo:
    python, model = required("TOKWATCH_REAL_DYNAMO_PYTHON", "TOKWATCH_REAL_VLLM_MODEL")
    first = free_small_port()
    return Dynamo(python, model, folder, free_port(), tuple(range(first, first + workers)), free_port())


@pytest.mark.parametrize("workers", [1, 2], ids=["aggregated", "disaggregated"])
def test_tokens_are_those_of_the_clients_counted_once(tmp_path: Path, workers: int) -> None:
    dynamo = a_dynamo(tmp_path, workers)
    addresses = [f"127.0.0.1:{port}" for port in dynamo.worker_ports]
    config = f'[[servers]]\nurl = "{dynamo.api.url}/metrics"\ndeployment = "tiny"\n'
    for gpu, address in enumerate(addresses):
        config += f'[[servers]]\nurl = "http://{address}/metrics"\ngpus = [{gpu}]\ndeployment = "tiny"\n'
    with dynamo.running():
        tokwatch = Tokwatch.in_folder(tmp_path / "tokwatch", config)
        servers = [dynamo.api.address, *addresses]
        used, from_ms, to_ms = serve_and_count(tokwatch, dynamo.api, servers, clients=8, seconds=30)
    for address in servers:
        print(f"  page of {address}: {shown(tokwatch, address)}")
    told = counted(tokwatch, servers)
    print(f"  by the clients: {used}\n  by tokwatch:    {told}")
    assert told == used
    under_load = tokwatch.records(from_ms + _WARM_UP_MS, to_ms)
    for gpu in range(workers):
        states = states_of(under_load, tokwatch.gpu(gpu))
        print(f"  GPU {gpu} under load: {sorted({state.name for state in states})}")
        assert not [state for state in states if state.idle]
        assert states.count(State.SERVING) >= 0.95 * len(states)
