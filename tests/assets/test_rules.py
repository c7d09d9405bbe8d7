"""The shipped configurations and rules: taken by the programs that read them, and of metrics that are told."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests import prometheus_servers as servers
from tests.assets.shipped import agent_pages, expressions, rules, written

AGENT_METRIC = re.compile(r"(?<![:\w])tokwatch_[a-z_]+(?![:\w])(?=[{\[)\s]|$)")


def checked(program: str, *arguments: str, folder: Path) -> str:
    """What the program told, on stdout first; fails where it refused."""
    done = subprocess.run(
        [servers.needed(program), *arguments], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_promtool_takes_the_configuration_and_finds_its_rules(tmp_path: Path) -> None:
    folder = written("prometheus", tmp_path)
    told = checked("promtool", "check", "config", "prometheus.yml", folder=folder)
    assert "2 rule files found" in told
    assert "WARNING" not in told


def test_every_target_is_told_by_its_host(tmp_path: Path) -> None:
    """Else a GPU and the server on it have nothing in common. Every job has the one rule for it."""
    folder = written("prometheus", tmp_path)
    jobs = re.findall(r"job_name: \w+", rules("prometheus.yml"))
    assert len(re.findall(r"relabel_configs: [&*]host_of_address", rules("prometheus.yml"))) == len(jobs) == 6
    command = ("check", "service-discovery", "--timeout=1s", "prometheus.yml", "ipmi")  # it waits that long anyway
    (target,) = json.loads(checked("promtool", *command, folder=folder).partition("level=")[0])
    assert (target["labels"]["host"], target["labels"]["cluster"]) == ("127.0.0.1", "example")


def test_promtool_takes_all_rules(tmp_path: Path) -> None:
    folder = written("prometheus", tmp_path)
    files = sorted(file.name for file in folder.glob("*.rules.yml"))
    assert files == ["exporters.rules.yml", "limits.rules.yml", "tokwatch.rules.yml"]
    assert checked("promtool", "check", "rules", *files, folder=folder).count("SUCCESS") == 3


@pytest.mark.parametrize("name", ["tokwatch", "exporters"])
def test_the_rules_answer_as_their_tests_say(tmp_path: Path, name: str) -> None:
    folder = written("prometheus", tmp_path)
    assert "SUCCESS" in checked("promtool", "test", "rules", f"{name}_test.yml", folder=folder)


@pytest.mark.parametrize("name", ["tokwatch", "exporters"])
def test_every_alert_and_every_ratio_has_a_test(name: str) -> None:
    named = re.findall(r"^ +- (?:alert: (\w+)|record: (\S+ratio\S*))$", rules(f"{name}.rules.yml"), re.MULTILINE)
    tested = rules(f"{name}_test.yml")
    # A cluster's tokens per joule, and a host's price of tokens, are made as those that are tested.
    untested = {alert or ratio for alert, ratio in named if (alert or ratio) not in tested}
    assert untested <= {
        "cluster:tokwatch_output_tokens_per_joule:ratio_rate5m",
        "cluster:output_tokens_per_joule:ratio_rate5m",
        "instance:tokwatch_cost_dollars_per_mtok:ratio_rate1h",
    }


def test_victoriametrics_takes_the_scrape_configuration(tmp_path: Path) -> None:
    folder = written("prometheus", tmp_path)
    flags = ("-promscrape.config=prometheus.yml", "-promscrape.config.strictParse=false", "-dryRun")
    checked("victoria-metrics", *flags, folder=folder)


def test_amtool_takes_the_routes(tmp_path: Path) -> None:
    folder = written("alertmanager", tmp_path)
    assert "3 receivers" in checked("amtool", "check-config", "alertmanager.yml", folder=folder)


@pytest.mark.parametrize(
    ("severity", "receiver"), [("critical", "on-call"), ("warning", "everyone"), ("info", "money")]
)
def test_alerts_go_by_their_severity(tmp_path: Path, severity: str, receiver: str) -> None:
    folder = written("alertmanager", tmp_path)
    route = ("config", "routes", "test", "--config.file=alertmanager.yml", f"severity={severity}")
    assert checked("amtool", *route, folder=folder).splitlines()[0] == receiver


@pytest.mark.parametrize("what", ["rules", "dashboard"])
def test_every_metric_that_is_used_stands_on_an_agents_page(what: str) -> None:
    text = rules("tokwatch.rules.yml") if what == "rules" else "\n".join(expressions())
    used = set(AGENT_METRIC.findall(re.sub(r"^.*(?:name|record|job_name): .*$", "", text, flags=re.MULTILINE)))
    told = set(re.findall(r"^# TYPE (\S+)", agent_pages()[-1].decode(), re.MULTILINE))
    assert len(used) > 10
    assert used <= told
