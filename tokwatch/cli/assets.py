"""Arguments of `tokwatch assets`."""

from __future__ import annotations

from tokwatch.cli.arguments import Commands, add_command

# Written out: the command's own module is imported when it is run.
NAMES = ("systemd", "sysusers", "slurm", "compose")


def add_assets(commands: Commands) -> None:
    assets = add_command(commands, "assets", "print a systemd unit, a Slurm job or a compose file for the recorder")
    assets.add_argument("name", nargs="?", choices=NAMES, metavar="NAME", help=" | ".join(NAMES))
