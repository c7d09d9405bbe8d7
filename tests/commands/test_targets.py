"""`tokwatch targets`: lists that a Prometheus reads, and that tokwatch itself takes as `--targets`."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from collectors.readings import ServerFacts
from collectors.target_lists import Target, parse_list
from tests.commands.box import CommandBox
from tokwatch.commands.targets import Endpoint, agent_on, exporter_at, listed, server_at


@pytest.fixture
def box(tmp_path: Path) -> CommandBox:
    return CommandBox(tmp_path, scenario=None)


def test_targets_with_the_same_labels_are_one_group() -> None:
    endpoints = [Endpoint("a:1", {"job": "x"}), Endpoint("b:1", {"job": "y"}), Endpoint("c:1", {"job": "x"})]
    assert json.loads(listed(endpoints)) == [
        {"targets": ["a:1", "c:1"], "labels": {"job": "x"}},
        {"targets": ["b:1"], "labels": {"job": "y"}},
    ]


def test_a_list_reads_back_as_what_it_says() -> None:
    endpoints = [agent_on(target) for target in parse_list("h1,ada@h2:99,[::1]:7")]
    back = parse_list(listed(endpoints))
    assert [(target.address, target.host, target.url) for target in back] == [
        ("h1:9476", "h1", "https://h1:9476/metrics"),
        ("h2:99", "h2", "https://h2:99/metrics"),
        ("[::1]:7", "::1", "http://[::1]:7/metrics"),
    ]


@pytest.mark.parametrize(
    ("address", "listed_as"),
    [("h", "h:9476"), ("::1", "[::1]:9476"), ("[fd00::1]", "[fd00::1]:9476"), ("10.0.0.1:1", "10.0.0.1:1")],
)
def test_an_agent_without_a_port_is_on_its_usual_one(address: str, listed_as: str) -> None:
    assert agent_on(Target(address)).address == listed_as


def test_what_a_list_says_of_a_host_stays() -> None:
    told = agent_on(Target("h:1", {"__scheme__": "http", "region": "eu", "host": "gpu-07"})).labels
    assert told == {"job": "tokwatch", "host": "gpu-07", "__scheme__": "http", "region": "eu"}


def test_a_server_is_told_with_its_engine_and_model() -> None:
    facts = ServerFacts("127.0.0.1:8000", "sglang", "https://127.0.0.1:8000/custom", model="Qwen/Qwen3-32B")
    assert server_at(facts, "gpu-07") == Endpoint(
        "127.0.0.1:8000",
        {
            "job": "sglang",
            "host": "gpu-07",
            "engine": "sglang",
            "model": "Qwen/Qwen3-32B",
            "__metrics_path__": "/custom",
            "__scheme__": "https",
        },
    )
    assert server_at(ServerFacts("127.0.0.1:8000", "ollama"), "gpu-07") is None


def test_an_exporters_job_is_what_its_page_is_recognised_as() -> None:
    endpoint = exporter_at("http://127.0.0.1:9400/metrics", ["dcgm-exporter"], "gpu-07")
    assert endpoint == Endpoint("127.0.0.1:9400", {"job": "dcgm-exporter", "host": "gpu-07"})


def test_servers_of_the_config_and_an_agent_that_listens_are_listed(box: CommandBox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as agent:
        address = f"127.0.0.1:{agent.getsockname()[1]}"
        box.config.write_text(
            f'discover = false\nhost = "gpu-07"\n[agent]\nlisten = "{address}"\n'
            '[[servers]]\nurl = "http://127.0.0.1:8000/metrics"\nengine = "vllm"\n'
        )
        ended = box.run(box.command("targets", "--format", "file_sd"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout) == [
        {"targets": [address], "labels": {"host": "gpu-07", "job": "tokwatch"}},
        {"targets": ["127.0.0.1:8000"], "labels": {"engine": "vllm", "host": "gpu-07", "job": "vllm"}},
    ]


def test_where_nothing_is_found_the_list_is_empty_and_the_exit_code_says_so(box: CommandBox) -> None:
    box.config.write_text('discover = false\n[agent]\nlisten = "127.0.0.1:1"\n')
    ended = box.run(box.command("targets"))
    assert (ended.returncode, ended.stdout) == (3, "[]")


def test_hosts_of_a_file_are_listed_with_its_labels(box: CommandBox) -> None:
    (box.folder / "hosts.json").write_text('[{"targets": ["h1", "h2"], "labels": {"region": "eu"}}]')
    ended = box.run(box.command("targets", "--hosts", "./hosts.json"))
    assert [group["targets"] for group in json.loads(ended.stdout)] == [["h1:9476"], ["h2:9476"]]
    assert {group["labels"]["region"] for group in json.loads(ended.stdout)} == {"eu"}


def test_a_list_that_cannot_be_read_says_why(box: CommandBox) -> None:
    ended = box.run(box.command("targets", "--hosts", "a b"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == 'tokwatch: "a b" is not an address: a host, or host:port, or an http URL\n'
