"""The shipped idle alert in a real Prometheus and a real Alertmanager: it fires, and it is over."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests import prometheus_servers as servers
from tests.assets.shipped import agent_pages, idle, rules, told_at
from tests.real.processes import wait_until


def firing(manager: servers.Server) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{manager.url}/api/v2/alerts?active=true", timeout=5) as answer:
        alerts: list[dict[str, Any]] = json.load(answer)
    return [alert for alert in alerts if alert["labels"]["alertname"] == "TokwatchHostIdle"]


@pytest.mark.slow
def test_the_idle_alert_fires_and_is_over_when_a_request_comes(tmp_path: Path) -> None:
    """Ten minutes are two seconds here; nothing else of the rules is changed."""
    busy_page = agent_pages()[-1]
    pages = {"now": idle(busy_page)}
    file = tmp_path / "tokwatch.rules.yml"
    file.write_text(rules("tokwatch.rules.yml").replace("for: 10m", "for: 2s"))
    with (
        servers.alertmanager(tmp_path / "alertmanager") as manager,
        told_at(lambda: pages["now"]) as address,
        servers.prometheus(
            tmp_path / "prometheus",
            [servers.pages("tokwatch", address, labels={"cluster": "a"})],
            interval_s=0.5,
            settings={
                "rule_files": [str(file)],
                "alerting": {
                    "alertmanagers": [{"static_configs": [{"targets": [manager.url.removeprefix("http://")]}]}]
                },
            },
        ),
    ):
        wait_until(lambda: bool(firing(manager)), "the Alertmanager has the idle alert", within_s=40)
        (alert,) = firing(manager)
        assert alert["labels"] == {
            "alertname": "TokwatchHostIdle",
            "cluster": "a",
            "instance": address,
            "severity": "info",
        }
        assert alert["annotations"]["summary"] == f"3 GPUs of {address} serve nobody"
        pages["now"] = busy_page
        wait_until(lambda: not firing(manager), "the alert is over", within_s=40)
