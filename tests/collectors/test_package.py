"""The one row of a box without a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.host import CpuTimes
from collectors.package import PackageMeter
from collectors.readings import GpuReading, Reason
from tests.collectors.test_power_sensors import Powercap

SECOND_NS = 1_000_000_000
XEON = "processor\t: {n}\nmodel name\t: Intel(R)  Xeon(R)   Platinum 8480+\nphysical id\t: {socket}\n\n"


class Box:
    """A root directory with processors, and a clock."""

    def __init__(self, root: Path, cpuinfo: str) -> None:
        self.root = root
        self.ns = 0
        self.powercap = Powercap(root / "sys/class/powercap")
        (root / "etc").mkdir()
        (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        (root / "proc").mkdir()
        (root / "proc/cpuinfo").write_text(cpuinfo)
        self._cpu: Iterator[CpuTimes] = iter([CpuTimes(100, 200), CpuTimes(101, 204), CpuTimes(103, 208)])
        self.meter = PackageMeter(root, lambda: self.ns, lambda: next(self._cpu))

    def reading_at(self, second: float, energy_uj: int | str | None = None) -> GpuReading:
        self.ns = round(second * SECOND_NS)
        if energy_uj is not None:
            self.powercap.zone("intel-rapl:0", "package-0", energy_uj, max_uj=1_000_000_000)
        return self.meter.reading()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path, XEON.format(n=0, socket=0) + XEON.format(n=1, socket=1) + XEON.format(n=2, socket=1))


def test_the_processors_are_one_device_that_outlives_a_boot(box: Box) -> None:
    facts = box.reading_at(0, 5).facts
    assert (facts.uuid, facts.kind, facts.meter) == ("package:0123456789abcdef0123456789abcdef", "package", "RAPL")
    assert facts.name == "2× Intel(R) Xeon(R) Platinum 8480+"
    assert facts.memory_total_bytes


def test_energy_counts_from_the_first_read_and_power_is_its_mean_since_the_last(box: Box) -> None:
    readings = [box.reading_at(0, 400_000_000), box.reading_at(2, 700_000_000), box.reading_at(3, 750_000_000)]
    assert [reading.energy_mj for reading in readings] == [0, 300_000, 350_000]
    assert [reading.power_w for reading in readings] == [None, 150.0, 50.0]


def test_trap_22_a_counter_that_wraps_goes_on(box: Box) -> None:
    box.reading_at(0, 999_000_000)
    reading = box.reading_at(1, 1_000_000)
    assert (reading.energy_mj, reading.power_w) == (2_000, 2.0)


def test_the_busy_share_and_the_memory_are_the_hosts(box: Box) -> None:
    assert box.reading_at(0, 1).utilization is None
    reading = box.reading_at(1, 2)
    assert reading.utilization == 0.75
    assert reading.memory_used_bytes is not None
    assert reading.processes is None


def test_counters_that_only_root_may_read_leave_the_rest_and_say_what_to_do(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_text = Path.read_text

    def refuse(path: Path, *_: object, **__: object) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return read_text(path)

    monkeypatch.setattr(Path, "read_text", refuse)  # file modes do not stop root, who may run this test
    reading = box.reading_at(0, 1)
    assert (reading.power_w, reading.energy_mj) == (None, None)
    assert dict(reading.reasons)["power_w"] is Reason.NO_PERMISSION
    assert reading.memory_used_bytes
    probe = box.meter.probe()
    assert not probe.ok
    assert "as root" in probe.hint


def test_a_machine_without_rapl_says_what_is_lost(box: Box) -> None:
    reading = box.reading_at(0)
    assert dict(reading.reasons)["energy_mj"] is Reason.UNSUPPORTED
    probe = box.meter.probe()
    assert (probe.ok, probe.found) == (False, "no RAPL on this processor: watts and joules stay unknown")
    assert "tokens per watt" in probe.hint


def test_a_readable_counter_needs_no_hint(box: Box) -> None:
    box.reading_at(0, 1)
    assert (box.meter.probe().ok, box.meter.probe().hint) == (True, "")


def test_a_board_without_a_model_line_is_named_by_its_device_tree(tmp_path: Path) -> None:
    box = Box(tmp_path, "processor\t: 0\nCPU implementer\t: 0x41\n")
    assert box.reading_at(0).facts.name is None
    (tmp_path / "proc/device-tree").mkdir()
    (tmp_path / "proc/device-tree/model").write_text("NVIDIA Jetson Orin\0")
    assert PackageMeter(tmp_path).reading().facts.name == "NVIDIA Jetson Orin"
