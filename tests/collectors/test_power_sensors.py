"""Power by the box's own sensors: RAPL's energy counters and the kernel's power meter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.power_sensors import AcpiPowerMeter, RaplEnergy, ServerWatts
from collectors.readings import Reason


class Powercap:
    """A directory laid out as the kernel's powercap class."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def zone(self, zone: str, name: str, energy_uj: int | str, max_uj: int = 1_000_000) -> None:
        directory = self.path / zone
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "name").write_text(f"{name}\n")
        (directory / "energy_uj").write_text(f"{energy_uj}\n")
        (directory / "max_energy_range_uj").write_text(f"{max_uj}\n")


@pytest.fixture
def powercap(tmp_path: Path) -> Powercap:
    return Powercap(tmp_path)


# --- package energy -----------------------------------------------------------------------------------------------


def test_the_packages_are_summed_from_the_first_read_on(powercap: Powercap) -> None:
    energy = RaplEnergy(powercap.path)
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
    energy = RaplEnergy(powercap.path)
    for moment in (100, 200):
        for zone, name in zones.items():
            powercap.zone(zone, name, moment)
        total_uj, _ = energy.read()
    assert total_uj == 100


def test_a_counter_that_wrapped_goes_on_counting(powercap: Powercap) -> None:
    energy = RaplEnergy(powercap.path)
    powercap.zone("intel-rapl:0", "package-0", 999_000, max_uj=1_000_000)
    energy.read()
    powercap.zone("intel-rapl:0", "package-0", 500, max_uj=1_000_000)
    assert energy.read() == (1_500, None)


def test_without_the_kernels_zones_package_energy_is_unsupported(tmp_path: Path) -> None:
    assert RaplEnergy(tmp_path / "missing").read() == (None, Reason.UNSUPPORTED)


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
    assert RaplEnergy(powercap.path).read() == (None, Reason.NO_PERMISSION)


def test_one_package_that_fails_makes_the_sum_unknown_and_loses_no_energy(powercap: Powercap) -> None:
    energy = RaplEnergy(powercap.path)
    powercap.zone("intel-rapl:0", "package-0", 100)
    powercap.zone("intel-rapl:1", "package-1", 100)
    energy.read()
    powercap.zone("intel-rapl:0", "package-0", 300)
    powercap.zone("intel-rapl:1", "package-1", "garbage")
    assert energy.read() == (None, Reason.DRIVER_ERROR)
    powercap.zone("intel-rapl:1", "package-1", 400)
    assert energy.read() == (500, None)


def test_the_memory_of_a_package_is_outside_of_its_counter_and_added_where_wanted(powercap: Powercap) -> None:
    energy = RaplEnergy(powercap.path, ("package", "dram"))
    for moment in (0, 100):
        for zone, name in (("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "dram"), ("intel-rapl:0:1", "core")):
            powercap.zone(zone, name, moment)
        total_uj, _ = energy.read()
    assert total_uj == 200


@given(steps=st.lists(st.integers(0, 999), max_size=30))
def test_trap_22_however_a_counter_wraps_what_was_drawn_is_the_sum_of_the_steps(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int]
) -> None:
    zones = Powercap(tmp_path_factory.mktemp("powercap"))
    energy, drawn = RaplEnergy(zones.path), 0
    zones.zone("intel-rapl:0", "package-0", 0, max_uj=1000)
    energy.read()
    for step in steps:
        drawn += step
        zones.zone("intel-rapl:0", "package-0", drawn % 1000, max_uj=1000)
        assert energy.read() == (drawn, None)


# --- the kernel's power meter -------------------------------------------------------------------------------------


def hwmon(path: Path, number: int, name: str, **files: str) -> Path:
    device = path / f"hwmon{number}"
    device.mkdir()
    for file, text in {"name": name, **files}.items():
        (device / file).write_text(f"{text}\n")
    return device


def at_once(work: Callable[[], None]) -> None:
    work()


def test_firmware_that_hangs_holds_up_nobody_and_its_last_answer_grows_stale(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "power_meter", power1_average="100000000")
    waiting: list[Callable[[], None]] = []
    now_ns = 0
    meter = AcpiPowerMeter(tmp_path, lambda: now_ns, waiting.append)
    assert meter.read() is None
    waiting[0]()
    assert meter.read() == ServerWatts(100.0, "hwmon power_meter")
    now_ns = AcpiPowerMeter.STALE_NS - 1
    assert meter.read() is not None
    now_ns = AcpiPowerMeter.STALE_NS
    assert meter.read() is None
    assert len(waiting) == 2  # it is not asked again before it has answered
    waiting[1]()
    assert meter.read() is not None


def test_a_power_meter_is_the_whole_server_in_microwatts(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "k10temp")
    hwmon(tmp_path, 1, "power_meter", power1_average="412000000")
    assert AcpiPowerMeter(tmp_path, start=at_once).read() == ServerWatts(412.0, "hwmon power_meter")


def test_without_an_average_its_instant_is_read(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "power_meter", power1_input="96500000")
    assert AcpiPowerMeter(tmp_path, start=at_once).read() == ServerWatts(96.5, "hwmon power_meter")


def test_the_power_of_a_board_or_a_supply_is_not_the_servers(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "amdgpu", power1_average="250000000")
    hwmon(tmp_path, 1, "corsairpsu", power1_input="300000000")
    assert AcpiPowerMeter(tmp_path, start=at_once).read() is None


def test_of_several_power_meters_nobody_says_which_is_the_servers(tmp_path: Path) -> None:
    hwmon(tmp_path, 0, "power_meter", power1_average="412000000")
    hwmon(tmp_path, 1, "power_meter", power1_average="100000000")
    assert AcpiPowerMeter(tmp_path, start=at_once).read() is None


@pytest.mark.parametrize("text", ["0", "-1", "garbage", ""])
def test_a_power_meter_that_does_not_answer_is_unknown(tmp_path: Path, text: str) -> None:
    hwmon(tmp_path, 0, "power_meter", power1_average=text)
    assert AcpiPowerMeter(tmp_path, start=at_once).read() is None


def test_the_firmware_is_asked_every_few_seconds_only(tmp_path: Path) -> None:
    device = hwmon(tmp_path, 0, "power_meter", power1_average="100000000")
    moments = iter([0, AcpiPowerMeter.EVERY_NS - 1, AcpiPowerMeter.EVERY_NS])
    meter = AcpiPowerMeter(tmp_path, lambda: next(moments), at_once)
    seen = [meter.read()]
    (device / "power1_average").write_text("200000000\n")
    seen += [meter.read(), meter.read()]
    assert [watts.power_w for watts in seen if watts] == [100, 100, 200]
