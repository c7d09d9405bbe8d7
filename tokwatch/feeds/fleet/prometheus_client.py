"""The client of the Prometheus that the command line or the config names, and what its labels mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.identity import HostIdentity
from tokwatch.config.prometheus import PrometheusSection

PATIENT_S: Final = 120.0  # what a Prometheus itself allows a query


def client_of(
    section: PrometheusSection, url_override: str | None = None, *, patient: bool = False
) -> PrometheusClient:
    """Nothing is sent yet. Raises ConfigError where neither names a server; tell the user the client's `notices`.

    patient: no screen waits for the answers, so that long ones of the past are let come.
    """
    target = section.target(url_override)
    return PrometheusClient(replace(target, timeout_s=max(target.timeout_s, PATIENT_S)) if patient else target)


def identity_of(section: PrometheusSection) -> HostIdentity:
    """The labels that name a host, its region and its cluster, as the config says."""
    return HostIdentity.of(
        host_label=section.host_label or "",
        region_label=section.region_label or "",
        cluster_label=section.cluster_label or "",
    )
