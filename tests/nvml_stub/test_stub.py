"""The stub passes for the real library: with readers that are not ours, in other processes, on the real clock."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.nvml_stub.stub import stub_environment
from tokwatch.demo.scenario import parse

SCENARIO = """
gpu NVIDIA H100 80GB HBM3
  power_w 300
  utilization_percent 95
  memory_used_mib 70000
  temperature_c 61
  process {pid} 69000
gpu NVIDIA L4
  limit_w 72
  power_w 40
  error nvmlDeviceGetUtilizationRates NOT_SUPPORTED
"""


def run(scenario: str, tmp_path: Path, *arguments: str) -> str:
    """What a Python process prints that finds the stub as its driver. It must have no errors to print."""
    path = tmp_path / "scenario"
    path.write_text(scenario)
    command = [sys.executable, *arguments]
    ran = subprocess.run(command, env=stub_environment(path), capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


@pytest.mark.skipif(importlib.util.find_spec("nvitop") is None, reason="nvitop is not installed")
def test_nvitop_prints_what_the_scenario_says(tmp_path: Path) -> None:
    printed = run(SCENARIO.format(pid=os.getpid()), tmp_path, "-m", "nvitop", "--once")
    assert "Driver Version: 580.82.07" in printed
    assert "61C   P0    300W / 700W │  68.36GiB / 79.65GiB │     95%" in printed
    assert "40W / 72W" in printed
    assert f"{os.getpid()}" in printed


READ_ENERGY = """
import json, pynvml, time
pynvml.nvmlInit()
handle = pynvml.nvmlDeviceGetHandleByIndex(0)
before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
energy_mj = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
print(json.dumps([before, energy_mj, time.clock_gettime_ns(time.CLOCK_BOOTTIME)]))
"""


def test_processes_agree_on_the_energy_when_the_scenario_has_a_fixed_start(tmp_path: Path) -> None:
    t0_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 3_600_000_000_000
    scenario = f"t0_ns {t0_ns}\ngpu NVIDIA H100 80GB HBM3\npower_w 200\npower_w sine 150 7.7"
    gpu = parse(scenario).gpus[0]
    for _ in range(2):
        before_ns, energy_mj, after_ns = json.loads(run(scenario, tmp_path, "-c", READ_ENERGY))
        assert gpu.energy_mj_at(before_ns - t0_ns) <= energy_mj <= gpu.energy_mj_at(after_ns - t0_ns)


def test_a_scenario_that_cannot_be_read_is_told_and_fails_the_init(tmp_path: Path) -> None:
    path = tmp_path / "scenario"
    path.write_text("gpu G\nfrobnicate\n")
    command = [sys.executable, "-c", "import pynvml; pynvml.nvmlInit()"]
    ran = subprocess.run(command, env=stub_environment(path), capture_output=True, text=True, timeout=60, check=False)
    assert f"{path}:2 makes no sense" in ran.stderr
    assert "NVMLError_Unknown" in ran.stderr
