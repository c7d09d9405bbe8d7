"""`tokwatch replay`: a stored session on the same screens, or as Snapshots on stdout."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timedelta
from pathlib import Path

from tokwatch.commands.settings import ascii_only, can_draw, store_of
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.exports.table import plain_table
from tokwatch.feeds.clock import SystemClock
from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.history import History
from tokwatch.feeds.timeline import Timeline
from tokwatch.ledger.local_time import zone_of
from tokwatch.ledger.snapshot import canonical_json
from tokwatch.moments import parse_moment
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import Session, sessions


def run(options: argparse.Namespace) -> int:
    """Play the session, or print it."""
    store, wanted = _store_and_id(options)
    session = _session(store, wanted)
    at_ms = _moment(store, session, options.at)
    if options.speed <= 0:
        raise CommandError(f"--speed {options.speed:g}: must be above 0")

    def open_cursor() -> Cursor:
        return _cursor(store, session)

    if options.json or not can_draw():
        return _print(open_cursor(), session, at_ms, everything=options.json)
    from tokwatch.dashboard.app import TokwatchApp

    feed = Timeline(open_cursor, SystemClock(), session=session.id, start_ms=at_ms, speed=options.speed)
    app = TokwatchApp(feed, ascii_only=ascii_only(options), light=options.light)
    app.run()
    return app.return_code or Exit.DONE


def _store_and_id(options: argparse.Namespace) -> tuple[Path, str | None]:
    """The argument is a session's id, or a store to look into."""
    named: str | None = options.session
    if named is not None and Path(named).is_file():
        return Path(named), None
    return store_of(options), named


def _session(store: Path, wanted: str | None) -> Session:
    with Reader(store) as reader:
        found = sessions(reader)
    if not found:
        raise CommandError(f"{store} holds no session yet: `tokwatch record` makes one")
    if wanted is None:
        return found[-1]
    for session in found:
        if session.id == wanted:
            return session
    known = ", ".join(session.id for session in found[-3:])
    raise CommandError(f"no session {wanted!r} in {store}; the newest are {known}; `tokwatch sessions` lists all")


def _cursor(store: Path, session: Session) -> Cursor:
    with Reader(store) as reader:
        run = next(run for run in reader.runs() if run.id == session.runs[-1])
    return Cursor(History(store, run), from_ms=session.from_ms, to_ms=session.to_ms)


def _moment(store: Path, session: Session, text: str | None) -> int | None:
    if text is None:
        return None
    with Reader(store) as reader:
        zone = zone_of(next(run.timezone for run in reader.runs() if run.id == session.runs[-1]))
    offset = datetime.fromtimestamp(session.to_ms / 1000, zone).utcoffset() or timedelta()
    try:
        return parse_moment(text, from_ms=session.to_ms, end_ms=session.to_ms, utc_offset_s=int(offset.total_seconds()))
    except ValueError as error:
        raise CommandError(f"--at {text}: {error}") from error


def _print(cursor: Cursor, session: Session, at_ms: int | None, *, everything: bool) -> int:
    """Without a screen: every Snapshot as JSON, or with --at only that moment's; a table when JSON is not wanted."""
    try:
        cursor.seek(session.from_ms if at_ms is None and everything else at_ms or session.to_ms)
        current = cursor.snapshot("replay", session.id)
        while current is not None:
            if not everything:
                print(plain_table(current), end="")
                return Exit.DONE
            sys.stdout.buffer.write(canonical_json(current) + b"\n")
            if at_ms is not None or not cursor.step(1):
                return Exit.DONE
            current = cursor.snapshot("replay", session.id)
    finally:
        cursor.close()
    raise CommandError(f"session {session.id} holds no tick")
