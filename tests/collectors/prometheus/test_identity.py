"""Which label names a host. Text only; real servers make of it what test_prometheus_past.py says."""

from __future__ import annotations

import re

import pytest

from collectors.prometheus.identity import INSTANCE, NODE_LABELS, HostIdentity


def test_the_labels_of_exporters_and_of_relabelling_go_before_the_address() -> None:
    assert HostIdentity().host == (*NODE_LABELS, INSTANCE)


def test_a_configured_label_goes_before_all_others() -> None:
    identity = HostIdentity.of(host_label="machine", region_label="zone")
    assert identity.host == ("machine", *NODE_LABELS, INSTANCE)
    assert identity.region == ("zone",)
    assert identity.cluster == ("cluster",)


def test_a_usual_label_that_is_configured_stands_once() -> None:
    assert HostIdentity.of(host_label="instance").host == (INSTANCE, *NODE_LABELS)


@pytest.mark.parametrize("label", ["a b", "a-b", 'x"', "1a"])
def test_what_is_no_label_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="is no label"):
        HostIdentity.of(host_label=label)


def test_labels_that_no_series_has_are_not_asked_for() -> None:
    identity = HostIdentity().among({"node", "region", "pod"})
    assert identity.host == ("node", INSTANCE)
    assert identity.region == ("region",)
    assert identity.cluster == ()


def test_the_first_label_is_written_last_so_that_it_wins() -> None:
    text = HostIdentity(host=("node", INSTANCE)).hosted("x")
    assert text.index('"instance"') < text.index('"node"')
    assert text.count("label_replace") == 2


def test_places_are_told_beside_the_host() -> None:
    text = HostIdentity(host=(INSTANCE,), region=("zone",), cluster=()).placed("x")
    assert '"tw_region","$1","zone"' in text
    assert "tw_cluster" not in text


@pytest.mark.parametrize(
    ("instance", "host"),
    [("h1:9400", "h1"), ("h1", "h1"), ("10.0.0.7:8000", "10.0.0.7"), ("[fe80::1]:9400", "[fe80::1]"), ("h:a", "h:a")],
)
def test_an_address_is_a_host_without_its_port(instance: str, host: str) -> None:
    pattern = re.search(r'"instance","([^"]+)"', HostIdentity(host=(INSTANCE,)).hosted("x"))
    assert pattern is not None
    match = re.fullmatch(pattern[1], instance)
    assert match is not None
    assert match[1] == host
