"""Hosts that belong together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.fleet.made import OSLO, book, fleet, flow, host
from tokwatch.ledger.entries import State
from tokwatch.ledger.fleet.compose import fleet_snapshot
from tokwatch.ledger.fleet.groups import GROUPINGS, grouped
from tokwatch.ledger.fleet.tally import HostTally

HOSTS = (
    host("osl-1", flow(), region="eu", cluster="a"),
    host("osl-2", flow("b"), region="eu", cluster="b", up=False),
    host("h3", region="us", states=((State.UNALLOCATED, 8),)),
    host("h4", flow(), flow("b"), states=((State.SERVING, 7), (State.LOST, 1))),
)
SNAPSHOT = fleet_snapshot(fleet(*HOSTS), book(sites=(OSLO,)))


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("region", ["eu", "us", "(no region)"]),
        ("cluster", ["a", "b", "(no cluster)"]),
        ("site", ["oslo", "(no site)"]),
        ("model", ["Qwen3-32B", "Qwen3-32B + b", "b", "(no model)"]),
        ("state", ["down", "lost", "serving", "unallocated"]),
    ],
)
def test_groups_are_named_by_what_their_hosts_share(by: str, names: list[str]) -> None:
    assert [row.name for row in grouped(SNAPSHOT, by)] == names


def test_a_group_counts_its_hosts_its_gpus_and_who_is_down() -> None:
    eu = grouped(SNAPSHOT, "region")[0]
    assert (eu.hosts, eu.hosts_down, eu.gpus, eu.gpus_idle) == (2, 1, 16, 0)
    assert (eu.tok_s.value, eu.tok_s.marks) == (1_000, ("part",))


def test_sites_keep_their_tariff_and_cap() -> None:
    oslo, rest = grouped(SNAPSHOT, "site")
    assert (oslo.power_cap_w, rest.power_cap_w) == (10_000.0, None)


def test_a_group_without_a_server_says_so() -> None:
    us = next(row for row in grouped(SNAPSHOT, "region") if row.name == "us")
    assert (us.tok_s.value, us.tok_s.why, us.usd_per_m_output.why) == (None,) + ("no inference server",) * 2


@given(st.lists(st.sampled_from(HOSTS), max_size=12), st.sampled_from(GROUPINGS))
def test_groups_add_up_to_the_total(hosts: list[HostTally], by: str) -> None:
    snapshot = fleet_snapshot(fleet(*hosts), book(sites=(OSLO,)))
    rows = grouped(snapshot, by)
    assert sum(row.hosts for row in rows) == len(hosts)
    assert sum(row.gpus_idle for row in rows) == snapshot.total.gpus_idle
    for field in ("tok_s", "power_w", "usd_per_hour"):
        told = [value for row in rows if (value := getattr(row, field).value) is not None]
        assert sum(told) == pytest.approx(getattr(snapshot.total, field).value or 0.0)
