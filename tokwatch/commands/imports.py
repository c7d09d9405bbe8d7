"""`tokwatch import pages`: a directory of captured pages becomes a session."""

from __future__ import annotations

import argparse
import sys

from tokwatch.commands.settings import store_of
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.feeds.pages import import_pages
from tokwatch.store.lock import who_records
from tokwatch.store.writer import Writer


def run(options: argparse.Namespace) -> int:
    """Import once; the same content again changes nothing."""
    store = store_of(options)
    recorder = who_records(store)
    if recorder is not None:  # both would number new things, and differently
        raise CommandError(f"process {recorder.pid} records into {store}: import into another file with --store")
    writer = Writer(store)
    writer.open()
    try:
        result = import_pages(options.directory, writer, host=options.host)
    finally:
        writer.close(10.0)
    if not result.imported:
        print(f"tokwatch: {options.directory} is in the store already", file=sys.stderr)
        return Exit.DONE
    print(
        f"tokwatch: {result.ticks} pages, {result.prompt_tokens} prompt and {result.output_tokens} output tokens",
        file=sys.stderr,
    )
    return Exit.DONE
