"""`tokwatch doctor`: its flags."""

from __future__ import annotations

import argparse
from pathlib import Path

from tokwatch.cli.arguments import Commands


def add_doctor(commands: Commands) -> None:
    help_ = "check driver, servers, store and terminal, and say what to do"
    parser = commands.add_parser("doctor", help=help_, description=help_, allow_abbrev=False)
    parser.set_defaults(command="doctor", audit=False)
    parser.add_argument("--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="config.toml")
    parser.add_argument(
        "--store",
        type=Path,
        nargs="?",
        action=_Audit,
        default=argparse.SUPPRESS,
        metavar="FILE",
        help="check a store alone, all that is in it: this file, else the usual one. "
        "To look at all else beside another store: `tokwatch --store FILE doctor`",
    )
    parser.add_argument("--full", action="store_true", help="with --store: compare every index with its table too")
    parser.add_argument("--json", action="store_true")


class _Audit(argparse.Action):
    """`--store` here asks for the audit; a FILE after it is the store, as everywhere."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        namespace.audit = True
        if values is not None:
            namespace.store = values
