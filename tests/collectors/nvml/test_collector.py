"""The collector: whatever the driver does, collect() returns in time and the process can leave."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.nvml.collector import NvmlCollector
from collectors.readings import GpuCollector, GpuReading, Reason
from tests.nvml_stub.stub import StubLibrary, pynvml_as_found, stub_environment
from tokwatch.demo.driver import SimulatedDriver
from tokwatch.demo.scenario import parse

__all__ = ["pynvml_as_found"]

GPUS = "gpu NVIDIA H100 80GB HBM3\npower_w 300\ngpu NVIDIA H100 80GB HBM3\npower_w 100\n"
HANG_AT_5 = "hang nvmlDeviceGetFieldValues 5\n" + GPUS


@pytest.fixture
def stub() -> Iterator[StubLibrary]:
    library = StubLibrary(GPUS)
    yield library
    library.release_hangs()
    library.join_readers()


def collector_of(stub: StubLibrary, patience_s: float = 5.0) -> NvmlCollector:
    return NvmlCollector(stub.driver, now_ns=stub.clock, patience_s=patience_s)


async def next_readings(collector: NvmlCollector) -> tuple[GpuReading, ...]:
    """The next readings in which the driver answered."""
    async with asyncio.timeout(20):
        while True:
            readings = await collector.collect()
            if readings and readings[0].problem is None:
                return readings


async def ended(collector: NvmlCollector) -> bool:
    """Whether the driver's thread ends when it is let go."""
    assert collector._thread is not None
    await asyncio.to_thread(collector._thread.join, 10)
    return not collector._thread.is_alive()


async def test_each_call_gives_one_new_reading_of_every_gpu(stub: StubLibrary) -> None:
    collector: GpuCollector = collector_of(stub)
    first = await collector.collect()
    stub.set_time(10)
    second = await collector.collect()
    assert [gpu.energy_mj for gpu in first] == [0, 0]
    assert [gpu.energy_mj for gpu in second] == [3_000_000, 1_000_000]
    assert [gpu.at_ns for gpu in second] == [10_000_000_000] * 2
    await collector.close()


async def test_a_hung_driver_holds_up_nobody_and_is_told_after_three_seconds(stub: StubLibrary) -> None:
    stub.set_scenario(HANG_AT_5)
    collector = collector_of(stub)
    before = await collector.collect()
    collector._patience_s = 0.01
    stub.set_time(5)
    assert await collector.collect() == ()
    stub.set_time(7.9)
    assert await collector.collect() == ()
    stub.set_time(8)
    stalled = await collector.collect()
    assert [gpu.facts for gpu in stalled] == [gpu.facts for gpu in before]
    assert {gpu.problem for gpu in stalled} == {Reason.STALLED}
    assert {gpu.power_w for gpu in stalled} == {None}
    assert "nvmlDeviceGetFieldValues for 3 s" in stalled[0].problem_text
    (probe,) = collector.probes()
    assert not probe.ok
    assert "has not answered" in probe.found
    stub.set_time(9.5)
    assert collector.probes() == (probe,)  # every change of one is kept

    stub.set_time(60)
    stub.release_hangs()
    readings = await next_readings(collector)
    assert readings[0].energy_mj == 18_000_000
    assert collector.probes()[0].ok
    await collector.close()


async def test_close_does_not_wait_for_a_hung_driver(stub: StubLibrary) -> None:
    stub.set_scenario("hang nvmlInitWithFlags\n" + GPUS)
    collector = collector_of(stub, patience_s=0.01)
    assert await collector.collect() == ()
    async with asyncio.timeout(1):
        await collector.close()
    assert await collector.collect() == ()
    stub.release_hangs()
    assert await ended(collector)


async def test_a_slow_answer_is_late_but_not_lost(stub: StubLibrary) -> None:
    stub.set_scenario("delay nvmlDeviceGetFieldValues 20\n" + GPUS)
    collector = collector_of(stub, patience_s=0.001)
    assert await collector.collect() == ()
    assert len(await next_readings(collector)) == 2
    await collector.close()


async def test_closing_shuts_the_driver_down(stub: StubLibrary) -> None:
    collector = collector_of(stub)
    await collector.collect()
    await collector.close()
    assert await ended(collector)
    await asyncio.to_thread(stub.join_readers)
    assert stub.call_count("nvmlShutdown") == stub.call_count("nvmlInitWithFlags") == 2  # the listener's own, too


def test_a_loop_that_ends_while_the_driver_hangs_leaves_no_thread_behind(stub: StubLibrary) -> None:
    stub.set_scenario("hang nvmlInitWithFlags\n" + GPUS)
    collector = collector_of(stub, patience_s=0.001)
    assert asyncio.run(collector.collect()) == ()
    stub.release_hangs()
    assert asyncio.run(ended(collector))


async def test_a_defect_of_ours_is_raised_where_readings_are_awaited() -> None:
    class Defective(SimulatedDriver):
        def nvmlDeviceGetCount(self) -> int:
            raise ZeroDivisionError

    collector = NvmlCollector(Defective(parse(GPUS), lambda: 0))
    with pytest.raises(ZeroDivisionError):
        await collector.collect()
    await collector.close()


async def test_durations_of_driver_calls_are_known_once_there_were_any(stub: StubLibrary) -> None:
    collector = collector_of(stub)
    assert collector.call_durations() == {}
    await collector.collect()
    assert collector.call_durations()["nvmlSystemGetDriverVersion"][0] == 1
    await collector.close()


COLLECT_ONCE = """
import asyncio, sys
from collectors.nvml.collector import NvmlCollector
assert "pynvml" not in sys.modules, "importing the collector must not import the binding"
async def main():
    collector = NvmlCollector(patience_s=float(sys.argv[1]))
    print([(gpu.facts.name, gpu.power_w) for gpu in await collector.collect()])
    print(collector.probes())
    await collector.close()
asyncio.run(main())
"""


def run_once(tmp_path: Path, scenario: str, patience_s: float) -> str:
    path = tmp_path / "scenario"
    path.write_text(scenario)
    command = [sys.executable, "-c", COLLECT_ONCE, str(patience_s)]
    ran = subprocess.run(command, env=stub_environment(path), capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return ran.stdout


def test_a_process_finds_the_driver_library_by_its_name(tmp_path: Path) -> None:
    printed = run_once(tmp_path, "gpu NVIDIA H100 80GB HBM3\npower_w 300\n", patience_s=10)
    assert "[('NVIDIA H100 80GB HBM3', 300.0)]" in printed
    assert "580.82.07, 1 GPU" in printed


def test_a_process_leaves_at_once_while_a_driver_call_hangs(tmp_path: Path) -> None:
    started_s = time.monotonic()
    printed = run_once(tmp_path, "hang nvmlDeviceGetFieldValues\n" + GPUS, patience_s=0.2)
    assert printed.startswith("[]")
    assert time.monotonic() - started_s < 20  # a hang lasts for ever: that it left at all is the point
