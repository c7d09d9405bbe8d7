"""The command line: every command, its flags and the exit codes. Commands are imported when they are run."""

from __future__ import annotations

import argparse
import importlib
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tokwatch import __version__
from tokwatch.exits import Exit

_EPILOG = """\
exit codes: 0 done · 1 failed · 2 wrong usage · 3 no GPU and no inference server found · 4 only a part of the data
            130 interrupted
"""


class CommandModule(Protocol):
    """A module of tokwatch.commands."""

    def run(self, options: argparse.Namespace) -> int: ...


def run(arguments: Sequence[str]) -> int:
    """Parse and run one command; the exit code."""
    parser = make_parser()
    options = parser.parse_args(_with_negative_times(arguments))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `tokwatch export … | head` ends quietly
    if not sys.stdout.isatty() and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return int(_command(options.command).run(options))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except _expected_errors() as error:
        print(f"tokwatch: {error}", file=sys.stderr)
        return Exit.FAILED


def make_parser() -> argparse.ArgumentParser:
    """The parser; shell completion is generated from it."""
    parser = argparse.ArgumentParser(
        prog="tokwatch",
        description="Live tokens per second, tokens per watt and dollars per million tokens of this GPU box.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(command="live", config=None, store=None)
    parser.add_argument("--version", action="version", version=f"tokwatch {__version__}")
    _completion(parser)
    _everywhere(parser)
    _price(parser)
    _screen(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    record = _add(commands, "record", "record without a screen, until interrupted")
    _price(record)
    record.add_argument("--for", dest="for_s", type=duration_s, metavar="TIME", help="stop after 90s, 2m, 8h …")
    record.add_argument("--snapshots", type=Path, metavar="FILE", help="also write every Snapshot, one JSON a line")
    record.add_argument("--commit-fd", type=int, help=argparse.SUPPRESS)

    replay = _add(commands, "replay", "look at a stored session")
    replay.add_argument("session", nargs="?", metavar="SESSION|FILE", help="id of `sessions`, or a store; the newest")
    replay.add_argument("--at", metavar="TIME", help="begin at 14:02, 2026-11-20 14:02, or -10m before its end")
    replay.add_argument("--speed", type=float, default=1.0, metavar="N", help="times the pace of the recording")
    replay.add_argument("--json", action="store_true", help="no screen: one Snapshot a line, only one with --at")
    _screen(replay)

    sessions = _add(commands, "sessions", "list what is stored")
    sessions.add_argument("--json", action="store_true")

    export = _add(commands, "export", "write stored quantities and their cost")
    tables = export.add_subparsers(title="tables", metavar="TABLE", required=True)
    hourly = _add(tables, "hourly", "one row an hour and GPU, or an hour and model", command="export")
    hourly.add_argument("--by", choices=("gpu", "model"), default="gpu")
    hourly.add_argument("--format", choices=("csv", "json"), default="csv")
    hourly.add_argument("--since", metavar="TIME", help="UTC unless it has a zone: 2026-11-20, 2026-11-20T14:00+01:00")
    hourly.add_argument("--until", metavar="TIME")
    hourly.add_argument("--session", metavar="ID", help="only this one of `sessions`")

    once = _add(commands, "once", "one answer on stdout: from a running recorder at once, else measured")
    once.add_argument("--json", action="store_true", help="the Snapshot as JSON")
    once.add_argument(
        "--for", dest="for_s", type=duration_s, default=10.0, metavar="TIME", help="measure so long (10s)"
    )
    _price(once)

    importing = _add(commands, "import", "make a session of something captured elsewhere")
    kinds = importing.add_subparsers(title="kinds", metavar="KIND", required=True)
    pages = _add(kinds, "pages", "a directory of captured /metrics pages named <unix-ms>.prom", command="imports")
    pages.add_argument("directory", type=Path, metavar="DIR")
    pages.add_argument("--host", default="imported", help="name of the host they are of")

    demo = _add(commands, "demo", "a simulated fleet, marked as such, in a store of its own")
    _screen(demo)

    doctor = _add(commands, "doctor", "check driver, servers, store and terminal, and say what to do")
    doctor.add_argument("--json", action="store_true")
    return parser


def _with_negative_times(arguments: Sequence[str]) -> list[str]:
    """`--at -10m` as `--at=-10m`: argparse takes what begins with a dash for a flag."""
    words: list[str] = []
    for word in arguments:
        if words and words[-1] == "--at" and re.match(r"-\d", word):
            words[-1] = f"--at={word}"
        else:
            words.append(word)
    return words


def duration_s(text: str) -> float:
    """90, 90s, 2m, 1.5h, 1d as seconds. Raises argparse.ArgumentTypeError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if not found or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time: write 90s, 2m, 8h or 1d")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def price_usd_per_gpu_hour(text: str) -> float:
    """A price of a GPU-hour. Raises argparse.ArgumentTypeError."""
    try:
        price = float(text)
    except ValueError:
        price = -1.0
    if not 0 <= price < 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no price of a GPU-hour: write a number such as 2.35")
    return price


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_: str, *, command: str | None = None
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_, description=help_, allow_abbrev=False)
    parser.set_defaults(command=command or name)
    _everywhere(parser)
    return parser


def _everywhere(parser: argparse.ArgumentParser) -> None:
    # SUPPRESS: a command's own default would undo what stood before the command.
    parser.add_argument("--store", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="the SQLite file")
    parser.add_argument("--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="config.toml")


def _price(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--price", type=price_usd_per_gpu_hour, metavar="N", help="what a GPU-hour costs, in force from now"
    )


def _screen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ascii", action="store_true", help="no glyphs beyond ASCII")
    parser.add_argument("--light", action="store_true", help="for a terminal with a light ground")


def _completion(parser: argparse.ArgumentParser) -> None:
    try:
        import shtab
    except ImportError:  # the extra `completion` is not installed
        return
    shtab.add_argument_to(parser, "--print-completion", help="print a shell completion script")


def _command(name: str) -> CommandModule:
    module: CommandModule = importlib.import_module(f"tokwatch.commands.{name}")
    return module


def _expected_errors() -> tuple[type[Exception], ...]:
    from tokwatch.errors import EXPECTED

    return EXPECTED
