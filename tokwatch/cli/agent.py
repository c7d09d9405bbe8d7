"""Arguments of `tokwatch agent` and `tokwatch targets`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tokwatch.cli.arguments import Commands, add_command, add_price


def add_agent(commands: Commands) -> None:
    agent = add_command(commands, "agent", "tell others what this box has counted: a Prometheus, or tokwatch elsewhere")
    ways = agent.add_mutually_exclusive_group(required=True)
    ways.add_argument("--stdio", action="store_true", help="JSON lines on stdout until stdin closes: for ssh")
    ways.add_argument(
        "--listen",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="HTTP on HOST:PORT or unix:PATH (127.0.0.1:9476): /metrics, /healthz, /report",
    )
    agent.add_argument("--token-file", type=Path, metavar="FILE", help="clients must know the token in it")
    agent.add_argument("--cert", type=Path, metavar="FILE", help="TLS with this certificate chain …")
    agent.add_argument("--key", type=Path, metavar="FILE", help="… and its key")
    add_price(agent)


def add_targets(commands: Commands) -> None:
    targets = add_command(commands, "targets", "the list of endpoints that a Prometheus reads, as JSON")
    targets.add_argument(
        "--format",
        choices=("http_sd", "file_sd"),
        default="http_sd",
        help="the same JSON for both; file_sd ends with a line break",
    )
    targets.add_argument(
        "--hosts",
        default=argparse.SUPPRESS,
        metavar="LIST",
        help="instead of this box: the agents of these hosts: a,b,c, a file, or the URL of a list",
    )
