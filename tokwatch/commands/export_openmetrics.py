"""`tokwatch export openmetrics`: a stored range for a Prometheus, on stdout."""

from __future__ import annotations

import argparse
import sys

from tokwatch.commands.export import tell_left_out
from tokwatch.commands.settings import store_of
from tokwatch.exits import Exit
from tokwatch.exports.hours import parse_range
from tokwatch.exports.openmetrics.export import Asked, export_openmetrics
from tokwatch.progress import Progress


def run(options: argparse.Namespace) -> int:
    """Write the text; what was left out is told on stderr."""
    since_ms, until_ms = parse_range(options.since, options.until)
    asked = Asked(
        grain=options.grain,
        since_ms=since_ms,
        until_ms=until_ms,
        session=options.session,
        simulated=options.simulated,
    )
    with Progress("exporting", total=1) as progress:
        told = None if sys.stdout.isatty() else progress.update
        exported = export_openmetrics(store_of(options), asked, sys.stdout.buffer, told)
        sys.stdout.buffer.flush()
    tell_left_out(exported.left_out)
    return Exit.PARTIAL if exported.left_out and not exported.samples else Exit.DONE
