"""The simulated driver is the C stub in Python: one scenario through both gives the same readings to the last bit."""

from __future__ import annotations

import pytest

from collectors.nvml.calls import Calls
from collectors.nvml.collector import NvmlCollector
from collectors.nvml.session import Poll, Session
from tests.nvml_stub.stub import StubLibrary, pynvml_as_found
from tokwatch.demo.driver import SimulatedDriver
from tokwatch.demo.scenario import parse

__all__ = ["pynvml_as_found"]

H100 = """
gpu NVIDIA H100 80GB HBM3
  power_w 120
  power_w square 0 480 13.7 0.6
  power_w sine 15.5 3.1 0.4
  utilization_percent square 0 98 13.7 0.6
  memory_used_mib segments 0:1024 4:71000
  temperature_c ramp 0 60 40
  temperature_c 30
  memory_temperature_c 66
  sm_clock_mhz 1980
  throttle segments 30:4
  tensor_percent square 5 70 13.7 0.6
  dram_percent sine 20 3.1
  dram_percent 40.5
  recovery_action segments 0:0 60:2
  process 4711 69000 4 50
  process 4712 512.5
"""
FLEET = f"""
driver 570.124.06
error nvmlInitWithFlags DRIVER_NOT_LOADED 0 3
{H100}
{H100}
  uuid GPU-5d7a3c1e-9f02-4b7e-8c55-1f1f0a9b2c3d
  energy_start_mj 123456789012345
  energy_reset 20.25
  energy_glitch 31 1152921504606846976
  energy_stuck 61
  error * GPU_IS_LOST 70
gpu NVIDIA A100-SXM4-80GB
  architecture 7
  mig on
  mig_instance 0 3g.20gb 19968
  mig_instance 1 1g.5gb 4864 10 30
  mig_instance 1 2g.10gb 9856 45
  mig_process 0 5000 1000.5
  mig_process 0 5000 24
  mig_process 1 5001 77 12
  process 4999 3
  error mig:nvmlDeviceGetMemoryInfo_v2 ARGUMENT_VERSION_MISMATCH 20
  error mig:nvmlDeviceGetComputeRunningProcesses_v3 NO_PERMISSION 50 60
  error nvmlDeviceGetComputeRunningProcesses_v3 NO_PERMISSION 55 70
  power_w ramp 2 50 333.3
  persistence off
  error field:185 NOT_SUPPORTED
gpu Tesla P100-PCIE-16GB
  power_w sine 40.25 9.7
  power_w 150.125
  memory_reserved_mib 33
  error field:83 NOT_SUPPORTED
  error nvmlDeviceGetTotalEnergyConsumption NOT_SUPPORTED
  error nvmlDeviceGetMemoryInfo_v2 ARGUMENT_VERSION_MISMATCH
  error nvmlDeviceGetTemperatureV FUNCTION_NOT_FOUND
  error nvmlDeviceGetUtilizationRates UNKNOWN 10 20
gpu NVIDIA GH200 480GB
  power_w 400
  module_w 151.5
  energy_scope module
  energy_reset 33
  error field:185:0 NOT_SUPPORTED
  error gpm:5 NOT_SUPPORTED
  error nvmlGpmSampleGet NO_PERMISSION 20 30
  process_struct 535
  process 11 5
  process 12 6 20
  error nvmlDeviceGetComputeRunningProcesses_v3 INSUFFICIENT_SIZE 40 45
gpu NVIDIA L40S
  error nvmlDeviceGetHandleByIndex_v2 NO_PERMISSION 0 30
  error nvmlDeviceGetSerial NOT_SUPPORTED
  error field:82 NOT_SUPPORTED
  error nvmlGpmQueryDeviceSupport FUNCTION_NOT_FOUND
"""


class Twins:
    """The same scenario behind the real pynvml on the stub, and behind the simulated driver, with one clock."""

    def __init__(self, scenario: str) -> None:
        self.stub = StubLibrary(scenario)
        self.simulated = SimulatedDriver(parse(scenario), self.stub.clock)
        self._sessions = [
            Session(driver, Calls(driver), self.stub.clock) for driver in (self.stub.driver, self.simulated)
        ]

    def polls_at(self, seconds: float) -> list[Poll]:
        self.stub.set_time(seconds)
        return [session.poll() for session in self._sessions]


@pytest.mark.parametrize("interval_s", [1.0, 0.37, 2.9, 11.3])
def test_every_reading_equals_that_of_the_c_stub(interval_s: float) -> None:
    twins = Twins("t0_ns 0\n" + FLEET)
    for tick in range(100):
        if tick == 40:
            twins.stub.driver.nvmlShutdown()  # under the collector's feet, in both
            twins.simulated.nvmlShutdown()
        stub, simulated = twins.polls_at(tick * interval_s)
        assert simulated == stub


def test_a_handle_dies_with_the_shutdown() -> None:
    twins = Twins("t0_ns 0\ngpu G")
    for driver in (twins.stub.driver, twins.simulated):
        driver.nvmlInit()
        handle = driver.nvmlDeviceGetHandleByIndex(0)
        driver.nvmlShutdown()
        with pytest.raises(driver.NVMLError) as shut_down:
            driver.nvmlDeviceGetName(handle)
        assert shut_down.value.value == 1  # type: ignore[attr-defined]
        driver.nvmlInit()
        with pytest.raises(driver.NVMLError) as stale:
            driver.nvmlDeviceGetName(handle)
        assert stale.value.value == 2  # type: ignore[attr-defined]


async def test_the_collector_reads_the_simulated_driver_as_it_reads_a_real_one() -> None:
    now_ns = 7_000_000_000
    collector = NvmlCollector(SimulatedDriver(parse(H100), lambda: now_ns), now_ns=lambda: now_ns)
    (first,) = await collector.collect()
    now_ns += 60_000_000_000  # second 0 was the first initialisation
    (second,) = await collector.collect()
    assert first.energy_mj == 0
    assert second.energy_mj == int(parse(H100).gpus[0].joules_between(0, 60) * 1000)
    await collector.close()
