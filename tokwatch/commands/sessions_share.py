"""`tokwatch sessions share`: a range as one small file for others, and in words what it tells and what it does not."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tokwatch.commands.sessions import find_session, gone, range_of
from tokwatch.commands.settings import store_of
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.exports.table import duration
from tokwatch.handover.share import Shared, Wish, share, whole_from
from tokwatch.progress import Progress


def run(options: argparse.Namespace) -> int:
    """Write the file; everything it says goes to stderr."""
    store = store_of(options)
    session = find_session(store, options.session)
    if not session.replayable:
        raise CommandError(gone(session))
    from_ms, to_ms = range_of(store, session, options.from_, options.to)
    wish = Wish(session.runs[-1], from_ms, to_ms, keep_names=options.keep_names, prices=not options.no_prices)
    out: Path = options.out or Path("tokwatch-share.db")
    begins_ms = whole_from(from_ms)
    with Progress("sharing", to_ms - begins_ms) as progress:
        shared = share(
            store,
            out,
            wish,
            replaces=options.force,
            on_tick=lambda tick_ms: progress.update(tick_ms - begins_ms),
        )
    for line in _report(out, wish, shared):
        print(f"tokwatch: {line}", file=sys.stderr)
    return Exit.DONE


def _report(out: Path, wish: Wish, shared: Shared) -> list[str]:
    ticks = f"{shared.ticks} tick{'' if shared.ticks == 1 else 's'}"
    lines = [
        f"{out}: {duration(wish.to_ms - wish.from_ms)}, {ticks}, {out.stat().st_size / 1024:.0f} KiB; "
        f"see it with `tokwatch replay {out}`"
    ]
    prices = "prices, " if wish.prices else ""
    if wish.keep_names:
        lines.append(f"every name is in it, and {prices}times and all figures")
    else:
        counted = ", ".join(
            f"{number} {category}{'' if number == 1 else 's'}" for category, number in sorted(shared.replaced.items())
        )
        lines.append(f"names replaced: {counted}; free text that tokwatch did not write itself is left out")
        lines.append(
            f"still to be seen: {prices}times with their time zone, GPU models, engines, drivers, versions, figures"
        )
    lines.append("it also holds the minutes before, and the states of GPUs of before, for its first figures")
    if shared.left_out:
        kinds = ", ".join(f"{number} of {kind}" for kind, number in sorted(shared.left_out.items()))
        lines.append(f"left out, as nobody knows what they hold: events, {kinds}")
    return lines
