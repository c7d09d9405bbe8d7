"""The exporters' pages under tests/pages/meters, read; and pages that a test writes itself."""

from __future__ import annotations

from pathlib import Path

from collectors.meters.meter import Covers
from collectors.meters.reader import MeterPage, read_meter_page
from collectors.readings import GpuReading, Reason

PAGES = Path(__file__).parents[2] / "pages" / "meters"


def read(name: str) -> MeterPage:
    return read_meter_page((PAGES / f"{name}.prom").read_bytes(), 7, origin="127.0.0.1:1", host="node-7")


def gpus(name: str) -> tuple[GpuReading, ...]:
    return read(name).gpus


def gpus_on(*lines: str) -> tuple[GpuReading, ...]:
    return read_meter_page("\n".join((*lines, "")).encode(), 7, origin="127.0.0.1:1", host="node-7").gpus


def watts(name: str) -> list[tuple[str, float]]:
    """(what they cover, watts) of the host."""
    return [(power.covers.name, power.power_w) for power in read(name).host]


def watts_on(*lines: str, host: str = "node-7") -> dict[Covers, float]:
    page = read_meter_page("\n".join((*lines, "")).encode(), 7, origin="127.0.0.1:1", host=host)
    return {power.covers: power.power_w for power in page.host}


def energy_grew_mj(first: str, second: str) -> list[int | None]:
    """By how much each device's energy counter moved between two pages; None where there is none."""
    pairs = zip(gpus(first), gpus(second), strict=True)
    return [
        None if before.energy_mj is None or after.energy_mj is None else after.energy_mj - before.energy_mj
        for before, after in pairs
    ]


def reason(reading: GpuReading, field: str) -> Reason | None:
    return dict(reading.reasons).get(field)
