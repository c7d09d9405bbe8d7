"""The client is of the server that was named; an earlier word on the command line goes before the config."""

from __future__ import annotations

import pytest

from tokwatch.config import ConfigError, PrometheusSection
from tokwatch.feeds.fleet.prometheus_client import client_of

SECTION = PrometheusSection(url="https://prom.example/a/", insecure=True)


def test_the_config_names_the_server() -> None:
    client = client_of(SECTION)
    assert client.url == "https://prom.example/a"
    assert len(client.notices) == 1


def test_the_command_line_goes_before_it() -> None:
    assert client_of(SECTION, "http://127.0.0.1:9090").url == "http://127.0.0.1:9090"


def test_an_address_that_is_none_is_told_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="holds a user or password") as raised:
        client_of(SECTION, "http://ada:s3cret@prom")
    assert "s3cret" not in str(raised.value)
