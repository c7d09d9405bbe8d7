"""`tokwatch sessions merge`: several files as one."""

from __future__ import annotations

import argparse
import sys

from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.handover.merge import merge
from tokwatch.progress import Progress


def run(options: argparse.Namespace) -> int:
    """Write the file, and say on stderr what is in it."""
    if any(path.resolve() == options.out.resolve() for path in options.files):
        raise CommandError(f"{options.out} is both what is made and what it is made of: name the new file first")
    with Progress("merging", 1.0) as progress:
        merged = merge(
            options.files, options.out, prices_of=options.prices_of, replaces=options.force, on_share=progress.update
        )
    print(
        f"tokwatch: {options.out}: {merged.runs} recording{'' if merged.runs == 1 else 's'} of "
        f"{', '.join(merged.hosts)}, {merged.ticks} ticks",
        file=sys.stderr,
    )
    if merged.twice:
        print(f"tokwatch: {merged.twice} of them in several files, and in it once", file=sys.stderr)
    if merged.unlike_names:
        print(
            "tokwatch: names were replaced in each file by itself: what is called model-1 in two of them may be two "
            "models, and sums by name add them up",
            file=sys.stderr,
        )
    return Exit.DONE
