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
        result = import_pages(options.directory, writer, store=store, host=options.host)
    finally:
        writer.close(10.0)
    for problem in result.problems:
        print(f"tokwatch: {problem}", file=sys.stderr)
    if not result.imported:
        print(f"tokwatch: {options.directory} is in the store already", file=sys.stderr)
        return Exit.DONE
    tokens = " and ".join(
        f"{'–' if count is None else count} {name}"
        for name, count in (("prompt", result.prompt_tokens), ("output tokens", result.output_tokens))
    )
    print(f"tokwatch: {result.ticks} pages, {tokens}, session {', '.join(result.sessions)}", file=sys.stderr)
    return Exit.PARTIAL if result.problems else Exit.DONE
