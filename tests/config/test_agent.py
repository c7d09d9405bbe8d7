"""`[agent]`: where it listens, and what it cannot be run with."""

from __future__ import annotations

import pytest

from tests.config.refusal import refused
from tokwatch.config import parse
from tokwatch.config.agent import AgentSection


def test_without_the_section_nothing_is_said() -> None:
    assert parse("", "config.toml").agent == AgentSection()


def test_what_is_written_holds() -> None:
    where = 'listen = "0.0.0.0:9476"\nhosts = ["gpu-07.example.net"]'
    text = f'[agent]\n{where}\ntoken_file = "t"\ncert_file = "c"\nkey_file = "k"\n'
    assert parse(text, "config.toml").agent == AgentSection("0.0.0.0:9476", "t", "c", "k", ("gpu-07.example.net",))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('cert_file = "c"', "2: agent.key_file: is needed beside the other: a certificate and its key"),
        ('key_file = "k"', "2: agent.cert_file: is needed beside the other: a certificate and its key"),
        ('hosts = ["a:80"]', "2: agent.hosts[0]: is no host's name: without a port and without *"),
        ('token = "secret"', "2: agent.token: unknown key"),
    ],
)
def test_what_no_agent_can_be_run_with_is_refused(written: str, told: str) -> None:
    assert refused(f"[agent]\n{written}\n") == told
