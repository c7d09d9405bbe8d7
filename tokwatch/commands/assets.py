"""`tokwatch assets`: the files that run the recorder as a service, in a job or in a container."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from tokwatch.exits import Exit


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of tokwatch/assets."""

    file: str
    what: str


ASSETS: Final = {
    "systemd": Asset("tokwatch.service", "the recorder as a system service: /etc/systemd/system/tokwatch.service"),
    "sysusers": Asset("sysusers.conf", "the user and group of that service: /etc/sysusers.d/tokwatch.conf"),
    "slurm": Asset("slurm.sh", "a recorder on each node of a Slurm job"),
    "compose": Asset("compose.yaml", "the recorder of a host in a container"),
}


def run(options: argparse.Namespace) -> int:
    """Print one asset, or what there is."""
    if options.name is None:
        width = max(map(len, ASSETS))
        for name, asset in ASSETS.items():
            print(f"{name:<{width}}  {asset.what}")
        return Exit.DONE
    print(text_of(options.name, _this_program()), end="")
    return Exit.DONE


def text_of(name: str, program: list[str]) -> str:
    """The asset for this machine, where tokwatch is started as `program`."""
    text = (files("tokwatch") / "assets" / ASSETS[name].file).read_text(encoding="utf-8")
    # ProtectHome=yes would hide a program that is installed in somebody's home directory.
    at_home = any(word.startswith(("/home/", "/root/", "/run/user/")) for word in program)
    return text.replace("{tokwatch}", " ".join(map(_quoted, program))).replace(
        "{protect_home}", "read-only" if at_home else "yes"
    )


def _this_program() -> list[str]:
    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return [sys.executable, "-m", "tokwatch"]
    return [str(started.absolute())]


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word
