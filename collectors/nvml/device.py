"""One GPU of one initialisation of the driver: getting its handle, reading it, and saying so when it refuses."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

from collectors.labels import clean_label
from collectors.nvml.calls import Calls
from collectors.nvml.errors import Code, Refusal, Words, gpu_words, reason_for, recovery_words
from collectors.nvml.gauges import Gauges
from collectors.nvml.port import Driver
from collectors.nvml.sources import EnergyEstimate, Sources
from collectors.readings import GpuFacts, GpuReading, Reason

ASK_REFUSED_EVERY_NS = 60_000_000_000
NEVER_NS = sys.maxsize


class Device:
    """A GPU that is lost stays lost: asking it again may hang the driver, and with it every other GPU."""

    def __init__(
        self,
        driver: Driver,
        calls: Calls,
        now_ns: Callable[[], int],
        index: int,
        driver_version: str | None,
        estimates: dict[str, EnergyEstimate],
    ) -> None:
        self._driver = driver
        self._calls = calls
        self._now_ns = now_ns
        self._facts = GpuFacts(index=index, uuid=None, driver_version=driver_version)
        self._estimates = estimates  # by UUID; they outlive this initialisation
        self._gauges: Gauges | None = None
        self.refused_with: int = Code.SUCCESS  # the last code that stood for the whole GPU
        self._ask_again_ns = 0

    @property
    def processes_garbled(self) -> bool:
        """The driver's last process list held impossible pids."""
        return self._gauges is not None and self._gauges.processes_garbled

    @property
    def recovery(self) -> Words | None:
        """What the driver wants done about this GPU; None: nothing, or it does not say."""
        return None if self._gauges is None else recovery_words(self._gauges.recovery_action)

    def close(self) -> None:
        """Before the driver is shut down."""
        if self._gauges is not None:
            self._gauges.close()

    def read(self) -> GpuReading:
        """Never fails for this GPU alone; raises Refusal when the driver was shut down."""
        now_ns = self._now_ns()
        if now_ns >= self._ask_again_ns:
            try:
                if self._gauges is None:
                    self._gauges = self._open()
                return self._gauges.read()
            except Refusal as refusal:
                if refusal.code == Code.UNINITIALIZED:
                    raise
                self.refused_with = refusal.code
                lost = refusal.reason is Reason.LOST
                self._ask_again_ns = NEVER_NS if lost else now_ns + ASK_REFUSED_EVERY_NS
                if lost and self._gauges is not None:
                    if refusal.code == Code.RESET_REQUIRED:
                        self._gauges.ask_recovery_action()
                    self._gauges.close()
        return GpuReading(
            facts=self._gauges.facts if self._gauges else self._facts,
            at_ns=now_ns,
            problem=reason_for(self.refused_with),
            problem_text=str(self._words()),
        )

    def _words(self) -> Words:
        advice = self.recovery if self.refused_with == Code.RESET_REQUIRED else None
        return advice or gpu_words(self.refused_with)

    def _open(self) -> Gauges:
        """Raises Refusal without a handle or a UUID; a GPU without a name or PCI address can still be measured."""
        driver, calls = self._driver, self._calls
        handle = calls(driver.nvmlDeviceGetHandleByIndex, self._facts.index)
        uuid = clean_label(calls(driver.nvmlDeviceGetUUID, handle))
        name = Sources("name", lambda: calls(driver.nvmlDeviceGetName, handle)).ask({})
        pci = Sources("pci_bus_id", lambda: calls(driver.nvmlDeviceGetPciInfo, handle)).ask({})
        facts = replace(
            self._facts,
            uuid=uuid,
            name=None if name is None else clean_label(name),
            pci_bus_id=None if pci is None else clean_label(pci.busId),
        )
        estimate = self._estimates.setdefault(uuid, EnergyEstimate())
        return Gauges(driver, calls, self._now_ns, handle, facts, estimate)
