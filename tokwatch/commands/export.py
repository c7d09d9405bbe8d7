"""`tokwatch export hourly`: stored quantities and their cost, on stdout."""

from __future__ import annotations

import argparse
import io
import sys

from tokwatch.commands.settings import store_of
from tokwatch.exits import Exit
from tokwatch.exports.hourly import export_hourly
from tokwatch.exports.hours import parse_instant


def run(options: argparse.Namespace) -> int:
    """Write the rows: UTF-8 with plain newlines, whatever the locale."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    export_hourly(
        store_of(options),
        by=options.by,
        format=options.format,
        since_ms=None if options.since is None else parse_instant(options.since),
        until_ms=None if options.until is None else parse_instant(options.until),
        session=options.session,
        out=sys.stdout,
    )
    return Exit.DONE
