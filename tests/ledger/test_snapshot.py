"""What a Snapshot says of the box as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collectors.readings import GpuReading
from tests.ledger.box import Box
from tests.ledger.readings import gpu, gpu_facts, page, server_facts
from tokwatch.ledger.bookkeeper import Sightings
from tokwatch.ledger.snapshot import Snapshot

PROCESSORS = gpu(0, facts=gpu_facts(kind="package", name="2× AMD EPYC 9654", power_scope="package", meter="RAPL"))
TPU = gpu(0, facts=gpu_facts(kind="accelerator", name="TPU v5e"))


def shown(*gpus: GpuReading) -> Snapshot:
    box = Box()
    box.turn(0, gpus)
    return box.snapshot()


@pytest.mark.parametrize(("gpus", "nothing"), [((), True), ((PROCESSORS,), True), ((gpu(0),), False), ((TPU,), False)])
def test_processors_alone_are_nothing_found(gpus: tuple[GpuReading, ...], nothing: bool) -> None:
    assert shown(*gpus).nothing_found is nothing
    assert Sightings(gpus=gpus).nothing_found is nothing


def test_processors_that_serve_are_something() -> None:
    box = Box()
    facts = server_facts()
    box.turn(0, [PROCESSORS], [page(0, facts=facts)])
    assert not box.snapshot().nothing_found
    assert not Sightings(gpus=(PROCESSORS,), known_servers=(facts,)).nothing_found


def test_devices_of_one_kind_are_called_by_it() -> None:
    assert [
        shown(*gpus).device for gpus in ((), (PROCESSORS,), (TPU,), (gpu(0), replace(TPU, facts=gpu_facts(1))))
    ] == [
        "GPU",
        "CPU",
        "chip",
        "GPU",
    ]


def test_watts_have_a_scope_where_all_devices_share_it() -> None:
    module = gpu(0, 1, facts=gpu_facts(1, power_scope="module"))
    assert [shown(*gpus).power_scope for gpus in ((PROCESSORS,), (gpu(0),), (gpu(0), module))] == ["package", "gpu", ""]


def test_the_processors_count_themselves() -> None:
    assert shown(PROCESSORS).hardware == "2× AMD EPYC 9654"
