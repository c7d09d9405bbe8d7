"""The box: load, power, identity and local time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.host import CpuTimes, HostCollector, host_identity, local_timezone
from collectors.power_sensors import ServerWatts
from collectors.readings import Reason

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


def test_the_whole_servers_watts_are_those_of_the_first_that_knows_them(tmp_path: Path) -> None:
    bmc = ServerWatts(2386.0, "ipmi_exporter 10.0.0.7:9290")
    host = HostCollector(tmp_path, server_power=(lambda: None, lambda: bmc, lambda: ServerWatts(1.0, "later")))
    reading = host.collect()
    assert (reading.power_w, reading.power_source) == (2386.0, "ipmi_exporter 10.0.0.7:9290")


def test_a_box_that_nobody_measures_has_no_watts(tmp_path: Path) -> None:
    reading = HostCollector(tmp_path).collect()
    assert (reading.power_w, reading.power_source) == (None, "")


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
