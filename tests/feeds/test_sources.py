"""Which servers are watched: those the config names, completed by what was found at their address, and the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from collectors.discovery.scan import Discovery
from collectors.readings import GpuReading, HostReading, Probe, ServerFacts, ServerReading
from tokwatch.commands.settings import configured_servers
from tokwatch.config import parse
from tokwatch.feeds.sources import Sources, merged


class NoGpus:
    async def collect(self) -> tuple[GpuReading, ...]:
        return ()

    def probes(self) -> tuple[Probe, ...]:
        return ()

    def call_durations(self) -> dict[str, tuple[int, float, float]]:
        return {}


class NoServers:
    def set_servers(self, servers: Sequence[ServerFacts]) -> None:
        """None is watched."""

    def drain(self) -> tuple[ServerReading, ...]:
        return ()

    def probes(self) -> tuple[Probe, ...]:
        return ()


class NoHost:
    def collect(self) -> HostReading:
        return HostReading(0)


FOUND = ServerFacts("127.0.0.1:8000", "vllm", pid=7, pids=(7, 8), model="qwen", tensor_parallel=4, role="decode")


def named(*lines: str) -> ServerFacts:
    """A server of the config, with further keys."""
    text = "\n".join(('[[servers]]\nurl = "http://127.0.0.1:8000"', *lines))
    (facts,) = configured_servers(parse(text, "config.toml").servers)
    return facts


def test_what_the_config_says_of_a_server_goes_before_what_was_found() -> None:
    declared = named(
        'deployment = "prod"',
        'role = "prefill"',
        "counts = false",
        "tensor_parallel = 2",
        'gpus = [0, "GPU-11111111"]',
    )
    (watched,) = merged([declared], Discovery((FOUND,), ()))
    assert (watched.deployment, watched.role, watched.counts) == ("prod", "prefill", False)
    assert (watched.tensor_parallel, watched.gpus, watched.pids) == (2, ("0", "GPU-11111111"), (7, 8))


def test_what_the_config_leaves_open_is_what_was_found() -> None:
    (watched,) = merged([named()], Discovery((FOUND,), ()))
    assert (watched.role, watched.tensor_parallel, watched.model, watched.counts) == ("decode", 4, "qwen", None)


@pytest.mark.parametrize("host", ["localhost", "dgx-03", "10.0.0.5"])
def test_a_server_named_by_another_name_of_this_box_is_the_one_found_and_not_a_second(host: str) -> None:
    own = frozenset({"localhost", "dgx-03", "10.0.0.5"})
    declared = replace(named("gpus = [0]"), address=f"{host}:8000", metrics_url=f"http://{host}:8000/metrics")
    (watched,) = merged([declared], Discovery((FOUND,), (), own_hosts=own))
    assert (watched.address, watched.metrics_url) == ("127.0.0.1:8000", f"http://{host}:8000/metrics")
    assert (watched.gpus, watched.pids) == (("0",), (7, 8))


def test_the_same_port_of_another_box_is_another_server() -> None:
    remote = replace(named(), address="10.0.0.9:8000")
    assert len(merged([remote], Discovery((FOUND,), (), own_hosts=frozenset({"localhost"})))) == 2


def test_servers_that_the_config_does_not_name_come_after_those_it_names() -> None:
    other = replace(FOUND, address="127.0.0.1:8001")
    remote = replace(named(), address="10.0.0.7:8000")
    assert merged([remote], Discovery((other,), ())) == (remote, other)


async def test_exporters_are_let_go_before_the_scraper_that_the_servers_close() -> None:
    """A scrape that begins after that would open it again, and leave its connections behind."""
    closed: list[str] = []

    class Gpus(NoGpus):
        async def close(self) -> None:
            closed.append("gpus")

    class Servers(NoServers):
        async def close(self) -> None:
            closed.append("servers")

    await Sources(Gpus(), Servers(), NoHost(), monotonic_s=lambda: 0.0).close()
    assert closed == ["gpus", "servers"]
