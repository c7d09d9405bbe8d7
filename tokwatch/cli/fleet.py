"""Arguments of the fleet: where many hosts are read from."""

from __future__ import annotations

import argparse
from typing import Any

# What `--prometheus` without a URL says: the config's.
FROM_CONFIG = "config"
_MOST_SIMULATED = 10_000
# Which commands hear which of the flags that may stand before a command, or have a flag of that name.
_HEARD = {
    "--prometheus": ("live", "once", "replay", "export", "import_prometheus"),
    "--selector": ("live", "once", "replay", "export"),
    "--host": ("live", "once", "replay", "alerts", "imports", "import_prometheus"),
    "--hosts": ("live", "once", "targets"),
    "--targets": ("live", "once", "record"),
}


def add_prometheus(parser: argparse.ArgumentParser, *, of_command: bool = False) -> None:
    """of_command: a command's, whose defaults must not undo what stood before the command."""
    unsaid: Any = argparse.SUPPRESS if of_command else None
    parser.add_argument(
        "--prometheus",
        nargs="?",
        const=FROM_CONFIG,
        type=prometheus_url,
        default=unsaid,
        metavar="URL",
        help="read a Prometheus-compatible server: base URL; without one [prometheus] of the config",
    )
    parser.add_argument(
        "--selector",
        type=label_matchers,
        default=unsaid,
        metavar="MATCHERS",
        help="with --prometheus: label matchers for every query, in place of the config's: 'cluster=\"a\"'",
    )


def add_host(parser: argparse.ArgumentParser, *, of_command: bool = False) -> None:
    unsaid: Any = argparse.SUPPRESS if of_command else None
    parser.add_argument("--host", default=unsaid, metavar="NAME", help="with --prometheus: this host alone")


def add_boxes(parser: argparse.ArgumentParser, *, of_command: bool = False) -> None:
    """Hosts that are read directly."""
    unsaid: Any = argparse.SUPPRESS if of_command else None
    parser.add_argument(
        "--hosts",
        default=unsaid,
        metavar="LIST",
        help="boxes reached by your own ssh: a,b,c, a file of names, or the URL of an http_sd list",
    )
    add_targets(parser, of_command=of_command)
    parser.add_argument(
        "--yes",
        action="store_true",
        default=argparse.SUPPRESS if of_command else False,
        help="go to the hosts of a list that came over the network, or of more than 64",
    )


def add_targets(parser: argparse.ArgumentParser, *, of_command: bool = False) -> None:
    unsaid: Any = argparse.SUPPRESS if of_command else None
    parser.add_argument(
        "--targets",
        default=unsaid,
        metavar="LIST",
        help="metrics pages and agents of many hosts, read directly: a file_sd file, or the URL of an http_sd list",
    )


def unheard_of(options: argparse.Namespace) -> str:
    """A flag of the fleet that stands before a command which does not look at it; "" where there is none."""
    said = (flag for flag, heard in _HEARD.items() if options.command not in heard)
    return next((flag for flag in said if getattr(options, flag.removeprefix("--"), None)), "")


def prometheus_url(text: str) -> str:
    """A base URL. Raises argparse.ArgumentTypeError; never repeats one that may hold a password."""
    if text == FROM_CONFIG:
        return text
    from tokwatch.config.prometheus import base_url_problem

    if problem := base_url_problem(text):
        raise argparse.ArgumentTypeError(f"the URL of a Prometheus {problem}")
    return text


def label_matchers(text: str) -> str:
    """As [prometheus] selector. Raises argparse.ArgumentTypeError."""
    from tokwatch.config.prometheus import selector_problem

    if problem := selector_problem(text):
        raise argparse.ArgumentTypeError(problem)
    return text


def hosts(text: str) -> int:
    """How many. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_SIMULATED):
        raise argparse.ArgumentTypeError(f"{text!r}: write a number of hosts from 1 to {_MOST_SIMULATED}")
    return int(text)
