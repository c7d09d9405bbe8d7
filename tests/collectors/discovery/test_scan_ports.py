"""Where a server that was found is read: its port, its address and its metrics page."""

from __future__ import annotations

import pytest

from collectors.discovery.scan import discover
from collectors.readings import Probe
from tests.collectors.discovery.made_up_box import Box, only_probe, only_server


@pytest.fixture
def box() -> Box:
    return Box()


def test_the_listening_socket_wins_over_the_flag(box: Box) -> None:
    box.run(200, "vllm serve m --port 8000")
    box.listen(8123, 200)
    assert only_server(discover(box)).address == "127.0.0.1:8123"


@pytest.mark.parametrize(
    ("ips", "address"),
    [
        (["0.0.0.0"], "127.0.0.1:8000"),
        (["::"], "127.0.0.1:8000"),
        (["127.0.0.1"], "127.0.0.1:8000"),
        (["::1"], "[::1]:8000"),
        (["127.0.0.2"], "127.0.0.2:8000"),
        (["::ffff:127.0.0.1"], "127.0.0.1:8000"),
        (["10.0.0.5", "::1"], "[::1]:8000"),
    ],
)
def test_a_server_is_read_over_loopback(box: Box, ips: list[str], address: str) -> None:
    box.run(200, "vllm serve m")
    for ip in ips:
        box.listen(8000, 200, ip)
    server = only_server(discover(box))
    assert (server.address, server.metrics_url) == (address, f"http://{address}/metrics")


@pytest.mark.parametrize(("ip", "address"), [("10.0.0.5", "10.0.0.5:8000"), ("fe80::1%eth0", "[fe80::1]:8000")])
def test_a_server_on_another_address_only_is_shown_but_not_read(box: Box, ip: str, address: str) -> None:
    box.run(200, "vllm serve m")
    box.listen(8000, 200, ip)
    server = only_server(discover(box))
    assert (server.address, server.metrics_url) == (address, None)
    assert "config" in server.hint


def test_tritons_page_is_on_its_own_port_and_missing_without_it(box: Box) -> None:
    box.run(200, "tritonserver --model-repository=/models")
    box.listen(8000, 200)
    assert only_server(discover(box)).metrics_url is None
    box.listen(8002, 200)
    assert only_server(discover(box)).metrics_url == "http://127.0.0.1:8002/metrics"


def test_a_dynamo_worker_has_a_page_only_where_its_variable_says(box: Box) -> None:
    box.run(200, "python -m dynamo.vllm --model m")
    box.listen(41234, 200)
    found = discover(box)
    assert found.servers == ()
    assert "DYN_SYSTEM_PORT" in only_probe(found).hint
    box.environments[200] = {"DYN_SYSTEM_PORT": "9090"}
    box.listen(9090, 200)
    assert only_server(discover(box)).metrics_url == "http://127.0.0.1:9090/metrics"


def test_a_page_behind_tls_and_one_that_is_not_at_metrics(box: Box) -> None:
    box.run(200, "vllm serve m --port 8001 --ssl-certfile c.pem")
    box.run(300, "trtllm-serve m")
    box.listen(8001, 200)
    box.listen(8000, 300)
    assert [server.metrics_url for server in discover(box).servers] == [
        "https://127.0.0.1:8001/metrics",
        "http://127.0.0.1:8000/prometheus/metrics",
    ]


def test_llama_server_without_metrics_is_found_and_says_what_to_do(box: Box) -> None:
    box.run(200, "llama-server -m /models/tiny.gguf")
    box.listen(8080, 200, "127.0.0.1")
    found = discover(box)
    server = only_server(found)
    assert (server.model, server.metrics_url, server.hint) == ("tiny.gguf", None, "start llama-server with --metrics")
    assert only_probe(found) == Probe("server 127.0.0.1:8080", False, "llama.cpp with tiny.gguf, pid 200", server.hint)


def test_two_servers_on_one_port_cannot_be_told_apart_and_are_one(box: Box) -> None:
    for pid in (200, 300):
        box.run(pid, "vllm serve m")
        box.listen(8000, pid)
    server = only_server(discover(box))
    assert server.pids == (200, 300)
    assert "share this port" in server.hint


def test_a_server_that_does_not_listen_yet_is_known_at_the_address_it_will_have(box: Box) -> None:
    box.run(200, "vllm serve m --port 8100")
    found = discover(box)
    assert only_server(found).address == "127.0.0.1:8100"
    assert only_server(found).pids == (200,)
    assert only_probe(found).name == "vllm pid 200"
    assert "loading" in only_probe(found).hint


def test_a_server_that_waits_for_a_taken_port_is_not_mistaken_for_its_holder(box: Box) -> None:
    box.run(200, "vllm serve m")
    box.run(300, "nginx")
    box.listen(8000, 300)
    assert discover(box).servers == ()
