"""`tokwatch sessions`: what is stored, names for ranges of it, and handing it on."""

from __future__ import annotations

import argparse
import importlib
import json
import time
from datetime import UTC, datetime
from pathlib import Path

from tokwatch.commands.settings import store_of
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.exports.table import duration
from tokwatch.ledger.local_time import zone_of
from tokwatch.moments import parse_moment
from tokwatch.store.named_sessions import NamedSession, delete_session, insert_session
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import Session, sessions
from tokwatch.store.telling import telling

_PARTS = {"share": "tokwatch.commands.sessions_share", "merge": "tokwatch.commands.sessions_merge"}


def run(options: argparse.Namespace) -> int:
    """List, name, share or merge."""
    if options.action in _PARTS:
        return int(importlib.import_module(_PARTS[options.action]).run(options))
    if options.action == "name":
        return _name(options)
    return _list(options)


def find_session(store: Path, wanted: str | None) -> Session:
    """The session of that id or name; the newest that can be replayed without one. Raises CommandError."""
    with Reader(store) as reader:
        found = sessions(reader)
    if not found:
        raise CommandError(f"{store} holds no session yet: `tokwatch record` makes one")
    if wanted is not None:
        for session in found:
            if session.id == wanted:
                return session
        known = ", ".join(session.id for session in found[-3:])
        raise CommandError(f"no session {wanted!r} in {store}; the newest are {known}; `tokwatch sessions` lists all")
    for session in reversed(found):
        if session.replayable:
            return session
    raise CommandError(gone(found[-1]))


def gone(session: Session) -> str:
    """Why a session cannot be replayed, and what can be done with it."""
    until = datetime.fromtimestamp(session.to_ms / 1000, UTC)
    return (
        f"the ticks of {session.id} (until {until:%Y-%m-%d %H:%M} UTC) are older than the store keeps them, see "
        "history_days in [retention]; sums of its quarter hours stay: `tokwatch export hourly "
        f"--session {session.id}` has them"
    )


def range_of(store: Path, session: Session, from_: str | None, to: str | None) -> tuple[int, int]:
    """(from_ms, to_ms] as given on the command line, in the session's local time; its own ends for what is not given.

    Raises CommandError.
    """
    with Reader(store) as reader:
        zone = zone_of(next(run.timezone for run in reader.runs() if run.id == session.runs[-1]))

    def moment(name: str, text: str, counted_from_ms: int) -> int:
        try:
            found = parse_moment(
                text, shown_ms=counted_from_ms, first_ms=session.from_ms + 1, last_ms=session.to_ms, zone=zone
            )
        except ValueError as error:
            raise CommandError(f"{name} {text}: {error}") from error
        return found.at_ms

    # A tick at the very moment belongs to the range.
    from_ms = session.from_ms if from_ is None else moment("--from", from_, session.to_ms) - 1
    to_ms = session.to_ms if to is None else moment("--to", to, session.to_ms if from_ is None else from_ms + 1)
    if to_ms <= from_ms:
        raise CommandError("--to is not later than --from")
    return from_ms, to_ms


def _list(options: argparse.Namespace) -> int:
    """A line each, oldest first; with --json an array."""
    with Reader(store_of(options)) as reader:
        found = sessions(reader)
    if options.json:
        print(json.dumps([_as_json(session) for session in found], indent=1))
        return Exit.DONE
    width = max((len(session.id) for session in found), default=0)
    for session in found:
        left = "" if session.replayable else "  sums only"
        length = duration(session.to_ms - session.from_ms)
        print(f"{session.id:<{width}}  {session.kind:<9}  {length:>7}  {session.title}{left}")
    return Exit.DONE


def _name(options: argparse.Namespace) -> int:
    store = store_of(options)
    if options.remove:
        with telling(store) as connection:
            if not delete_session(connection, options.name):
                raise CommandError(f"no range of {store} is named {options.name!r}")
        return Exit.DONE
    session = find_session(store, options.session)
    from_ms, to_ms = range_of(store, session, options.from_, options.to)
    with Reader(store) as reader:
        if any(each.id == options.name for each in sessions(reader)):
            raise CommandError(f"{options.name!r} names a session of {store} already: choose another name")
        chosen = next(run for run in reader.runs() if run.id == session.runs[-1])
        runs = tuple(
            run.id
            for run in reader.runs()
            if (run.host, run.kind) == (chosen.host, chosen.kind)
            and (run.kind != "imported" or run.id == chosen.id)
            and (first_ms := reader.tick_after([run.id], from_ms)) is not None
            and first_ms <= to_ms
        )
    if not runs:
        raise CommandError("no tick is stored in that range; `tokwatch sessions` lists what is")
    named = NamedSession(options.name, runs, from_ms, to_ms, time.time_ns() // 1_000_000)
    with telling(store) as connection:
        insert_session(connection, named)
    return Exit.DONE


def _as_json(session: Session) -> dict[str, object]:
    return {
        "id": session.id,
        "host": session.host,
        "kind": session.kind,
        "from": _iso(session.from_ms),
        "to": _iso(session.to_ms),
        "runs": list(session.runs),
        "title": session.title,
        "named": session.named,
        "replayable": session.replayable,
    }


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
