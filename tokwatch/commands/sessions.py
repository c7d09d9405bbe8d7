"""`tokwatch sessions`: what is stored."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime

from tokwatch.commands.settings import store_of
from tokwatch.exits import Exit
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import Session, sessions


def run(options: argparse.Namespace) -> int:
    """A line each, oldest first; with --json an array."""
    with Reader(store_of(options)) as reader:
        found = sessions(reader)
    if options.json:
        print(json.dumps([_as_json(session) for session in found], indent=1))
        return Exit.DONE
    width = max((len(session.id) for session in found), default=0)
    for session in found:
        minutes = (session.to_ms - session.from_ms) / 60_000
        print(f"{session.id:<{width}}  {session.kind:<9}  {minutes:7.1f} min  {session.title}")
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
    }


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
