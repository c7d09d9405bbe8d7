"""What exporters tell of the host's own power, and what of it is the whole server's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.meters.meter import Covers
from tests.collectors.meters.pages import read, watts, watts_on


@pytest.mark.parametrize(
    ("page", "power_w"),
    [
        ("ipmi_exporter-1", 2386),  # DCMI
        ("ipmi_exporter-2", 1230 + 1205),  # without it: the inputs of the supplies, and no other sensor
        ("idrac_exporter-1", 2391),  # the system, without the processors' part of it
        ("idrac_exporter-2", 1208.5 + 1190),
        ("redfish_exporter-1", 1201 + 1188),
        ("redfish_exporter-2", 1250 + 1240),
        ("all-smi-0.26-1", 512),
        ("all-smi-0.26-2", 520.5),
    ],
)
def test_a_bmc_tells_the_whole_server(page: str, power_w: float) -> None:
    assert watts(page) == [("SERVER", power_w)]


def test_trap_10_rapl_zones_overlap_and_only_packages_are_added_up() -> None:
    assert watts("kepler-0.11-2") == [("PROCESSORS", 103 + 99)]


def test_kepler_with_a_bmc_tells_the_whole_server_first() -> None:
    assert watts("kepler-0.11-1") == [("SERVER", 1210 + 1195.5), ("PROCESSORS", 101.5 + 98.25)]


def test_trap_13_scaphandre_tells_microwatts_and_not_the_whole_server() -> None:
    assert watts("scaphandre-1.0-1") == [("PROCESSORS", 42.123456)]
    assert watts("scaphandre-1.0-2") == [("PROCESSORS", 57.0)]


@pytest.mark.parametrize(
    ("sensor", "counts"),
    [
        ("PSU1 Power In", True),
        ("PS1 Input Power", True),
        ("PSU2_PIN", True),
        ("PSU1 Power Out", False),
        ("PS1 Output Power", False),
        ("Total_Power", False),
        ("CPU Power", False),
        ("PSU1 Input Voltage", False),
    ],
)
def test_only_the_inputs_of_power_supplies_are_the_server(sensor: str, counts: bool) -> None:
    told = watts_on(f'ipmi_power_watts{{id="1",name="{sensor}"}} 700')
    assert told == ({Covers.SERVER: 700} if counts else {})


@pytest.mark.parametrize("value", ["0", "NaN", "-1"])
def test_a_server_that_says_it_draws_nothing_has_no_sensor(value: str) -> None:
    assert watts_on(f"ipmi_dcmi_power_consumption_current_watts {value}") == {}


@given(st.floats(), st.floats())
def test_no_number_on_a_page_becomes_impossible_watts(one: float, other: float) -> None:
    told = watts_on(*(f'idrac_power_supply_input_watts{{id="{i}"}} {value}' for i, value in enumerate((one, other))))
    assert all(0 < power < 2**63 for power in told.values())


def test_of_a_page_that_gathers_several_machines_only_this_one_counts() -> None:
    page = [f'all_smi_chassis_power_watts{{hostname="{host}"}} {power}' for host, power in (("a", 400), ("b", 500))]
    assert watts_on(*page, host="b.example.org") == {Covers.SERVER: 500}
    assert watts_on(*page, host="c") == {}


def test_a_source_names_the_meter_and_where_it_is() -> None:
    assert read("ipmi_exporter-1").host[0].source == "ipmi_exporter 127.0.0.1:1"
