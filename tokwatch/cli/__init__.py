"""The command line: every command and the exit codes; a large command's flags are in a file of its own.

Commands are imported when they are run.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from tokwatch import __version__
from tokwatch.cli.agent import add_agent, add_targets
from tokwatch.cli.alerts import add_alerts
from tokwatch.cli.arguments import add_command, add_everywhere, add_price, add_screen, condition, duration_s
from tokwatch.cli.assets import add_assets
from tokwatch.cli.doctor import add_doctor
from tokwatch.cli.export import add_export
from tokwatch.cli.fleet import add_boxes, add_host, add_prometheus, hosts, unheard_of
from tokwatch.cli.imports import add_import
from tokwatch.cli.money import add_money
from tokwatch.cli.prices import add_prices
from tokwatch.cli.record import add_record
from tokwatch.cli.replay import add_replay
from tokwatch.cli.sessions import add_sessions
from tokwatch.leaving import guarded

_EPILOG = """\
exit codes: 0 done · 1 failed · 2 wrong usage · 3 no GPU and no inference server found · 4 only a part of the data
            5 a condition of `once --fail-if` holds · 130 interrupted
"""


class CommandModule(Protocol):
    """A module of tokwatch.commands."""

    def run(self, options: argparse.Namespace) -> int: ...


def run(arguments: Sequence[str]) -> int:
    """Parse and run one command; the exit code."""
    parser = make_parser()
    options = parser.parse_args(_with_negative_times(arguments))
    if unheard := unheard_of(options):
        parser.error(f"{unheard}: not heard of by this command, which is of this box or its store")
    if not sys.stdout.isatty() and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    return guarded(lambda: _command(options.command).run(options))


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
    add_everywhere(parser)
    add_price(parser)
    add_prometheus(parser)
    add_host(parser)
    add_boxes(parser)
    add_screen(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    add_record(commands)
    add_agent(commands)
    add_targets(commands)
    add_replay(commands)
    add_sessions(commands)
    add_export(commands)
    add_money(commands)

    frontier = add_command(
        commands, "frontier", "throughput against interactivity, capacity and headroom of each deployment"
    )
    frontier.add_argument("--json", action="store_true")
    frontier.add_argument("--since", metavar="TIME", help="windows from then on (seven days); UTC unless it has a zone")
    frontier.add_argument("--until", metavar="TIME", help="as it was then (now)")
    frontier.add_argument("--references", type=Path, metavar="FILE", help="benchmark results to compare with")

    once = add_command(commands, "once", "one answer on stdout: from a running recorder at once, else measured")
    once.add_argument("--json", action="store_true", help="the Snapshot as JSON")
    once.add_argument(
        "--for", dest="for_s", type=duration_s, default=10.0, metavar="TIME", help="measure so long (10s)"
    )
    once.add_argument(
        "--fail-if",
        type=condition,
        action="append",
        default=[],
        metavar="CONDITION",
        help="exit 5 when it holds, as 'idle_usd_per_h >= 5'; may be given several times",
    )
    add_price(once)
    add_prometheus(once, of_command=True)
    add_host(once, of_command=True)
    add_boxes(once, of_command=True)

    add_alerts(commands)

    add_import(commands)

    demo = add_command(commands, "demo", "a simulated fleet, marked as such, in a store of its own")
    demo.add_argument("--fleet", type=hosts, metavar="N", help="N simulated hosts of eight GPUs each, instead of one")
    add_screen(demo, of_command=True)

    add_prices(commands)

    add_assets(commands)
    add_doctor(commands)
    add_command(commands, "keys", "the names of all keys for keys.toml, the themes, and what is wrong with your own")
    return parser


def _with_negative_times(arguments: Sequence[str]) -> list[str]:
    """`--at -10m` as `--at=-10m`, and the like: argparse takes what begins with a dash for a flag."""
    words: list[str] = []
    for word in arguments:
        if words and words[-1] in ("--at", "--from", "--to") and re.match(r"-\d", word):
            words[-1] += f"={word}"
        else:
            words.append(word)
    return words


def _completion(parser: argparse.ArgumentParser) -> None:
    if find_spec("shtab") is None:  # the extra `completion` is not installed
        return
    parser.add_argument(
        "--print-completion", action=_PrintCompletion, metavar="SHELL", help="print a shell completion script"
    )


class _PrintCompletion(argparse.Action):
    """As shtab's own, which would be imported at every start: it takes 3 MB, and a recorder keeps them."""

    def __call__(self, parser: argparse.ArgumentParser, *arguments: object) -> None:
        import shtab

        shell = str(arguments[1])
        if shell not in shtab.SUPPORTED_SHELLS:
            parser.error(f"no completion for {shell!r}: choose from {', '.join(shtab.SUPPORTED_SHELLS)}")
        print(shtab.complete(parser, shell))
        parser.exit()


def _command(name: str) -> CommandModule:
    module: CommandModule = importlib.import_module(f"tokwatch.commands.{name}")
    return module
