"""NVIDIA dcgm-exporter, and nvidia_gpu_exporter, which tells the same of the same GPUs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.readings import GpuReading, Reason
from tests.collectors.meters.pages import energy_grew_mj, gpus, gpus_on, read, reason

GIB = 2**30
MIB = 2**20
LABELS = 'gpu="0",UUID="GPU-1",device="nvidia0",modelName="H100"'


def read_docsample() -> tuple[GpuReading, ...]:
    return gpus("../dcgm-exporter-readme-docsample")


def test_a_page_tells_each_gpu_in_our_units() -> None:
    busy, idle = gpus("dcgm-exporter-4.5.3-1")
    assert busy.facts.uuid == "GPU-3f1b7a52-0c7e-9d41-8a5e-2b6c4f0e1d93"
    assert (busy.facts.index, busy.facts.pci_bus_id) == (0, "00000000:19:00.0")
    assert (busy.facts.name, busy.facts.driver_version) == ("NVIDIA H100 80GB HBM3", "570.148.08")
    assert (busy.facts.meter, busy.facts.kind, busy.facts.mig) == ("dcgm-exporter", "gpu", False)
    assert busy.facts.memory_total_bytes == 81559 * MIB  # used + free + reserved
    assert (busy.power_w, busy.energy_mj, busy.utilization) == (612.384, 98_765_432_100, 1.0)
    assert (busy.memory_used_bytes, busy.temperature_c, busy.memory_temperature_c) == (72310 * MIB, 58, 64)
    assert (busy.sm_clock_mhz, busy.tensor_activity, busy.dram_activity) == (1980, 0.2145, 0.6112)
    assert (idle.facts.index, idle.power_w, idle.utilization, idle.xids) == (1, 70.112, 0.0, ())
    assert busy.reasons == ()
    assert busy.processes is None


def test_the_energy_counter_grows_by_what_was_drawn_in_30_s() -> None:
    grown = energy_grew_mj("dcgm-exporter-4.5.3-1", "dcgm-exporter-4.5.3-2")
    assert grown == [18_200_000, 2_104_000]  # 607 W and 70 W for 30 s


def test_trap_12_the_names_of_dcgm_4_6_are_the_old_fields() -> None:
    old, new = gpus("dcgm-exporter-4.5.3-1"), gpus("dcgm-exporter-dcgm-4.6-1")
    assert [gpu.facts for gpu in new] == [gpu.facts for gpu in old]  # Hostname became hostname, too
    for field in ("power_w", "energy_mj", "temperature_c", "memory_temperature_c", "tensor_activity", "dram_activity"):
        assert [getattr(gpu, field) for gpu in new] == [getattr(gpu, field) for gpu in old]
    assert energy_grew_mj("dcgm-exporter-dcgm-4.6-1", "dcgm-exporter-dcgm-4.6-2") == [18_200_000, 2_104_000]


def test_trap_13_a_field_renamed_ratio_is_still_in_percent() -> None:
    busy, _ = gpus("dcgm-exporter-dcgm-4.6-1")
    assert busy.utilization == 0.42


def test_trap_10_mig_slices_repeat_the_boards_power_which_is_counted_once() -> None:
    (board,) = gpus("dcgm-exporter-mig-1")
    assert (board.power_w, board.energy_mj, board.temperature_c) == (241.118, 5_000_000_000, 51)
    assert energy_grew_mj("dcgm-exporter-mig-1", "dcgm-exporter-mig-2") == [7_230_000]
    assert board.facts.mig


def test_what_a_mig_slice_tells_of_itself_is_not_the_boards() -> None:
    (board,) = gpus("dcgm-exporter-mig-2")
    assert (board.memory_used_bytes, board.utilization, board.tensor_activity) == (None, None, None)
    assert reason(board, "memory_used_bytes") is Reason.NOT_ON_PAGE
    assert [(slice.profile, slice.memory_used_bytes) for slice in board.mig_instances] == [
        ("3g.40gb", 30120 * MIB),
        ("2g.20gb", 5120 * MIB),
    ]
    assert board.mig_instances[0].memory_total_bytes == 40192 * MIB


@pytest.mark.parametrize(
    ("blank", "why"),
    [
        ("9223372036854775794", Reason.UNSUPPORTED),  # the README's own sample
        ("9.223372036854776e+18", Reason.UNSUPPORTED),  # 64-bit: the four kinds of blank are one float
        ("2147483634", Reason.UNSUPPORTED),
        ("2147483635", Reason.NO_PERMISSION),
        ("140737488355328.000000", Reason.UNSUPPORTED),
        ("140737488355331.000000", Reason.NO_PERMISSION),
        ("NaN", Reason.DRIVER_ERROR),
        ("+Inf", Reason.DRIVER_ERROR),
    ],
)
def test_dcgms_blank_values_are_unknown_and_say_why(blank: str, why: Reason) -> None:
    (gpu,) = gpus_on(f"DCGM_FI_DEV_POWER_USAGE{{{LABELS}}} {blank}", f"DCGM_FI_DEV_GPU_TEMP{{{LABELS}}} 40")
    assert gpu.power_w is None
    assert reason(gpu, "power_w") is why
    assert gpu.temperature_c == 40


def test_an_energy_counter_may_be_larger_than_any_32_bit_blank() -> None:
    (gpu,) = gpus_on(
        f"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{{LABELS}}} 900000000000", f"DCGM_FI_DEV_SM_CLOCK{{{LABELS}}} 1"
    )
    assert gpu.energy_mj == 900_000_000_000


def test_a_blank_after_the_comma_and_a_page_without_power_are_read() -> None:
    (gpu,) = read_docsample()
    assert (gpu.facts.uuid, gpu.sm_clock_mhz) == ("GPU-604ac76c-d9cf-fef3-62e9-d92044ab6e52", 139)
    assert (gpu.power_w, reason(gpu, "power_w")) == (None, Reason.NOT_ON_PAGE)
    assert gpu.memory_temperature_c is None  # 9223372036854775794


def test_a_gpu_shared_by_several_pods_is_told_once_for_each_and_counted_once() -> None:
    (gpu,) = gpus_on(
        *(f'DCGM_FI_DEV_POWER_USAGE{{{LABELS},pod="{pod}"}} 300' for pod in ("a", "b", "c")),
    )
    assert gpu.power_w == 300


def test_labels_that_a_prometheus_in_between_renamed_are_understood() -> None:
    (gpu,) = gpus_on('DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="scraped",exported_UUID="GPU-1",instance="n:9400"} 300')
    assert gpu.facts.uuid == "GPU-1"


def test_without_a_uuid_a_gpu_is_known_by_its_place() -> None:
    (gpu,) = gpus_on('DCGM_FI_DEV_POWER_USAGE{gpu="3"} 300')
    assert (gpu.facts.uuid, gpu.facts.index) == (None, 3)


def test_the_gauge_of_xid_errors_is_a_code() -> None:
    _, idle = gpus("dcgm-exporter-4.5.3-2")
    assert idle.xids == (79,)


@given(st.floats(), st.floats(), st.floats())
def test_no_number_on_a_page_becomes_an_impossible_value(power: float, energy: float, share: float) -> None:
    (gpu,) = gpus_on(
        f"DCGM_FI_DEV_POWER_USAGE{{{LABELS}}} {power}",
        f"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{{LABELS}}} {energy}",
        f"DCGM_FI_DEV_GPU_UTIL{{{LABELS}}} {share}",
    )
    assert gpu.power_w is None or 0 < gpu.power_w < 2**62
    assert gpu.energy_mj is None or 0 <= gpu.energy_mj < 2**62
    assert gpu.utilization is None or 0 <= gpu.utilization <= 1


# --- nvidia_gpu_exporter ------------------------------------------------------------------------------------------


def nvidia(number: int) -> tuple[GpuReading, ...]:
    return gpus(f"nvidia_gpu_exporter-nvml-{number}")


def test_nvidia_gpu_exporter_tells_who_a_gpu_is_on_a_series_of_its_own() -> None:
    h200, h100 = nvidia(1)
    assert (h200.facts.name, h200.facts.index, h200.facts.power_limit_w) == ("NVIDIA H200", 0, 700.0)
    assert (h100.facts.name, h100.facts.pci_bus_id) == ("NVIDIA H100 80GB HBM3", "00000000:19:00.0")
    assert (h200.power_w, h200.power_instant_w, h200.sm_clock_mhz) == (627.4, 626.26, 1980)
    assert (h200.utilization, h100.utilization) == (None, 0.03)  # MIG has no busy share of its own


def test_its_uuids_are_those_of_the_driver_so_that_a_gpu_of_two_meters_is_one() -> None:
    dcgm, _ = gpus("dcgm-exporter-4.5.3-1")
    assert nvidia(1)[1].facts.uuid == dcgm.facts.uuid


def test_trap_13_joules_are_not_millijoules() -> None:
    assert energy_grew_mj("nvidia_gpu_exporter-nvml-1", "nvidia_gpu_exporter-nvml-2") == [6_274_000, 701_000]


def test_its_mig_slices_have_their_own_uuids() -> None:
    h200, h100 = nvidia(1)
    assert [(slice.uuid[:12], slice.profile, slice.memory_used_bytes) for slice in h200.mig_instances] == [
        ("MIG-292b7eb0", "3g.71gb", 42_883_309_544),
        ("MIG-7b2137fb", "1g.18gb", 974_140_845),
    ]
    assert h100.mig_instances == ()
    assert h200.memory_used_bytes == 43_857_450_389


def test_a_page_of_another_program_is_no_exporters() -> None:
    assert read("dcgm-exporter-4.5.3-1").meters == ("dcgm-exporter",)
    assert gpus_on("go_goroutines 3", 'gpu_cache_usage_perc{model="m"} 0.3') == ()
