"""`tokwatch export alerts`: what was raised, from when to when and for how many dollars, on stdout."""

from __future__ import annotations

import argparse
import sys

from tokwatch.commands.export import tell_left_out
from tokwatch.commands.settings import store_of
from tokwatch.exits import Exit
from tokwatch.exports.alerts import Asked, export_alerts
from tokwatch.exports.hours import parse_range


def run(options: argparse.Namespace) -> int:
    """Write the rows; what was left out is told on stderr."""
    since_ms, until_ms = parse_range(options.since, options.until)
    asked = Asked(
        format=options.format,
        since_ms=since_ms,
        until_ms=until_ms,
        session=options.session,
        simulated=options.simulated,
    )
    exported = export_alerts(store_of(options), asked, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    tell_left_out(exported.left_out)
    return Exit.PARTIAL if exported.left_out and not exported.rows else Exit.DONE
