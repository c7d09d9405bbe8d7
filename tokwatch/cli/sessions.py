"""Arguments of `tokwatch sessions`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tokwatch.cli.arguments import Commands, add_command


def add_sessions(commands: Commands) -> None:
    sessions = add_command(commands, "sessions", "list what is stored, name ranges of it, hand it on")
    sessions.set_defaults(action="list")
    sessions.add_argument("--json", action="store_true")
    actions = sessions.add_subparsers(title="actions", metavar="ACTION")

    listing = add_command(actions, "list", "what is stored; the same without an action", command="sessions")
    listing.set_defaults(action="list")
    # SUPPRESS: what stood before the action would be undone by a default.
    listing.add_argument("--json", action="store_true", default=argparse.SUPPRESS)

    name = add_command(actions, "name", "give a range a name, to be replayed and shared by it", command="sessions")
    name.set_defaults(action="name")
    name.add_argument("name", metavar="NAME")
    name.add_argument("--session", metavar="SESSION", help="whose times are meant; the newest")
    _add_range(name)
    name.add_argument("--remove", action="store_true", help="take the name away; what it named stays")

    share = add_command(actions, "share", "cut a range into one small file, without names", command="sessions")
    share.set_defaults(action="share")
    share.add_argument("session", nargs="?", metavar="SESSION", help="id or name of `sessions`; the newest")
    _add_range(share)
    share.add_argument("--out", type=Path, metavar="FILE", help="what to write (tokwatch-share.db)")
    share.add_argument("--force", action="store_true", help="replace the file if it is there")
    share.add_argument("--keep-names", action="store_true", help="with all names of hosts, models, tenants and users")
    share.add_argument("--no-prices", action="store_true", help="without the price book")

    merge = add_command(actions, "merge", "several hosts' files as one", command="sessions")
    merge.set_defaults(action="merge")
    merge.add_argument("out", type=Path, metavar="OUT")
    merge.add_argument("files", type=Path, nargs="+", metavar="FILE")
    merge.add_argument(
        "--prices-of", type=Path, metavar="FILE", help="whose price book holds for all, where they differ"
    )
    merge.add_argument("--force", action="store_true", help="replace OUT if it is there")


def _add_range(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="from_", metavar="TIME", help="14:02, 2026-11-20 14:02, or -10m before its end")
    parser.add_argument("--to", metavar="TIME", help="the same, or +10m after --from; its end")
