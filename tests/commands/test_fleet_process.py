"""A process of thousands of hosts: what it knows is not walked again and again by the garbage collector."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from tokwatch.commands.fleet_process import read_many_hosts


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    thresholds, interval_s = gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval_s)


def full_collections() -> int:
    return int(gc.get_stats()[2]["collections"])


def test_meeting_hosts_causes_no_full_collection() -> None:
    read_many_hosts()
    before = full_collections()
    kept = [[number] for number in range(400_000)]
    assert full_collections() == before
    assert len(kept) == 400_000


def test_what_is_left_in_circles_is_collected_all_the_same() -> None:
    read_many_hosts()
    assert gc.isenabled()
    assert 0 not in gc.get_threshold()
