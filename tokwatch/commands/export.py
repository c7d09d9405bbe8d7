"""`tokwatch export hourly`: stored quantities and their cost, on stdout or as files in a directory."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokwatch.commands.settings import config_of, store_of
from tokwatch.config import Config
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.exports.days import file_periods
from tokwatch.exports.focus.billing import Billing
from tokwatch.exports.hourly import Asked, Exported, export_days, export_hourly
from tokwatch.exports.hours import parse_range
from tokwatch.exports.periods import Period, Periods, zone_called
from tokwatch.exports.tables import table_kind
from tokwatch.progress import Progress

_NAMED_AT_MOST = 3


def run(options: argparse.Namespace) -> int:
    """Write the rows; what was left out is told on stderr."""
    zone = zone_called(options.tz)
    since_ms, until_ms = parse_range(options.since, options.until, zone)
    config = config_of(options)
    asked = Asked(
        by=options.by,
        grain=options.grain,
        zone=options.tz,
        format=options.format,
        since_ms=since_ms,
        until_ms=until_ms,
        session=options.session,
        simulated=options.simulated,
        billing=Billing(config.focus, options.focus, options.billed),
    )
    if getattr(options, "prometheus", None):
        return _of_a_fleet(options, config, asked)
    exported = _exported(store_of(options), asked, options.to)
    tell_left_out(exported.left_out)
    return Exit.PARTIAL if exported.left_out and not exported.rows else Exit.DONE


def _of_a_fleet(options: argparse.Namespace, config: Config, asked: Asked) -> int:
    from tokwatch.commands.fleet_quarters import fleet_quarters

    periods = Periods(asked.grain, asked.zone) if options.to is None else file_periods(asked.grain, asked.zone)
    traffic = table_kind(asked.by, asked.billing).traffic
    with fleet_quarters(options, config, periods, asked.since_ms, asked.until_ms, traffic=traffic) as fleet:
        partial = {
            f"the server says its answers are not whole: {words}": about for words, about in fleet.partial.items()
        }
        _exported(fleet.store, asked, options.to, partial)
        for words in partial:
            print(f"tokwatch: {words}", file=sys.stderr)
        return Exit.PARTIAL if partial else Exit.DONE


def _exported(
    store: Path, asked: Asked, directory: Path | None, partial: Mapping[str, Period] | None = None
) -> Exported:
    """partial: what is said of the store's not being whole, and of which time."""
    return _to_stdout(store, asked) if directory is None else _to_directory(store, asked, directory, partial or {})


def _to_stdout(store: Path, asked: Asked) -> Exported:
    on_terminal = sys.stdout.isatty()
    if asked.format == "parquet":
        if on_terminal:
            raise CommandError("Parquet is not for a terminal: write it into a file with > or into --to DIR")
        # Its writer goes by positions in the file, which a pipe does not have.
        with tempfile.TemporaryFile() as file, Progress("exporting", total=1) as progress:
            exported = export_hourly(store, asked, file, progress.update)
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
            return exported
    with Progress("exporting", total=1) as progress:
        exported = export_hourly(store, asked, sys.stdout.buffer, None if on_terminal else progress.update)
        sys.stdout.buffer.flush()
        return exported


def _to_directory(store: Path, asked: Asked, directory: Path, partial: Mapping[str, Period]) -> Exported:
    now_ms = time.time_ns() // 1_000_000
    with Progress("exporting", total=1) as progress:
        exported = export_days(store, asked, directory, now_ms, progress.update, partial=partial)
    left = exported.files - exported.replaced
    print(
        f"tokwatch: {exported.rows} rows in {exported.files} files in {directory}: {exported.replaced} written, "
        f"{left} already as they should be",
        file=sys.stderr,
    )
    return exported


def tell_left_out(sessions: Sequence[str]) -> None:
    """Name the simulated sessions that nobody asked for, where there are any."""
    if not sessions:
        return
    named = ", ".join(sessions[:_NAMED_AT_MOST])
    more = len(sessions) - _NAMED_AT_MOST
    print(
        f"tokwatch: left out, for it is simulated: {named}{f' and {more} more' if more > 0 else ''}; "
        "--simulated puts it in",
        file=sys.stderr,
    )
