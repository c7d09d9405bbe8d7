"""The client of the Prometheus that the command line or the config names."""

from __future__ import annotations

from collectors.prometheus.client import PrometheusClient
from tokwatch.config.prometheus import PrometheusSection


def client_of(section: PrometheusSection, url_override: str | None = None) -> PrometheusClient:
    """Nothing is sent yet. Raises ConfigError where neither names a server; tell the user the client's `notices`."""
    return PrometheusClient(section.target(url_override))
