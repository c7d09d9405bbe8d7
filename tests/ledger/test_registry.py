"""Identity: a GPU or a server keeps its number for as long as the store lives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.readings import NOON_MS, gpu_facts, server_facts
from tokwatch.ledger.entries import Entity
from tokwatch.ledger.registry import (
    MOST_ENTITIES,
    Registry,
    flow_key,
    flow_labels,
    gpu_key,
    group_key,
    group_units,
    owner_units,
    server_key,
)


def test_the_same_key_is_the_same_entity_and_is_new_once() -> None:
    things = Registry("box")
    first = things.id("gpu", "GPU-a", parent=0, seen_ms=NOON_MS)
    assert things.id("gpu", "GPU-a", parent=0, seen_ms=NOON_MS + 1000) == first
    assert things.take_new() == (Entity(first, "gpu", "box", "GPU-a", 0, NOON_MS),)
    assert things.take_new() == ()


def test_kinds_do_not_share_keys_and_a_key_never_seen_is_zero() -> None:
    things = Registry("box")
    gpu = things.id("gpu", "a", parent=0, seen_ms=NOON_MS)
    assert things.id("server", "a", parent=0, seen_ms=NOON_MS) != gpu
    assert (things.find("gpu", "a"), things.find("flow", "a")) == (gpu, 0)


def test_what_the_store_knows_keeps_its_number_and_new_things_come_after_it() -> None:
    things = Registry("box", [Entity(7, "gpu", "box", "GPU-a", 1, 5), Entity(9, "gpu", "other", "GPU-b", 1, 5)])
    assert things.id("gpu", "GPU-a", parent=1, seen_ms=NOON_MS) == 7
    assert things.id("gpu", "GPU-b", parent=1, seen_ms=NOON_MS) == 10
    assert things[9].host == "other"


def test_a_full_store_says_what_to_do() -> None:
    things = Registry("box", [Entity(MOST_ENTITIES - 1, "gpu", "box", "GPU-a", 0, 5)])
    with pytest.raises(OverflowError, match="--store"):
        things.id("gpu", "GPU-b", parent=0, seen_ms=NOON_MS)


def test_a_gpu_is_its_uuid_else_its_slot_else_its_index() -> None:
    assert gpu_key(gpu_facts(3)) == "GPU-33333333-aaaa"
    assert gpu_key(gpu_facts(3, uuid=None, pci_bus_id="0000:3b:00.0")) == "0000:3b:00.0"
    assert gpu_key(gpu_facts(3, uuid=None)) == "index:3"


def test_another_port_is_another_server_and_a_new_process_is_not() -> None:
    assert server_key(server_facts(pid=1)) == server_key(server_facts(pid=2))
    assert server_key(server_facts("127.0.0.1:8000")) != server_key(server_facts("127.0.0.1:8001"))


def test_a_group_is_its_units_in_any_order_and_gives_them_back() -> None:
    assert group_key([[3], [2, 1]]) == group_key([[1, 2], [3]]) == "[[1, 2], 3]"
    assert group_units("[[1, 2], 3]") == ((1, 2), (3,))


def test_servers_that_share_gpus_are_another_group_than_one_deployment_of_them() -> None:
    assert group_key([[1], [2]]) == "[1, 2]"  # as stores of version 0.1 have it
    assert group_key([[1, 2]]) == "[[1, 2]]"


def test_the_owner_of_a_gpu_is_a_server_or_a_groups_units() -> None:
    assert owner_units(Entity(7, "server", "box", "a:1|vllm", 1, 5)) == ((7,),)
    assert owner_units(Entity(9, "group", "box", "[3, [1, 2]]", 1, 5)) == ((3,), (1, 2))


@given(st.integers(1, MOST_ENTITIES), st.text(), st.text(), st.text(), st.text())
def test_a_flows_key_gives_its_labels_back(server: int, model: str, role: str, tenant: str, tier: str) -> None:
    assert flow_labels(flow_key(server, model, role, tenant, tier)) == (server, model, role, tenant, tier)
