"""`tokwatch assets`: the files that run tokwatch as a service, and those for the Prometheus that watches it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from tokwatch.errors import CommandError
from tokwatch.exits import Exit


@dataclass(frozen=True, slots=True)
class Asset:
    """Files of tokwatch/assets; a folder stands for all that are in it."""

    parts: tuple[str, ...]  # the first is what is printed, unless it is a folder of several
    what: str


ASSETS: Final = {
    "systemd": Asset(
        ("tokwatch.service", "tokwatch-agent.service", "sysusers.conf"),
        "the recorder as a system service: /etc/systemd/system/tokwatch.service; into DIR with the two below",
    ),
    "agent": Asset(("tokwatch-agent.service",), "the agent as one: /etc/systemd/system/tokwatch-agent.service"),
    "sysusers": Asset(("sysusers.conf",), "the user and group of these services: /etc/sysusers.d/tokwatch.conf"),
    "slurm": Asset(("slurm.sh",), "a recorder on each node of a Slurm job"),
    "compose": Asset(("compose.yaml",), "the recorder of a host in a container"),
    "prometheus": Asset(("prometheus",), "scrape configuration, recording and alert rules with their tests; needs DIR"),
    "grafana": Asset(("grafana",), "a dashboard of tokens, power and money"),
    "alertmanager": Asset(("alertmanager",), "routes for the alerts of those rules"),
}


def run(options: argparse.Namespace) -> int:
    """Print one asset or write its files, or tell what there is."""
    if options.name is None:
        width = max(map(len, ASSETS))
        for name, asset in ASSETS.items():
            print(f"{name:<{width}}  {asset.what}")
    elif options.directory is None:
        print(text_of(options.name, _this_program()), end="")
    else:
        for file in write(texts_of(options.name, _this_program()), options.directory):
            print(file)
    return Exit.DONE


def text_of(name: str, program: list[str]) -> str:
    """The asset's first file. Raises CommandError where its files are only of use together."""
    texts = texts_of(name, program)
    if len(texts) > 1 and len(ASSETS[name].parts) == 1:
        raise CommandError(f"{name} is {len(texts)} files: name a directory for them: tokwatch assets {name} DIR")
    return next(iter(texts.values()))


def texts_of(name: str, program: list[str]) -> dict[str, str]:
    """Its files for this machine, where tokwatch is started as `program`: path below the directory → text."""
    # ProtectHome=yes would hide a program that is installed in somebody's home directory.
    at_home = any(word.startswith(("/home/", "/root/", "/run/user/")) for word in program)
    home = "read-only" if at_home else "yes"
    started = " ".join(map(_quoted, program))
    return {
        path: file.read_text(encoding="utf-8").replace("{tokwatch}", started).replace("{protect_home}", home)
        for part in ASSETS[name].parts
        for path, file in _files(files("tokwatch") / "assets" / part)
    }


def write(texts: Mapping[str, str], directory: Path) -> list[Path]:
    """All of them, or none: a file of yours that differs is not written over. Raises CommandError."""
    places = {directory / path: text for path, text in texts.items()}
    try:
        yours = [place for place, text in places.items() if place.exists() and place.read_bytes() != text.encode()]
        if yours:
            named = ", ".join(map(str, yours))
            raise CommandError(
                f"nothing was written: {named} differs from what would be; move it away or name a new DIR"
            )
        for place, text in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode())
    except OSError as error:
        raise CommandError(f"cannot write {error.filename}: {error.strerror}") from None
    return list(places)


def _files(at: Traversable, below: str = "") -> Iterator[tuple[str, Traversable]]:
    """One file by its name, or all of a folder by their paths in it."""
    if at.is_file():
        yield below or at.name, at
        return
    for inner in sorted(at.iterdir(), key=lambda each: each.name):
        yield from _files(inner, f"{below}/{inner.name}" if below else inner.name)


def _this_program() -> list[str]:
    started = Path(sys.argv[0])
    if started.name == "__main__.py":
        return [sys.executable, "-m", "tokwatch"]
    return [str(started.absolute())]


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word else word
