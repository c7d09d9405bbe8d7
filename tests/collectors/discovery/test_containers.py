"""Servers in containers: found by their process, reached where the host reaches their network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from collectors.discovery.containers import Network, network_of, published_ports
from collectors.discovery.scan import discover
from tests.collectors.discovery.made_up_box import Box, only_server

INSIDE = Network("172.17.0.2", (("0.0.0.0", 8000), ("127.0.0.1", 9000)))
PROXY = (
    "/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 18000 -container-ip 172.17.0.2 -container-port 8000"
)


def a_box(network: Network = INSIDE) -> Box:
    box = Box()
    box.run(200, "vllm serve m")
    box.networks[200] = network
    return box


def test_a_server_in_a_container_is_read_at_the_containers_address() -> None:
    server = only_server(discover(a_box()))
    assert (server.address, server.metrics_url) == ("172.17.0.2:8000", "http://172.17.0.2:8000/metrics")
    assert server.pid == 200


def test_a_published_port_is_the_address_that_its_users_know() -> None:
    """So a server that the config names by that port is not found a second time under another address."""
    box = a_box()
    box.run(900, PROXY)
    assert only_server(discover(box)).address == "127.0.0.1:18000"


def test_another_users_port_proxy_leads_nowhere() -> None:
    box = a_box()
    box.run(900, PROXY, uid=2000)
    assert only_server(discover(box)).address == "172.17.0.2:8000"


@pytest.mark.parametrize("port", ["²", "9" * 5000, "0", "65536", "-1"])
def test_a_port_proxy_with_an_impossible_port_spoils_no_scan(port: str) -> None:
    box = a_box()
    box.run(900, PROXY.replace("18000", port))
    assert only_server(discover(box)).address == "172.17.0.2:8000"


def test_another_users_server_in_a_network_of_its_own_is_shown_and_not_read() -> None:
    """Its address there may be that of any other box."""
    box = Box()
    box.run(200, "vllm serve m", uid=2000)
    box.networks[200] = Network("192.0.2.1", (("0.0.0.0", 8000),))
    server = only_server(discover(box))
    assert (server.address, server.metrics_url, server.verified) == ("pid-200:8000", None, False)
    assert "name it in the config" in server.hint


def test_a_port_that_is_open_inside_only_is_told_and_not_read() -> None:
    server = only_server(discover(a_box(Network("172.17.0.2", (("127.0.0.1", 8000),)))))
    assert server.metrics_url is None
    assert "inside its container" in server.hint


def test_the_hosts_own_socket_on_that_port_is_another_server() -> None:
    box = a_box(Network("172.17.0.2", ()))
    box.listen(8000, None)
    assert discover(box).servers == ()


def test_published_ports_of_other_programs_and_protocols_are_passed_over() -> None:
    lines = [PROXY.split(), PROXY.replace("tcp", "udp").split(), ["nginx", "-host-port", "1"], ["docker-proxy"], []]
    assert published_ports(lines) == {("172.17.0.2", 8000): 18000}


def test_a_process_of_our_own_network_and_one_that_is_gone_have_none() -> None:
    assert network_of(os.getpid()) is None
    assert network_of(1 << 22) is None


# --- a real network of its own --------------------------------------------------------------------------------------

_LISTEN = """
import socket, subprocess, sys
subprocess.run("ip link set lo up; ip link add veth0 type veth peer name veth1; ip addr add 10.231.0.2/24 dev veth0; "
               "ip link set veth0 up; ip link set veth1 up", shell=True, check=True)
with socket.create_server(("0.0.0.0", 0)) as four, socket.create_server(("::1", 0), family=socket.AF_INET6) as six:
    print(four.getsockname()[1], six.getsockname()[1], flush=True)
    sys.stdin.read()
"""


@contextmanager
def listening_elsewhere() -> Iterator[tuple[int, int, int]]:
    """(pid, IPv4 port, IPv6 loopback port) of a process in a new network namespace."""
    unshare = shutil.which("unshare")
    if unshare is None or shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("needs root, unshare and ip to make a network namespace")
    command = [unshare, "--net", sys.executable, "-c", _LISTEN]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        words = process.stdout.readline().split()
        if not words:
            pytest.skip(f"no network namespace can be made here: {process.stderr.read().decode()[-200:]}")
        try:
            yield process.pid, int(words[0]), int(words[1])
        finally:
            process.stdin.close()


def test_sockets_and_address_of_a_real_network_namespace_are_read() -> None:
    with listening_elsewhere() as (pid, port, loopback_port):
        network = network_of(pid)
    assert network is not None
    assert network.address == "10.231.0.2"
    assert set(network.sockets) == {("0.0.0.0", port), ("::1", loopback_port)}
    assert network.reached_at(port, {}) == f"10.231.0.2:{port}"
    assert network.reached_at(loopback_port, {}) is None
