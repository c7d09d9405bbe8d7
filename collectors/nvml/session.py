"""The driver from init to shutdown, and again: finds the GPUs, reads them all, and comes back after a failure."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from collectors.labels import clean_label
from collectors.nvml.calls import Calls
from collectors.nvml.device import Device
from collectors.nvml.errors import Code, Refusal, driver_words, reason_for
from collectors.nvml.port import Driver
from collectors.nvml.sources import EnergyEstimate
from collectors.readings import GpuFacts, GpuReading, Probe, Reason

FIRST_RETRY_NS = 5_000_000_000
LONGEST_RETRY_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Poll:
    """What one round over all GPUs gave."""

    readings: tuple[GpuReading, ...]
    probes: tuple[Probe, ...]


class Session:
    """Everything here runs on the one thread that talks to the driver."""

    def __init__(self, driver: Driver, calls: Calls, now_ns: Callable[[], int]) -> None:
        self._driver = driver
        self._calls = calls
        self._now_ns = now_ns
        self._devices: tuple[Device, ...] | None = None  # None: not initialised
        self._version = ""
        self._failed_with: int = Code.SUCCESS
        self._retry_at_ns = 0
        self._retry_after_ns = FIRST_RETRY_NS
        self._known: dict[int, GpuFacts] = {}  # by index, with the UUID once it was told
        self._estimates: dict[str, EnergyEstimate] = {}

    @property
    def is_open(self) -> bool:
        """Whether the driver is initialised."""
        return self._devices is not None

    def poll(self) -> Poll:
        """Never fails: what is wrong with the driver or a GPU is in the readings and probes."""
        if self._devices is None and self._now_ns() < self._retry_at_ns:
            return self._without_driver()
        try:
            if self._devices is None:
                self._devices = self._open()
            readings = self._with_known_names(tuple(device.read() for device in self._devices))
        except Refusal as refusal:
            return self._fail(refusal.code)
        for reading in readings:
            if reading.facts.uuid is not None or reading.facts.index not in self._known:
                self._known[reading.facts.index] = reading.facts
        if readings and all(reading.problem is Reason.LOST for reading in readings):
            # Nothing is left that a new init could disturb, and only that finds a GPU which was reset.
            return self._fail(self._devices[0].refused_with)
        self._retry_after_ns = FIRST_RETRY_NS
        return Poll(readings, self._probes(readings))

    def close(self) -> None:
        if self._devices is not None:
            for device in self._devices:
                device.close()
            self._devices = None
            self._shut_down()

    def _open(self) -> tuple[Device, ...]:
        driver, calls = self._driver, self._calls
        calls(driver.nvmlInit)
        try:
            self._version = clean_label(calls(driver.nvmlSystemGetDriverVersion))
            count = calls(driver.nvmlDeviceGetCount)
        except Refusal:
            self._shut_down()
            raise
        return tuple(
            Device(driver, calls, self._now_ns, index, self._version, self._estimates) for index in range(count)
        )

    def _shut_down(self) -> None:
        with contextlib.suppress(Refusal):  # a driver that will not shut down says why at the next init
            self._calls(self._driver.nvmlShutdown)

    def _fail(self, code: int) -> Poll:
        self.close()
        self._failed_with = code
        self._retry_at_ns = self._now_ns() + self._retry_after_ns
        self._retry_after_ns = min(2 * self._retry_after_ns, LONGEST_RETRY_NS)
        return self._without_driver()

    def _without_driver(self) -> Poll:
        words = driver_words(self._failed_with)
        readings = tuple(
            GpuReading(facts, self._now_ns(), problem=reason_for(self._failed_with), problem_text=str(words))
            for _, facts in sorted(self._known.items())
        )
        return Poll(readings, (Probe("NVIDIA driver", False, words.found, words.hint),))

    def _with_known_names(self, readings: tuple[GpuReading, ...]) -> tuple[GpuReading, ...]:
        """A GPU that now refuses its handle but was seen at this index, and is at no other, keeps its identity."""
        present = {reading.facts.uuid for reading in readings}
        return tuple(
            replace(reading, facts=known)
            if reading.facts.uuid is None
            and (known := self._known.get(reading.facts.index)) is not None
            and known.uuid not in present
            else reading
            for reading in readings
        )

    def _probes(self, readings: tuple[GpuReading, ...]) -> tuple[Probe, ...]:
        count = len(readings)
        hint = "" if count else "no GPU is visible: check lspci, and the container's --gpus"
        probes = [Probe("NVIDIA driver", count > 0, f"{self._version}, {count} GPU{'s' * (count != 1)}", hint)]
        for reading, device in zip(readings, self._devices or (), strict=True):
            index = reading.facts.index
            if reading.problem is not None:
                probes.append(Probe(f"GPU {index}", False, str(reading.problem), reading.problem_text))
            elif device.recovery is not None:
                probes.append(Probe(f"GPU {index}", False, device.recovery.found, device.recovery.hint))
        without = [str(r.facts.index) for r in readings if r.facts.persistence_mode is False]
        if without:
            hint = "run: sudo nvidia-smi -pm 1; else the energy counter restarts when the last program leaves a GPU"
            probes.append(Probe("NVIDIA persistence mode", False, f"off on GPU {', '.join(without)}", hint))
        if any(device.processes_garbled for device in self._devices or ()):
            found = f"driver {self._version} gives garbled process lists; they are not used"
            probes.append(Probe("NVIDIA process list", False, found, "update the driver: 535.154 and newer are right"))
        if self._calls.missing:
            found = f"driver {self._version} has no {', '.join(sorted(self._calls.missing))}"
            probes.append(Probe("NVIDIA driver functions", False, found, "a newer driver has them, and shows more"))
        return tuple(probes)
