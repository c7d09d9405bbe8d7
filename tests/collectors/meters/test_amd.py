"""AMD device-metrics-exporter."""

from __future__ import annotations

from collectors.readings import Reason
from tests.collectors.meters.pages import energy_grew_mj, gpus, gpus_on, read, reason

MIB = 2**20
LABELS = 'card_model="102-G30211-00",gpu_id="0",gpu_partition_id="0",serial_number="S1"'


def test_a_whole_board_is_told_in_our_units() -> None:
    board, _ = gpus("amd-device-metrics-exporter-1.5.1-1")
    assert (board.facts.name, board.facts.index) == ("AMD Instinct MI300X", 0)
    assert board.facts.uuid == "AMD device-metrics-exporter:692415000123"
    assert (board.power_w, board.utilization, board.dram_activity) == (623, 0.87, 0.55)
    assert (board.temperature_c, board.memory_temperature_c, board.sm_clock_mhz) == (61, 52, 2104)
    assert (board.facts.memory_total_bytes, board.memory_used_bytes) == (196592 * MIB, 170112 * MIB)
    assert board.mig_instances == ()


def test_trap_13_microjoules_are_not_millijoules() -> None:
    grown = energy_grew_mj("amd-device-metrics-exporter-1.5.1-1", "amd-device-metrics-exporter-1.5.1-2")
    assert grown == [623_000, 187_000]  # a second of 623 W and of 187 W


def test_trap_10_the_partitions_of_a_board_are_one_board_with_its_power_once() -> None:
    boards = gpus("amd-device-metrics-exporter-1.5.1-1")
    assert len(boards) == 2
    divided = boards[1]
    assert (divided.power_w, divided.energy_mj) == (187, 9_100_000_000)
    assert [(part.profile, part.memory_used_bytes) for part in divided.mig_instances] == [
        ("cpx", 283 * MIB),
        ("cpx", 9120 * MIB),
    ]
    assert divided.memory_used_bytes is None  # partition 0's is not the board's


def test_trap_21_a_partition_that_says_0_watts_has_no_sensor() -> None:
    other = LABELS.replace('partition_id="0"', 'partition_id="1"')
    (board,) = gpus_on(f"gpu_package_power{{{other}}} 0", f"gpu_used_vram{{{other}}} 9")
    assert board.power_w is None


def test_trap_21_a_board_that_says_0_watts_has_no_sensor_either() -> None:
    (board,) = gpus_on(f"gpu_package_power{{{LABELS}}} 0", f"gpu_gfx_activity{{{LABELS}}} 40")
    assert board.power_w is None
    assert reason(board, "power_w") is Reason.UNSUPPORTED
    assert board.utilization == 0.4


def test_a_guest_without_power_series_works_without_them() -> None:
    (board,) = gpus_on(f"gpu_gfx_activity{{{LABELS}}} 40", f"gpu_used_vram{{{LABELS}}} 10")
    assert (board.power_w, reason(board, "power_w")) == (None, Reason.NOT_ON_PAGE)
    assert board.memory_used_bytes == 10 * MIB


def test_power_switched_off_in_its_config_is_read_from_the_next_best_series() -> None:
    (board,) = gpus_on(f"gpu_average_package_power{{{LABELS}}} 300", f"gpu_gfx_activity{{{LABELS}}} 40")
    assert board.power_w == 300


def test_a_prefix_before_every_name_changes_nothing() -> None:
    assert read("amd-device-metrics-exporter-1.5.1-prefixed").meters == ("AMD device-metrics-exporter",)
    plain, prefixed = gpus("amd-device-metrics-exporter-1.5.1-2"), gpus("amd-device-metrics-exporter-1.5.1-prefixed")
    assert prefixed == plain


def test_a_radeon_whose_partition_is_not_applicable_is_a_whole_board() -> None:
    labels = LABELS.replace('partition_id="0"', 'partition_id="NA"')
    (board,) = gpus_on(f"gpu_average_package_power{{{labels}}} 212", f"gpu_used_vram{{{labels}}} 10")
    assert (board.power_w, board.memory_used_bytes, board.mig_instances) == (212, 10 * MIB, ())
