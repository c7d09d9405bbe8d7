"""Arguments of `tokwatch assets`."""

from __future__ import annotations

from pathlib import Path

from tokwatch.cli.arguments import Commands, add_command

# Written out: the command's own module is imported when it is run.
NAMES = ("systemd", "agent", "sysusers", "slurm", "compose", "prometheus", "grafana", "alertmanager")


def add_assets(commands: Commands) -> None:
    assets = add_command(
        commands, "assets", "units, rules, dashboards and configurations for what runs and watches tokwatch"
    )
    assets.add_argument("name", nargs="?", choices=NAMES, metavar="NAME", help=" | ".join(NAMES))
    assets.add_argument(
        "directory", nargs="?", type=Path, metavar="DIR", help="write its files there, instead of printing the first"
    )
