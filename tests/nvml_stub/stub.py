"""Builds the C stub, puts it under the real pynvml, and turns its clock."""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pynvml
import pytest

from collectors.nvml.calls import Calls
from collectors.nvml.port import Driver
from collectors.nvml.session import Poll, Session
from collectors.readings import GpuReading

SOURCES = Path(__file__).parent
SONAME = "libnvidia-ml.so.1"


@functools.cache
def build_stub() -> Path:
    """The library, compiled once a test session into a directory of its own. Skips the test without a C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler: the NVML stub cannot be built")
    folder = Path(tempfile.mkdtemp(prefix="nvml-stub-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    library = folder / SONAME
    # No contraction to fused multiply-adds: the Python twin must come to the same millijoule.
    flags = ["-shared", "-fPIC", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden"]
    sources = sorted(str(path) for path in SOURCES.glob("*.c"))
    command = [compiler, *flags, f"-Wl,-soname,{SONAME}", "-o", str(library), *sources, "-lm", "-lpthread"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return library


def stub_environment(scenario_path: Path) -> dict[str, str]:
    """The environment of a process that is to find the stub as its NVIDIA driver, on the real clock."""
    return {**os.environ, "LD_LIBRARY_PATH": str(build_stub().parent), "TOKWATCH_NVML_SCENARIO": str(scenario_path)}


@pytest.fixture(autouse=True)
def pynvml_as_found() -> Iterator[None]:
    """Takes the stub out again; a module that uses the stub imports this fixture."""
    yield
    pynvml.nvmlLib = None
    pynvml._nvmlGetFunctionPointer_cache.clear()


class StubLibrary:
    """The stub in this process, under the real pynvml. One at a time: a new one is the same library, emptied."""

    def __init__(self, scenario: str) -> None:
        self._library = ctypes.CDLL(str(build_stub()))
        self.join_readers()
        self._library.nvml_stub_calls.restype = ctypes.c_long
        self.now_ns = 0
        self.set_scenario(scenario)
        pynvml.nvmlLib = self._library
        pynvml._nvmlGetFunctionPointer_cache.clear()
        self.driver: Driver = pynvml

    def set_scenario(self, scenario: str) -> None:
        """A clean slate, at second 0 of the virtual clock. ValueError names the line that makes no sense."""
        line = self._library.nvml_stub_load(scenario.encode(errors="surrogateescape"))
        if line:
            raise ValueError(f"line {line} of the scenario makes no sense")
        self.set_time(0)

    def set_time(self, seconds: float) -> None:
        self.now_ns = round(seconds * 1e9)
        self._library.nvml_stub_set_clock_ns(ctypes.c_int64(self.now_ns))

    def clock(self) -> int:
        """What the stub takes for CLOCK_BOOTTIME, ns."""
        return self.now_ns

    def call_count(self, call: str) -> int:
        """Calls of one C function so far."""
        return int(self._library.nvml_stub_calls(call.encode()))

    def release_hangs(self) -> None:
        self._library.nvml_stub_release_hangs()

    def join_readers(self) -> None:
        """Wait for the threads of closed collectors: they must not call into the library of the next test."""
        for thread in threading.enumerate():
            if thread.name.startswith("nvml"):
                thread.join(10)


class Box:
    """A host with the GPUs of a scenario, read by the collector's own session through the real pynvml."""

    def __init__(self, scenario: str) -> None:
        self.stub = StubLibrary(scenario)
        self.calls = Calls(self.stub.driver)
        self.session = Session(self.stub.driver, self.calls, self.stub.clock)

    def poll_at(self, seconds: float) -> Poll:
        self.stub.set_time(seconds)
        return self.session.poll()

    def gpus_at(self, seconds: float) -> tuple[GpuReading, ...]:
        return self.poll_at(seconds).readings

    def gpu_at(self, seconds: float) -> GpuReading:
        (reading,) = self.gpus_at(seconds)
        return reading
