"""Arguments of `tokwatch record`."""

from __future__ import annotations

import argparse
from pathlib import Path

from tokwatch.cli.arguments import Commands, add_command, add_price, duration_s
from tokwatch.cli.fleet import add_targets


def add_record(commands: Commands) -> None:
    record = add_command(commands, "record", "record without a screen, until interrupted")
    add_price(record)
    add_targets(record, of_command=True)
    record.add_argument("--for", dest="for_s", type=duration_s, metavar="TIME", help="stop after 90s, 2m, 8h …")
    record.add_argument(
        "--wait",
        action="store_true",
        help="where this host (of --targets: the store) is recorded already, wait until that recorder has gone",
    )
    record.add_argument("--snapshots", type=Path, metavar="FILE", help="also write every Snapshot, one JSON a line")
    record.add_argument("--commit-fd", type=int, help=argparse.SUPPRESS)
