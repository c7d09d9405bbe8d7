"""All meters of a box together: who is heard, and when the processors are the only device."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.every_meter import EveryMeter
from collectors.exporters import ExporterCollector
from collectors.package import PackageMeter
from collectors.readings import GpuFacts, GpuReading, Probe
from collectors.scrape import Scraper
from tests.collectors.meters.pages import PAGES
from tests.collectors.page_server import serving
from tests.collectors.test_servers import Box, Clock

BY_DRIVER = GpuReading(GpuFacts(0, "GPU-3f1b7a52-0c7e-9d41-8a5e-2b6c4f0e1d93"), 0, power_w=612.0)


class Driver:
    """A GpuCollector with given readings."""

    def __init__(self, *readings: GpuReading, has_answered: bool = True) -> None:
        self.readings = readings
        self.has_answered = has_answered
        self.closed = False

    async def collect(self) -> tuple[GpuReading, ...]:
        return self.readings

    def probes(self) -> tuple[Probe, ...]:
        return (Probe("NVIDIA driver", bool(self.readings), "made up"),) if self.has_answered else ()

    def call_durations(self) -> dict[str, tuple[int, float, float]]:
        return {"nvmlInit": (1, 2.0, 3.0)}

    async def close(self) -> None:
        self.closed = True


class Meters:
    """Makes an EveryMeter of the box at `root`, which has no processors with counters."""

    def __init__(self, clock: Clock, scraper: Scraper, root: Path) -> None:
        self.clock = clock
        self._scraper = scraper
        self.root = root

    def of(self, driver: Driver, *urls: str) -> EveryMeter:
        exporters = ExporterCollector(self._scraper, configured=urls, now_ns=self.clock.now_ns, sleep=self.clock.sleep)
        return EveryMeter(driver, exporters, PackageMeter(self.root), nvidia_driver=self.root / "nvidia")


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Meters]:
    clock = Clock()
    scraper = Scraper(now_ns=clock.now_ns)
    yield Meters(clock, scraper, tmp_path)
    await scraper.close()


def page(name: str) -> Box:
    return Box(metrics=(PAGES / f"{name}.prom").read_text())


async def test_readings_of_the_driver_and_of_exporters_come_together(made: Meters) -> None:
    async with serving(page("dcgm-exporter-4.5.3-1")) as base:
        meters = made.of(Driver(BY_DRIVER), base)
        await made.clock.until_asleep()
        readings = await meters.collect()
        assert [reading.facts.meter for reading in readings] == ["NVML", "dcgm-exporter", "dcgm-exporter"]
        assert readings[0].facts.uuid == readings[1].facts.uuid  # told twice here, counted once by the ledger
        await meters.close()


async def test_a_box_without_a_gpu_has_one_row_its_processors(made: Meters) -> None:
    meters = made.of(Driver())
    (reading,) = await meters.collect()
    assert (reading.facts.kind, reading.facts.meter) == ("package", "RAPL")
    assert [probe.name for probe in meters.probes()] == ["NVIDIA driver", "processor energy"]
    await meters.close()


async def test_nothing_is_said_of_the_processors_until_every_exporter_has_answered(made: Meters) -> None:
    async with serving(page("amd-device-metrics-exporter-1.5.1-1")) as base:
        meters = made.of(Driver(), base)
        assert await meters.collect() == ()
        await made.clock.until_asleep()
        assert [reading.facts.kind for reading in await meters.collect()] == ["gpu", "gpu"]
        assert await meters.collect() == ()
        await meters.close()


async def test_a_loaded_driver_that_does_not_answer_yet_is_no_box_without_a_gpu(made: Meters) -> None:
    (made.root / "nvidia").write_text("NVRM version: 570.148.08")
    meters = made.of(Driver())
    assert await meters.collect() == ()
    await meters.close()


async def test_nothing_is_said_of_the_processors_until_the_driver_has_answered(made: Meters) -> None:
    driver = Driver(has_answered=False)
    meters = made.of(driver)
    assert await meters.collect() == ()
    driver.readings, driver.has_answered = (BY_DRIVER,), True
    assert await meters.collect() == (BY_DRIVER,)
    await meters.close()


async def test_a_gpu_that_turns_up_later_takes_the_place_of_the_processors(made: Meters) -> None:
    driver = Driver()
    meters = made.of(driver)
    assert [reading.facts.kind for reading in await meters.collect()] == ["package"]
    driver.readings = (BY_DRIVER,)
    assert await meters.collect() == (BY_DRIVER,)
    driver.readings = ()
    assert await meters.collect() == ()
    await meters.close()


async def test_trap_10_an_exporter_of_every_vendor_is_heard_only_where_no_other_reads_devices(made: Meters) -> None:
    async with serving(page("all-smi-0.26-1")) as base:
        alone = made.of(Driver(), base)
        await made.clock.until_asleep()
        assert [reading.facts.meter for reading in await alone.collect()] == ["all-smi"]
        await alone.close()
        beside = made.of(Driver(replace(BY_DRIVER, power_w=1.0)), base)
        await made.clock.until_asleep()
        assert [reading.facts.meter for reading in await beside.collect()] == ["NVML"]
        await beside.close()


async def test_closing_it_closes_the_driver(made: Meters) -> None:
    driver = Driver()
    meters = made.of(driver)
    assert meters.call_durations() == {"nvmlInit": (1, 2.0, 3.0)}
    await meters.close()
    assert driver.closed
