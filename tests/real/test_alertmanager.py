"""A real Alertmanager shows what tokwatch tells it: an alert that fires, with its money, and then that it is over.

It takes a minute: a GPU draws much for half of it, and figures are judged every ten seconds.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.commands.box import CommandBox
from tests.real.processes import answers, free_port, required, running, wait_until
from tokwatch.notify.webhook import fingerprint

pytestmark = pytest.mark.real

# Both in Alertmanager's own words; `resolve_timeout` is for alerts without an end, which ours always have.
_CONFIG = """
route: {receiver: nobody, group_wait: 1s, group_interval: 1s}
receivers: [{name: nobody}]
"""
_HOT_THEN_COLD = """
gpu NVIDIA H100 80GB HBM3
power_w square 90 600 80 0.4
memory_used_mib 100
"""
_ALERTS = """
[prices]
usd_per_gpu_hour = 2.0

[alerting]
keep_firing_s = 1

[[alerts]]
name = "GPU 0 is hot"
when = "power_w{gpu=0} > 400"
for = "2s"
severity = "critical"

[[notify]]
kind = "alertmanager"
url = "%s"
"""


class Alertmanager:
    """One on loopback, alone: without a cluster."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"

    @contextmanager
    def running(self) -> Iterator[None]:
        config = self._folder / "alertmanager.yml"
        config.write_text(_CONFIG)
        command = [
            self._program,
            f"--config.file={config}",
            f"--storage.path={self._folder / 'data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
            "--cluster.listen-address=",
        ]
        with running(command, {}, self._folder / "alertmanager.txt", end_within_s=10):
            wait_until(lambda: answers(f"{self.url}/-/ready"), "the Alertmanager is ready", within_s=20)
            yield

    def alerts(self) -> list[dict[str, Any]]:
        """Those that it takes to be firing: the ones that are over are not shown any more."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


def test_an_alert_fires_there_and_is_over_there(tmp_path: Path) -> None:
    (program,) = required("TOKWATCH_REAL_ALERTMANAGER")
    manager = Alertmanager(program, tmp_path)
    with manager.running():
        box = CommandBox(tmp_path, _HOT_THEN_COLD)
        box.config.write_text(box.config.read_text() + _ALERTS % manager.url)
        recording = box.start_recording()
        try:
            recording.wait_for_ticks()
            wait_until(lambda: bool(manager.alerts()), "the Alertmanager shows the alert", within_s=40)
            (alert,) = manager.alerts()
            print(json.dumps(alert, indent=2))
            assert alert["labels"] == {
                "alertname": "GPU 0 is hot",
                "instance": alert["labels"]["instance"],
                "job": "tokwatch",
                "severity": "critical",
            }
            assert alert["status"]["state"] == "active"
            assert alert["annotations"]["summary"].startswith("GPU 0 is hot of ")
            assert alert["fingerprint"] == fingerprint(alert["labels"])
            assert alert["startsAt"] < alert["updatedAt"] < alert["endsAt"]
            wait_until(lambda: not manager.alerts(), "the Alertmanager takes it to be over", within_s=60)
            print("… and is over")
        finally:
            _, _, told = recording.end()
    print(told)
    assert [line for line in told.splitlines() if "GPU 0 is hot" in line] == [
        "tokwatch: firing: GPU 0 is hot: power_w{gpu=0} > 400: it is 600",
        "tokwatch: resolved: GPU 0 is hot: power_w{gpu=0} > 400: it is 600",
    ]
    listed = box.run(box.command("alerts"))
    print(listed.stdout)
    assert "GPU 0 is hot  resolved" in listed.stdout
