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
            5 a condition of `once --fail-if` holds · 130 interrupted
"""


_LONGEST_S = 3653 * 86400  # ten years; what is far beyond has no date


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

    _money(commands)

    frontier = _add(commands, "frontier", "throughput against interactivity, capacity and headroom of each deployment")
    frontier.add_argument("--json", action="store_true")
    frontier.add_argument("--since", metavar="TIME", help="windows from then on (seven days); UTC unless it has a zone")
    frontier.add_argument("--until", metavar="TIME", help="as it was then (now)")
    frontier.add_argument("--references", type=Path, metavar="FILE", help="benchmark results to compare with")

    once = _add(commands, "once", "one answer on stdout: from a running recorder at once, else measured")
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
    _price(once)

    _alerts(commands)

    importing = _add(commands, "import", "make a session of something captured elsewhere")
    kinds = importing.add_subparsers(title="kinds", metavar="KIND", required=True)
    pages = _add(kinds, "pages", "a directory of captured /metrics pages named <unix-ms>.prom", command="imports")
    pages.add_argument("directory", type=Path, metavar="DIR")
    pages.add_argument("--host", default="imported", help="name of the host they are of")

    demo = _add(commands, "demo", "a simulated fleet, marked as such, in a store of its own")
    _screen(demo)

    _prices(commands)

    doctor = _add(commands, "doctor", "check driver, servers, store and terminal, and say what to do")
    doctor.add_argument("--json", action="store_true")
    return parser


def _money(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    money = _add(commands, "money", "what a stored period cost and earned, and what would have been otherwise")
    money.add_argument("--json", action="store_true")
    money.add_argument("--since", metavar="TIME", help="24 h before its end; UTC unless it has a zone")
    money.add_argument("--until", metavar="TIME", help="what was stored last; widened to whole hours, as --since is")
    money.add_argument("--session", metavar="ID", help="only this one of `sessions`")
    money.add_argument(
        "--by", choices=("deployment", "model", "tier", "tenant", "gpu", "host"), default="deployment", help="rows"
    )
    money.add_argument("--rent", type=price_usd_per_gpu_hour, metavar="N", help="elastic rent to compare own GPUs with")
    money.add_argument(
        "--what-if",
        metavar="CHANGES",
        help="factors gpu_price=0.8,token_price=1.1,tariff=1.5,utilisation=0.5 and a value pue=1.1",
    )
    money.add_argument(
        "--mix", metavar="LARGE=SMALL:N", help="what it would cost with N %% of LARGE's tokens served by SMALL"
    )
    money.add_argument("--curve", action="store_true", help="cost and energy of a token against load")
    money.add_argument("--demand", action="store_true", help="tokens and requests by hour of day, prompts by length")


def _prices(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    prices = _add(commands, "prices", "show the price book and what is in force now")
    prices.set_defaults(part="show")
    prices.add_argument("--json", action="store_true")
    parts = prices.add_subparsers(title="parts", metavar="PART")

    restate = _add(parts, "restate", "say what the prices of a past time really were; both stay", command="prices")
    restate.set_defaults(part="restate")
    restate.add_argument("--from", dest="from_", required=True, metavar="TIME", help="UTC unless it has a zone")
    restate.add_argument("--to", required=True, metavar="TIME")
    restate.add_argument("--reason", required=True, metavar="WORDS", help="what was wrong; kept beside the prices")
    restate.add_argument(
        "--price", type=price_usd_per_gpu_hour, metavar="N", help="what a GPU-hour cost; else the config's prices"
    )

    close = _add(parts, "close", "make the prices of a month final", command="prices")
    close.set_defaults(part="close")
    close.add_argument("month", metavar="MONTH", help="2026-10, in UTC")

    importing = _add(parts, "import", "take up the config's prices now, beside a running recorder", command="prices")
    importing.set_defaults(part="import")

    example = _add(parts, "example", "print a config with dated, sourced prices", command="prices")
    example.set_defaults(part="example")
    example.add_argument("name", nargs="?", metavar="NAME", help="without one: those there are")


def _alerts(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    alerts = _add(commands, "alerts", "what fires, what was over lately, what is muted; with its dollars")
    alerts.set_defaults(action="list")
    alerts.add_argument("--json", action="store_true")
    actions = alerts.add_subparsers(title="actions", metavar="ACTION")
    mute = _add(actions, "mute", "tell nobody of some alerts for a while", command="alerts")
    mute.set_defaults(action="mute")
    mute.add_argument("--state", default="", help="parked, lost …, or the name of an alert of the config")
    mute.add_argument("--gpu", default="", metavar="N", help="index or UUID")
    mute.add_argument("--host", default="")
    mute.add_argument("--model", default="", help="alerts of GPUs that serve it")
    mute.add_argument("--for", dest="for_s", type=duration_s, required=True, metavar="TIME", help="90s, 2m, 8h, 3d …")
    mute.add_argument("--reason", required=True)
    unmute = _add(actions, "unmute", "take a mute back", command="alerts")
    unmute.set_defaults(action="unmute")
    unmute.add_argument("id", type=int, metavar="ID", help="as `alerts` lists it")


def condition(text: str) -> object:
    """A condition on a figure. Raises argparse.ArgumentTypeError."""
    from tokwatch.ledger.alerts.conditions import ConditionError, parse_condition
    from tokwatch.ledger.alerts.figures import check_condition

    try:
        found = parse_condition(text)
        check_condition(found)
    except ConditionError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return found


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
    length_s = float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
    if length_s > _LONGEST_S:
        raise argparse.ArgumentTypeError("that is longer than ten years")
    return length_s


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
