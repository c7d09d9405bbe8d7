"""`tokwatch replay`: what is stored on the same screens, as Snapshots on stdout, or two moments side by side."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import partial
from pathlib import Path

import msgspec

from tokwatch.commands.screen import preferences_of, terminal_of
from tokwatch.commands.sessions import find_session, gone
from tokwatch.commands.settings import can_draw, config_of, store_of
from tokwatch.errors import EXPECTED, CommandError
from tokwatch.exits import Exit
from tokwatch.exports.comparison import plain_comparison
from tokwatch.exports.table import plain_table
from tokwatch.feeds.clock import SystemClock
from tokwatch.feeds.cursor import Cursor
from tokwatch.feeds.fleet.stored import holds_fleet
from tokwatch.feeds.history import History
from tokwatch.feeds.timeline import Timeline
from tokwatch.ledger.entries import Run
from tokwatch.ledger.local_time import zone_of
from tokwatch.ledger.snapshot import canonical_json
from tokwatch.ledger.window_figures import compared
from tokwatch.moments import parse_moment
from tokwatch.store.foreign import check_foreign, told_plainly
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import Session, offered_runs, sessions

_KINDS = ("recorded", "imported", "simulated")  # where several hold a moment, the first of these is meant


@dataclass(frozen=True, slots=True)
class Stored:
    """A store, and the session in it that is wanted."""

    path: Path
    every: Sequence[Session]
    runs: Sequence[Run]
    offered: frozenset[int]  # runs of which others were given a range only
    wanted: Session  # the newest where none was named
    by_name: bool
    now_ms: int  # what "yesterday" and "2h ago" count from

    @property
    def run(self) -> Run:
        return next(run for run in self.runs if run.id == self.wanted.runs[-1])

    @property
    def zone(self) -> tzinfo:
        return zone_of(self.run.timezone)

    @property
    def confined(self) -> bool:
        """To the session: it was named, or handed on; else all of its host's history may be gone about in."""
        return self.by_name or bool(self.offered.intersection(self.wanted.runs))

    def cursor(self) -> Cursor:
        """Over the session, or over the whole history of its host."""
        return self.session_cursor() if self.confined else Cursor(self._history())

    def session_cursor(self) -> Cursor:
        """Over the session."""
        return Cursor(self._history(), from_ms=self.wanted.from_ms, to_ms=self.wanted.to_ms)

    def _history(self) -> History:
        if not self.path.exists():  # a screen opens it for what it asks later, after the sessions were read
            raise CommandError(f"{self.path} is gone: somebody moved or deleted it while it was looked at")
        return History(self.path, self.run)


def run(options: argparse.Namespace) -> int:
    """Play it, or print it."""
    if options.speed <= 0:
        raise CommandError(f"--speed {options.speed:g}: must be above 0")
    if getattr(options, "prometheus", None) and not options.host:
        from tokwatch.commands import replay_fleet

        return replay_fleet.through_prometheus(options)
    _ask_prometheus(options)
    path = _path(options)
    foreign = not _is_own(path, options)
    if foreign:
        check_foreign(path)
    if holds_fleet(path):
        from tokwatch.commands import replay_fleet

        return replay_fleet.recorded(path, options)
    reading = partial(told_plainly, path, expected=(*EXPECTED, BrokenPipeError)) if foreign else nullcontext
    with reading():
        return _run(options, path, reading)


def _run(options: argparse.Namespace, path: Path, reading: Callable[[], AbstractContextManager[None]]) -> int:
    stored = _stored(options, path)
    if options.compare:
        return _compare(stored, options.compare, round(options.window * 1000), as_json=options.json)
    at_ms = None
    if options.at is not None:
        stored, at_ms = _found(stored, "--at", options.at)
    elif not stored.wanted.replayable:
        raise CommandError(gone(stored.wanted))
    if options.json or not can_draw():
        return _print(stored, at_ms, everything=options.json)
    section = config_of(options).dashboard
    terminal = terminal_of(options, section)
    from tokwatch.dashboard.app import TokwatchApp
    from tokwatch.dashboard.remembered import Memory

    start_ms = stored.wanted.from_ms + 1 if at_ms is None else at_ms
    session = stored.wanted.id if stored.confined else ""
    feed = Timeline(
        path, stored.cursor, SystemClock(), session=session, start_ms=start_ms, speed=options.speed, reading=reading
    )
    app = TokwatchApp(
        feed, terminal=terminal, preferences=preferences_of(options, section), memory=Memory.of_this_user()
    )
    app.run()
    return app.return_code or Exit.DONE


