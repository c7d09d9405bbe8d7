"""Intel XPU Manager and Gaudi, AWS Neuron, Google TPU, and the exporters that read every vendor's devices."""

from __future__ import annotations

import pytest

from collectors.exposition import ExpositionError
from collectors.meters.reader import MOST_DEVICES
from collectors.readings import Reason
from tests.collectors.meters.pages import energy_grew_mj, gpus, gpus_on, read, reason

# --- Intel XPU Manager --------------------------------------------------------------------------------------------


def test_trap_10_the_tiles_of_an_xpu_are_not_added_to_their_board() -> None:
    (board,) = gpus("xpumanager-1.3.6-1")
    assert (board.power_w, board.energy_mj, board.utilization) == (402.5, 812_345_000, 0.61)
    assert (board.memory_used_bytes, board.temperature_c, board.memory_temperature_c) == (90_194_313_216, 54, 47)
    assert (board.sm_clock_mhz, board.dram_activity, board.facts.pci_bus_id) == (1550, 0.31, "0000:29:00.0")
    assert board.facts.name == "Intel(R) Data Center GPU Max 1550"


def test_trap_13_xpu_manager_counts_joules() -> None:
    assert energy_grew_mj("xpumanager-1.3.6-1", "xpumanager-1.3.6-2") == [12_075_000]


def test_trap_13_a_ratio_that_turns_out_to_be_percent_is_dropped_and_not_guessed() -> None:
    labels = 'uuid="u",pci_bdf="0000:29:00.0"'
    (board,) = gpus_on(f"xpum_engine_ratio{{{labels}}} 61", f"xpum_power_watts{{{labels}}} 400")
    assert (board.utilization, reason(board, "utilization")) == (None, Reason.IMPLAUSIBLE)


def test_of_the_power_domains_of_one_xpu_the_widest_is_the_board() -> None:
    (board,) = gpus("xpumd-2.0.0-1")
    assert (board.power_w, board.energy_mj) == (118, 50_123_500)
    assert energy_grew_mj("xpumd-2.0.0-1", "xpumd-2.0.0-2") == [120_000]
    assert (board.facts.name, board.facts.pci_bus_id) == ("Intel(R) Arc(TM) Pro B60 Graphics", "0000:03:00.0")
    assert board.facts.memory_total_bytes == 25_669_140_480


def test_the_engines_of_an_xpu_do_not_add_up_to_its_busy_share() -> None:
    (board,) = gpus("xpumd-2.0.0-1")
    assert board.utilization == 0.93


# --- Gaudi --------------------------------------------------------------------------------------------------------


def test_trap_13_a_gaudi_tells_milliwatts() -> None:
    busy, idle = gpus("gaudi-metric-exporter-1.21-1")
    assert (busy.power_w, busy.facts.power_limit_w, idle.power_w) == (412, 600, 98)
    assert (busy.facts.kind, busy.facts.name) == ("accelerator", "Gaudi")
    assert busy.utilization == pytest.approx(0.83)
    assert [gpu.facts.index for gpu in (busy, idle)] == [0, 1]
    assert [gpu.power_w for gpu in gpus("gaudi-metric-exporter-1.21-2")] == [420.5, 98]


def test_its_energy_counter_has_no_unit_and_is_not_read() -> None:
    assert energy_grew_mj("gaudi-metric-exporter-1.21-1", "gaudi-metric-exporter-1.21-2") == [None, None]


def test_trap_21_watts_that_are_milliwatts_are_dropped_and_not_guessed() -> None:
    for gpu in gpus("gaudi-metric-exporter-1.21-watts-only"):
        assert (gpu.power_w, reason(gpu, "power_w")) == (None, Reason.IMPLAUSIBLE)


def test_watts_that_can_be_a_gaudis_are_read() -> None:
    labels = 'UUID="01P0-HL2080A0-15",id="0"'
    (gpu,) = gpus_on(f"habanalabs_utilization{{{labels}}} 5", f"accelerator_power_usage_watts{{{labels}}} 412")
    assert gpu.power_w == 412


