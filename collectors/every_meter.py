"""All meters of a box as one GpuCollector: the driver, the exporters, and the processors where there is no GPU."""

from __future__ import annotations

from pathlib import Path

from collectors.exporters import ExporterCollector
from collectors.meters import OF_EVERY_VENDOR
from collectors.package import PackageMeter
from collectors.readings import GpuCollector, GpuReading, Probe

NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")


class EveryMeter:
    """A GpuCollector. The same GPU may come from several meters: the ledger counts it once, by the nearest of them.

    Exporters that read every vendor's devices are heard only where no other meter reads any: they name a device of
    AMD or Intel by another id than its vendor's exporter does, and it would stand there twice.
    The processors are a row only while no meter has ever told of a GPU and no NVIDIA driver is loaded.
    """

    def __init__(
        self,
        driver: GpuCollector,
        exporters: ExporterCollector,
        package: PackageMeter,
        *,
        nvidia_driver: Path = NVIDIA_DRIVER,
    ) -> None:
        self._driver = driver
        self._exporters = exporters
        self._package = package
        self._nvidia_driver = nvidia_driver
        self._vendors_read = False  # a vendor's own meter has told of a device
        self._any_read = False
        self._package_read = False

    async def collect(self) -> tuple[GpuReading, ...]:
        """New readings of every meter since the last call."""
        readings = (*await self._driver.collect(), *await self._exporters.collect())
        self._vendors_read |= any(reading.facts.meter not in OF_EVERY_VENDOR for reading in readings)
        self._any_read |= bool(readings)
        if self._vendors_read:
            return tuple(reading for reading in readings if reading.facts.meter not in OF_EVERY_VENDOR)
        # The driver has a probe line once it has answered, with or without GPUs.
        settled = bool(self._driver.probes()) and self._exporters.settled
        self._package_read = settled and not self._any_read and not self._nvidia_driver.exists()
        return (self._package.reading(),) if self._package_read else readings

    def probes(self) -> tuple[Probe, ...]:
        package = (self._package.probe(),) if self._package_read else ()
        return (*self._driver.probes(), *self._exporters.probes(), *package)

    def call_durations(self) -> dict[str, tuple[int, float, float]]:
        return self._driver.call_durations()

    async def close(self) -> None:
        await self._exporters.close()
        await self._driver.close()
