"""What several commands' arguments have in common: flags, and the types that check their values."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any, TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_LONGEST_S = 3653 * 86400  # ten years; what is far beyond has no date


def add_command(commands: Commands, name: str, help_: str, *, command: str | None = None) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_, description=help_, allow_abbrev=False)
    parser.set_defaults(command=command or name)
    add_everywhere(parser)
    return parser


def add_everywhere(parser: argparse.ArgumentParser) -> None:
    # SUPPRESS: a command's own default would undo what stood before the command.
    parser.add_argument("--store", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="the SQLite file")
    parser.add_argument("--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="config.toml")


def add_price(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--price", type=price_usd_per_gpu_hour, metavar="N", help="what a GPU-hour costs, in force from now"
    )


def add_screen(parser: argparse.ArgumentParser, *, of_command: bool = False) -> None:
    """of_command: a command's, whose defaults must not undo what stood before the command."""
    flag: Any = argparse.SUPPRESS if of_command else False
    name: Any = argparse.SUPPRESS if of_command else None
    for option, default, text in (
        ("--ascii", flag, "no glyphs beyond ASCII"),
        ("--light", flag, "for a terminal with a light ground: --theme light"),
        ("--slow-link", flag, "few bytes: a frame every three seconds, no sparklines"),
    ):
        parser.add_argument(option, action="store_true", default=default, help=text)
    themes = "dark, light, colour-blind-dark, …; `tokwatch keys` lists them"
    parser.add_argument("--theme", metavar="NAME", default=name, help=themes)


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
