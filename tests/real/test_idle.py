"""A real vLLM under load, then left alone, then stopped: each state at its time, and the alert's dollars.

It takes a quarter of an hour.
"""

from __future__ import annotations

import asyncio
from itertools import groupby
from pathlib import Path

import pytest

from tests.real.clients import load_for
from tests.real.engines import engine_core
from tests.real.processes import wait_until
from tests.real.recording import USD_PER_GPU_HOUR, Tokwatch, states_of
from tests.real.served import secret_file
from tests.real.test_vllm import a_vllm
from tokwatch.exits import Exit
from tokwatch.ledger.entries import State
from tokwatch.ledger.snapshot import AlertRow, Snapshot
from tokwatch.ledger.states import Thresholds

pytestmark = pytest.mark.real

_LOAD_S = 60.0
_RESTS_FROM_S, _PROCESS_ENDS_S = 110, 560  # seconds of the scenario: after the load; after the parked alert
_LIMITS = Thresholds()
_PARKED_ALERT_S = 300.0
_SLACK_S = 3.0  # ticks, and a page of a second

# GPU 0 works while vLLM is under load, and empties when its process ends. Its processes are told by the driver.
_ONE_GPU = """\
t0_ns {t0_ns}
gpu NVIDIA H100 80GB HBM3
power_w segments 0:420 110:125 560:68
utilization_percent segments 0:88 110:0
memory_used_mib segments 0:71000 560:500
{processes}
"""


def _alert(of: Snapshot, state: str) -> AlertRow | None:
    return next((alert for alert in of.alerts if alert.state == state and alert.status == "firing"), None)


def test_serving_then_parked_then_free_at_their_times_and_at_their_price(tmp_path: Path) -> None:
    vllm = a_vllm(tmp_path)
    with vllm.running() as server:
        pid = engine_core(server)
        tokwatch = Tokwatch.in_folder(
            tmp_path / "tokwatch",
            f'[[servers]]\nurl = "{vllm.api.url}"\ntoken_file = "{secret_file(tmp_path, vllm.key)}"\n',
            scenario=_ONE_GPU.replace("{processes}", f"process {pid} 70000 0 {_PROCESS_ENDS_S}"),
        )
        with tokwatch.recording():
            requests = asyncio.run(load_for(vllm.api, clients=4, seconds=_LOAD_S))
            assert tokwatch.elapsed_s() < _RESTS_FROM_S, "the machine was too slow for this scenario"
            wait_until(lambda: _alert(tokwatch.once()[0], "parked") is not None, "parked fires", within_s=420)
            parked, parked_at = _alert(tokwatch.once()[0], "parked"), tokwatch.once()[0].tick_ms
            wait_until(lambda: tokwatch.elapsed_s() > _PROCESS_ENDS_S - 1, "the process is to end", within_s=300)
            server.terminate()
            wait_until(lambda: _state(_after(tokwatch)) == "unallocated", "the GPU is free", within_s=60)
            wait_until(lambda: _after(tokwatch).gpus[0].confirmed, "the GPU is free for good", within_s=420)
            free = _after(tokwatch)
    records = tokwatch.records()
    spans = [(state, len(list(run))) for state, run in groupby(states_of(records, tokwatch.gpu(0)))]
    print(f"{len(requests)} requests; ticks by state: {[(state.name, ticks) for state, ticks in spans]}")
    assert parked is not None
    held_s = (parked_at - parked.since_ms) / 1000
    print(f"  parked fired {(_ms(parked.fired_ms) - parked.since_ms) / 1000:.1f} s after it began;", end=" ")
    print(f"{held_s:.1f} s at {USD_PER_GPU_HOUR} $/h: {held_s * USD_PER_GPU_HOUR / 3600:.5f} $,", end=" ")
    print(f"tokwatch {parked.usd_so_far.value:.5f} $")
    assert (_ms(parked.fired_ms) - parked.since_ms) / 1000 == pytest.approx(_PARKED_ALERT_S, abs=_SLACK_S)
    assert parked.usd_so_far.value == pytest.approx(held_s * USD_PER_GPU_HOUR / 3600, abs=_SLACK_S / 3600 * 2.35)
    assert parked.usd_per_day.value == pytest.approx(24 * USD_PER_GPU_HOUR)
    row = free.gpus[0]
    assert (free.tick_ms - row.since_ms) / 1000 >= _LIMITS.dwell_s(State.UNALLOCATED)
    order = [state for state, ticks in spans if ticks > _SLACK_S]
    assert [state for state in order if state in (State.SERVING, State.PARKED, State.UNALLOCATED)] == [
        State.SERVING,
        State.PARKED,
        State.UNALLOCATED,
    ]


def _after(tokwatch: Tokwatch) -> Snapshot:
    """Now that its server does not answer any more, a part of the data is missing."""
    return tokwatch.once(leaves_with=Exit.PARTIAL)[0]


def _state(of: Snapshot) -> str:
    return of.gpus[0].state


def _ms(at_ms: int | None) -> int:
    assert at_ms is not None
    return at_ms