# --- Neuron and TPU -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["neuron-monitor-1", "neuron-monitor-2", "tpu-device-plugin-1", "tpu-device-plugin-2"])
def test_accelerators_without_a_power_series_work_and_say_that_there_is_none(page: str) -> None:
    devices = gpus(page)
    assert len(devices) == 2
    for device in devices:
        assert (device.power_w, device.energy_mj, device.facts.kind) == (None, None, "accelerator")
        assert reason(device, "power_w") is reason(device, "energy_mj") is Reason.NOT_ON_PAGE
        assert device.utilization is not None


def test_a_neuron_core_is_a_device_with_the_memory_of_all_its_uses() -> None:
    core, other = gpus("neuron-monitor-1")
    assert (core.facts.index, core.facts.name) == (0, "inf2.xlarge")
    assert core.facts.uuid == "neuron-monitor:i-0a1b2c3d4e5f60718/0"
    assert core.utilization == 0.8633101879976985
    assert core.memory_used_bytes == 61_766_864 + 1_308_832 + 43_216
    assert (other.utilization, other.memory_used_bytes) == (0, 0)
    assert gpus("neuron-monitor-2")[0].utilization == 0.9017


def test_a_tpu_chip_that_no_container_holds_is_a_device_too() -> None:
    held, free = gpus("tpu-device-plugin-1")
    assert (held.utilization, held.memory_used_bytes, held.tensor_activity, held.dram_activity) == (
        0.75,
        28_000_000_000,
        0.31,
        0.425,
    )
    assert (free.utilization, free.memory_used_bytes, free.facts.name) == (0, None, "tpu-v6e-slice")
    assert gpus("tpu-device-plugin-2")[0].utilization == 0.81


# --- every vendor -------------------------------------------------------------------------------------------------


def test_all_smi_tells_its_own_integral_of_power() -> None:
    (gpu,) = gpus("all-smi-0.26-1")
    assert (gpu.power_w, gpu.utilization, gpu.temperature_c, gpu.facts.power_limit_w) == (301.2, 0.64, 63, 450)
    assert gpu.energy_estimated
    assert energy_grew_mj("all-smi-0.26-1", "all-smi-0.26-2") == [610_000]
    assert gpu.facts.driver_version == "570.148.08"


def test_kepler_tells_gpus_by_the_drivers_uuid() -> None:
    (gpu,) = gpus("kepler-0.11-1")
    assert (gpu.facts.uuid, gpu.power_w, gpu.energy_estimated) == (
        "GPU-3f1b7a52-0c7e-9d41-8a5e-2b6c4f0e1d93",
        611.2,
        True,
    )
    assert energy_grew_mj("kepler-0.11-1", "kepler-0.11-2") == [3_056_000]


def test_one_page_that_gathers_several_exporters_is_read_as_all_of_them() -> None:
    page = "DCGM_FI_DEV_POWER_USAGE", "habanalabs_power_mW"
    found = gpus_on(f'{page[0]}{{gpu="0",UUID="GPU-1"}} 300', f'{page[1]}{{UUID="01P0",id="0"}} 300000')
    assert [(gpu.facts.meter, gpu.power_w) for gpu in found] == [("dcgm-exporter", 300), ("Gaudi exporter", 300)]


def test_names_and_models_from_a_page_are_clean() -> None:
    (gpu,) = gpus_on('DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-1",modelName="H\x1b[31m100"} 300')
    assert gpu.facts.name == "H\ufffd[31m100"


def test_a_page_of_more_devices_than_a_rack_has_is_refused() -> None:
    with pytest.raises(ExpositionError, match="devices"):
        gpus_on(*(f'DCGM_FI_DEV_SM_CLOCK{{gpu="{n}",UUID="GPU-{n}"}} 1' for n in range(MOST_DEVICES + 1)))


def test_each_meter_says_how_often_it_is_worth_asking() -> None:
    assert read("dcgm-exporter-4.5.3-1").interval_s == 1
    assert read("ipmi_exporter-1").interval_s == 10
