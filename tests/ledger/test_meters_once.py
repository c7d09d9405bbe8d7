"""A GPU that several meters read is counted once, by the meter nearest to it."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.readings import GpuReading, Reason
from tests.ledger.box import Box, work
from tests.ledger.readings import boot_ns, gpu, gpu_facts, server_facts
from tokwatch.ledger.meters_once import MetersOnce, normalised_pci, same_gpu


def by(meter: str, index: int = 0, **changes: Any) -> GpuReading:
    return gpu(0, index, facts=gpu_facts(index, meter=meter, **changes))


def meters(readings: tuple[GpuReading, ...]) -> list[tuple[int, str]]:
    return [(reading.facts.index, reading.facts.meter) for reading in readings]


def test_the_same_gpu_over_nvml_and_dcgm_exporter_is_counted_once() -> None:
    once = MetersOnce()
    seen = [by("dcgm-exporter", 0), by("dcgm-exporter", 1), by("NVML", 0), by("NVML", 1)]
    assert meters(once.of(seen)) == [(0, "NVML"), (1, "NVML")]
    assert once.doubles == "; ".join(f"GPU {n} is also read by dcgm-exporter: NVML counts" for n in (0, 1))


def test_a_gpu_that_only_an_exporter_reads_counts() -> None:
    once = MetersOnce()
    assert meters(once.of([by("NVML", 0), by("dcgm-exporter", 8)])) == [(0, "NVML"), (8, "dcgm-exporter")]
    assert once.doubles == ""


def test_a_meter_that_reports_more_seldom_does_not_take_the_gpu_over() -> None:
    once = MetersOnce()
    once.of([by("NVML")])
    assert meters(once.of([by("dcgm-exporter")])) == []
    assert meters(once.of([by("NVML")])) == [(0, "NVML")]


@pytest.mark.parametrize("order", list(permutations(["NVML", "agent", "dcgm-exporter", "all-smi"])))
def test_nvml_goes_before_an_agent_before_dcgm_before_others(order: tuple[str, ...]) -> None:
    assert meters(MetersOnce().of([by(meter) for meter in order])) == [(0, "NVML")]
    assert meters(MetersOnce().of([by(meter) for meter in order if meter != "NVML"])) == [(0, "agent")]
    rest = [by(meter) for meter in order if meter not in ("NVML", "agent")]
    assert meters(MetersOnce().of(rest)) == [(0, "dcgm-exporter")]


def test_uuids_are_compared_in_any_case_and_decide_where_both_tell_them() -> None:
    assert same_gpu(gpu_facts(0, uuid="GPU-ABCD"), gpu_facts(5, uuid="gpu-abcd"))
    slot = "0000:3b:00.0"  # the same in every server of a rack
    assert not same_gpu(gpu_facts(0, uuid="GPU-a", pci_bus_id=slot), gpu_facts(0, uuid="GPU-b", pci_bus_id=slot))


@pytest.mark.parametrize("address", ["00000000:3B:00.0", "0000:3b:00.0", "3b:00.0", "3B:00", " 0:3b:0.0 "])
def test_pci_addresses_are_compared_as_linux_writes_them(address: str) -> None:
    assert normalised_pci(address) == "0000:3b:00.0"
    assert same_gpu(gpu_facts(0, uuid=None, pci_bus_id=address), gpu_facts(7, pci_bus_id="00000000:3B:00.0"))


@pytest.mark.parametrize("address", [None, "", "card0", "0000:3b:00.9", "zz:00.0"])
def test_what_is_no_pci_address_is_none(address: str | None) -> None:
    assert normalised_pci(address) is None


def test_without_uuid_and_slot_the_index_decides_unless_it_is_another_product_or_kind() -> None:
    bare = gpu_facts(0, uuid=None)
    assert same_gpu(bare, gpu_facts(0))
    assert not same_gpu(bare, gpu_facts(1))
    assert not same_gpu(bare, gpu_facts(0, name="AMD Instinct MI300X"))
    assert not same_gpu(bare, gpu_facts(0, uuid=None, kind="package"))


def test_the_bookkeeper_counts_once_and_says_so_on_sources() -> None:
    box = Box()
    record = box.turn(0, [by("NVML"), by("dcgm-exporter")])
    assert len(record.gpus) == 1
    (probe,) = [event for event in record.events if event.kind == "probe"]
    assert b"GPU 0 is also read by dcgm-exporter: NVML counts" in probe.body
    assert [event.kind for event in box.turn(30, [by("NVML")]).events if event.kind == "probe"] == []


@pytest.mark.parametrize("problem", [Reason.NO_PERMISSION, Reason.DRIVER_ERROR, Reason.STALE])
def test_what_its_nearest_meter_cannot_read_the_next_one_counts_under_the_same_name(problem: Reason) -> None:
    once = MetersOnce()
    once.of([by("NVML"), by("all-smi", uuid=None)])
    refused = replace(by("NVML"), problem=problem)
    (taken_over,) = once.of([refused, by("all-smi", uuid=None)])
    assert (taken_over.facts.meter, taken_over.facts.uuid) == ("all-smi", by("NVML").facts.uuid)
    assert once.doubles == ""
    assert meters(once.of([by("NVML"), by("all-smi", uuid=None)])) == [(0, "NVML")]


@pytest.mark.parametrize("problem", [Reason.LOST, Reason.STALLED])
def test_a_gpu_that_its_driver_lost_is_not_brought_back_by_what_an_exporter_remembers(problem: Reason) -> None:
    once = MetersOnce()
    assert meters(once.of([replace(by("NVML"), problem=problem), by("dcgm-exporter")])) == [(0, "NVML")]


def test_a_gpu_that_an_exporter_takes_over_keeps_its_servers_and_its_energy() -> None:
    box = Box()
    for second in range(90):
        nvml, dcgm = gpu(second), gpu(second, facts=gpu_facts(meter="dcgm-exporter"), processes=None)
        if second >= 30:
            nvml = GpuReading(gpu_facts(), boot_ns(second), problem=Reason.DRIVER_ERROR, problem_text="no handle")
        box.turn(second, [nvml, dcgm], [work(second, server_facts())])
    (row,) = box.snapshot(2.35).gpus
    assert (row.state, row.meter, row.power_w.value) == ("serving", "dcgm-exporter", 300.0)
    assert row.servers
    assert sum(entry.energy_mj or 0 for record in box.records for entry in record.gpus) == 89 * 300_000


@given(st.lists(st.tuples(st.sampled_from(["NVML", "dcgm-exporter", "all-smi"]), st.integers(0, 3)), max_size=9))
def test_after_all_meters_were_seen_each_gpu_is_read_once(seen: list[tuple[str, int]]) -> None:
    readings = [by(meter, index) for meter, index in dict.fromkeys(seen)]
    once = MetersOnce()
    once.of(readings)
    assert sorted(reading.facts.index for reading in once.of(readings)) == sorted({index for _, index in seen})
