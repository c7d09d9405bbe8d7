"""Watts of whole servers, by host: which exporter is heard, and whose they are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from collectors.prometheus.dialects import dialects
from collectors.prometheus.identity import HostIdentity
from tests.feeds.prometheus_quarters.scripted_api import Labels, Points, ScriptedApi
from tokwatch.feeds.prometheus_quarters import promql
from tokwatch.feeds.prometheus_quarters.asking import Asking, Stretch
from tokwatch.feeds.prometheus_quarters.fleet import Fleet
from tokwatch.feeds.prometheus_quarters.host_power import Drawn, HostPower, host_power
from tokwatch.feeds.prometheus_quarters.promql import Selector
from tokwatch.store.rollup import QUARTER_MS

QUARTER = Stretch(8 * QUARTER_MS, 9 * QUARTER_MS)
END_S = QUARTER.end_ms / 1000
IPMI, KEPLER = "ipmi_dcmi_power_consumption_current_watts", "kepler_platform_watts"
IDENTITY = HostIdentity()
GROUP = promql.by(*IDENTITY.labels, "job")  # the instance is among them
OF_KEPLER = promql.by(*IDENTITY.labels, "job", "node_name", "exported_node_name")
SUPPLIES = Selector(KEPLER, ('source_type=~"(?i)powersupply"',))

Ranges = Mapping[str, Sequence[tuple[Labels, Points]]]


def power(ranges: Ranges, *names: str) -> HostPower:
    api = ScriptedApi(ranges)
    return asyncio.run(host_power(Fleet(Asking(api), IDENTITY, dialects(names)), QUARTER))


def told(selector: Selector, group: str, query: str, *watts: tuple[Labels, float]) -> Ranges:
    """Each machine has 60 samples of the quarter hour."""
    return {
        promql.samples(selector, group): [(labels, [(END_S, 60)]) for labels, _ in watts],
        query: [(labels, [(END_S, value)]) for labels, value in watts],
    }


def ipmi(*watts: tuple[Labels, float]) -> Ranges:
    return told(Selector(IPMI), GROUP, promql.mean(Selector(IPMI), GROUP), *watts)


def kepler(*watts: tuple[Labels, float]) -> Ranges:
    return told(SUPPLIES, OF_KEPLER, promql.mean_of_sum(SUPPLIES, OF_KEPLER), *watts)


def test_a_bmc_is_its_hosts_by_the_label_of_its_target() -> None:
    found = power(ipmi(({"host": "a", "instance": "10.0.9.1"}, 900.0)), IPMI)
    assert found == {("a", QUARTER.start_ms): Drawn(900.0, QUARTER_MS)}


def test_of_two_exporters_the_first_is_heard() -> None:
    ranges = {**ipmi(({"host": "a"}, 900.0)), **kepler(({"host": "a"}, 870.0), ({"host": "b"}, 450.0))}
    found = power(ranges, IPMI, KEPLER)
    assert {host: drawn.power_w for (host, _), drawn in found.items()} == {"a": 900.0, "b": 450.0}


@pytest.mark.parametrize("watts", [0.0, -1.0, 2e6])
def test_what_no_server_draws_is_not_taken(watts: float) -> None:
    assert power(ipmi(({"host": "a"}, watts)), IPMI) == {}


def test_an_exporter_names_the_machine_where_its_target_does_not() -> None:
    found = power(kepler(({"instance": "10.1.2.3:28282", "node_name": "a"}, 700.0)), KEPLER)
    assert list(found) == [("a", QUARTER.start_ms)]


def test_of_a_page_that_gathers_machines_a_host_has_its_own() -> None:
    gathered = [({"host": "a.example.com", "node_name": name}, watts) for name, watts in (("a", 700.0), ("b", 800.0))]
    found = power(kepler(*gathered), KEPLER)
    assert {host: drawn.power_w for (host, _), drawn in found.items()} == {"a.example.com": 700.0}