def _ask_prometheus(options: argparse.Namespace) -> None:
    """With --prometheus the stretch that is asked for is in a store of its own, which then stands for --store."""
    if getattr(options, "prometheus", None):
        if options.session is not None:
            raise CommandError("--prometheus and a session are two things: name one of them")
        from tokwatch.commands.replay_prometheus import cached_store

        options.store = cached_store(options)
    elif options.from_time or options.to_time:
        raise CommandError("--from and --to go with --prometheus; in a store, go to a moment with --at")


# --- which session ----------------------------------------------------------------------------------------------------


def _path(options: argparse.Namespace) -> Path:
    """The argument is a session's id, or a store to look into."""
    named: str | None = options.session
    if named is None:
        return store_of(options)
    if Path(named).is_file():
        return Path(named)
    if "/" in named or named.endswith(".db"):
        raise CommandError(f"{named} is no file; `tokwatch replay` takes one, or a session of `tokwatch sessions`")
    return store_of(options)


def _is_own(path: Path, options: argparse.Namespace) -> bool:
    """The store that is recorded into here: all others may have been made by anybody."""
    own = store_of(options)
    return path == own or (own.exists() and path.exists() and path.samefile(own))


def _stored(options: argparse.Namespace, path: Path) -> Stored:
    named: str | None = options.session
    by_name = named is not None and not Path(named).is_file()
    wanted = find_session(path, named if by_name else None)
    with Reader(path) as reader:
        every, runs, offered = sessions(reader), reader.runs(), offered_runs(reader)
    # What is stored in a file that was named may be of any time: its own end is the present there.
    now_ms = time.time_ns() // 1_000_000 if named is None else wanted.to_ms
    return Stored(path, every, runs, offered, wanted, by_name, now_ms)


def _found(stored: Stored, option: str, text: str) -> tuple[Stored, int]:
    """The session that holds a moment, and the moment. Says on stderr what had to be assumed."""
    among = [stored.wanted] if stored.by_name else stored.every
    last_ms = stored.wanted.to_ms
    ending = text.strip().lower() in ("end", "last", "now")
    try:
        moment = parse_moment(
            text,
            shown_ms=last_ms,
            first_ms=among[0].from_ms + 1,
            last_ms=last_ms if ending else stored.now_ms,
            zone=stored.zone,
        )
    except ValueError as error:
        raise CommandError(f"{option} {text}: {error}") from error
    if moment.note:
        print(f"tokwatch: {option} {text}: {moment.note}", file=sys.stderr)
    holding = [session for session in among if session.from_ms < moment.at_ms <= session.to_ms]
    if not holding:
        raise CommandError(_nothing_at(moment.at_ms, f"{option} {text}", among, stored.zone))
    session = min(holding, key=lambda each: (not each.replayable, _KINDS.index(each.kind), each.named, each.from_ms))
    if not session.replayable:
        raise CommandError(gone(session))
    return replace(stored, wanted=session), moment.at_ms


def _nothing_at(at_ms: int, asked: str, among: Sequence[Session], zone: tzinfo) -> str:
    """What is stored next to a moment that nothing is stored of."""

    def told(instant_ms: int) -> str:
        return f"{datetime.fromtimestamp(instant_ms / 1000, zone):%Y-%m-%d %H:%M:%S}"

    before = max((session for session in among if session.to_ms < at_ms), key=lambda each: each.to_ms, default=None)
    after = min((session for session in among if session.from_ms >= at_ms), key=lambda each: each.from_ms, default=None)
    nearest = [
        *([f"{before.id} ends at {told(before.to_ms)}"] if before else []),
        *([f"{after.id} begins at {told(after.from_ms + 1)}"] if after else []),
    ]
    return f"{asked}: nothing is stored of {told(at_ms)}; {' and '.join(nearest)}"


# --- without a screen -------------------------------------------------------------------------------------------------


def _compare(stored: Stored, texts: Sequence[str], length_ms: int, *, as_json: bool) -> int:
    windows = []
    for text in texts:
        holding, at_ms = _found(stored, "--compare", text)
        cursor = holding.cursor()
        try:
            windows.append(cursor.window(at_ms, length_ms))
        finally:
            cursor.close()
    before, after = windows
    rows = compared(before, after)
    if as_json:
        told = {"before": before, "after": after, "change": {row.name: row.change for row in rows}}
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    else:
        print(plain_comparison(rows, before, after, stored.zone), end="")
    return Exit.DONE


def _print(stored: Stored, at_ms: int | None, *, everything: bool) -> int:
    """Every Snapshot of the session as JSON, or with --at only that moment's; a table when JSON is not wanted."""
    session, cursor = stored.wanted, stored.session_cursor()
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
