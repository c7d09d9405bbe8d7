"""The box: load, package energy, identity and local time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.host import CpuTimes, HostCollector, PackageEnergy, host_identity, local_timezone
from collectors.readings import Reason


class Powercap:
    """A directory laid out as the kernel's powercap class."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def zone(self, zone: str, name: str, energy_uj: int | str, max_uj: int = 1_000_000) -> None:
        directory = self.path / zone
        directory.mkdir(exist_ok=True)
        (directory / "name").write_text(f"{name}\n")
        (directory / "energy_uj").write_text(f"{energy_uj}\n")
        (directory / "max_energy_range_uj").write_text(f"{max_uj}\n")


@pytest.fixture
def powercap(tmp_path: Path) -> Powercap:
    return Powercap(tmp_path)


# --- package energy -----------------------------------------------------------------------------------------------


def test_the_packages_are_summed_from_the_first_read_on(powercap: Powercap) -> None:
    energy = PackageEnergy(powercap.path)
    powercap.zone("intel-rapl:0", "package-0", 1_000)
    powercap.zone("intel-rapl:1", "package-1", 2_000)
    assert energy.read() == (0, None)
    powercap.zone("intel-rapl:0", "package-0", 1_500)
    powercap.zone("intel-rapl:1", "package-1", 2_700)
    assert energy.read() == (1_200, None)


def test_zones_inside_a_package_and_zones_around_it_are_not_counted_twice(powercap: Powercap) -> None:
    zones = {
        "intel-rapl:0": "package-0",
        "intel-rapl:0:0": "core",
        "intel-rapl:0:1": "dram",
        "intel-rapl:1": "psys",
        "intel-rapl-mmio:0": "package-0",
    }
    energy = PackageEnergy(powercap.path)
    for moment in (100, 200):
        for zone, name in zones.items():
            powercap.zone(zone, name, moment)
        total_uj, _ = energy.read()
    assert total_uj == 100


def test_a_counter_that_wrapped_goes_on_counting(powercap: Powercap) -> None:
    energy = PackageEnergy(powercap.path)
    powercap.zone("intel-rapl:0", "package-0", 999_000, max_uj=1_000_000)
    energy.read()
    powercap.zone("intel-rapl:0", "package-0", 500, max_uj=1_000_000)
    assert energy.read() == (1_500, None)


def test_without_the_kernels_zones_package_energy_is_unsupported(tmp_path: Path) -> None:
    assert PackageEnergy(tmp_path / "missing").read() == (None, Reason.UNSUPPORTED)


def test_a_counter_that_only_root_may_read_is_no_permission(
    powercap: Powercap, monkeypatch: pytest.MonkeyPatch
) -> None:
    powercap.zone("intel-rapl:0", "package-0", 1)
    read_text = Path.read_text

    def refuse(path: Path, *_: object, **__: object) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return read_text(path)

    monkeypatch.setattr(Path, "read_text", refuse)  # file modes do not stop root, who may run this test
    assert PackageEnergy(powercap.path).read() == (None, Reason.NO_PERMISSION)


def test_one_package_that_fails_makes_the_sum_unknown_and_loses_no_energy(powercap: Powercap) -> None:
    energy = PackageEnergy(powercap.path)
    powercap.zone("intel-rapl:0", "package-0", 100)
    powercap.zone("intel-rapl:1", "package-1", 100)
    energy.read()
    powercap.zone("intel-rapl:0", "package-0", 300)
    powercap.zone("intel-rapl:1", "package-1", "garbage")
    assert energy.read() == (None, Reason.DRIVER_ERROR)
    powercap.zone("intel-rapl:1", "package-1", 400)
    assert energy.read() == (500, None)


# --- the reading --------------------------------------------------------------------------------------------------


def test_busy_cpu_is_the_share_between_two_readings(tmp_path: Path) -> None:
    moments: Iterator[CpuTimes] = iter([CpuTimes(100.0, 200.0), CpuTimes(103.0, 204.0), CpuTimes(103.0, 204.0)])
    host = HostCollector(powercap=tmp_path, clock_ns=lambda: 7, read_cpu=lambda: next(moments))
    assert [host.collect().cpu_utilization for _ in range(3)] == [None, 0.25, None]


def test_a_real_reading_tells_what_it_can(tmp_path: Path) -> None:
    reading = HostCollector(powercap=tmp_path).collect()
    assert reading.memory_used_bytes is not None
    assert reading.memory_total_bytes is not None
    assert 0 < reading.memory_used_bytes < reading.memory_total_bytes
    assert reading.self_cpu_s > 0
    assert reading.self_rss_bytes > 1_000_000
    assert reading.package_reason is Reason.UNSUPPORTED


# --- who and where ------------------------------------------------------------------------------------------------


def put(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_a_host_is_its_machine_id_and_an_epoch_its_boot_id(tmp_path: Path) -> None:
    put(tmp_path, "etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    put(tmp_path, "proc/sys/kernel/random/boot_id", "01234567-89ab-cdef-0123-456789abcdef\n")
    name, machine_id, boot_id = host_identity(tmp_path)
    assert name
    assert machine_id == "0123456789abcdef0123456789abcdef"
    assert boot_id == "01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize("text", ["", "uninitialized\n", "../../etc/passwd"])
def test_a_machine_without_an_id_has_none(tmp_path: Path, text: str) -> None:
    put(tmp_path, "etc/machine-id", text)
    assert host_identity(tmp_path)[1:] == (None, None)


@pytest.mark.parametrize("tz", ["Europe/Berlin", ":Europe/Berlin", "/usr/share/zoneinfo/Europe/Berlin"])
def test_tz_names_local_time(tmp_path: Path, tz: str) -> None:
    assert local_timezone({"TZ": tz}, tmp_path) == "Europe/Berlin"


def test_an_empty_tz_is_utc(tmp_path: Path) -> None:
    assert local_timezone({"TZ": ""}, tmp_path) == "UTC"


def test_the_localtime_link_is_followed_and_then_the_timezone_file(tmp_path: Path) -> None:
    put(tmp_path, "etc/timezone", "Asia/Kolkata\n")
    assert local_timezone({}, tmp_path) == "Asia/Kolkata"
    (tmp_path / "etc/localtime").symlink_to("../usr/share/zoneinfo/Europe/Berlin")
    assert local_timezone({}, tmp_path) == "Europe/Berlin"


@pytest.mark.parametrize("tz", ["XST-5:30", "Europe", "../../etc/passwd", "Nowhere/Land"])
def test_a_zone_without_a_name_is_its_offset(tmp_path: Path, tz: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "XST-5:30")
    time.tzset()
    try:
        assert local_timezone({"TZ": tz}, tmp_path) == "UTC+05:30"
    finally:
        monkeypatch.undo()
        time.tzset()
