"""Which part of a store is exported: a stretch of whole UTC hours, or a session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from collectors.labels import clean_label
from tokwatch.exports.errors import ExportError
from tokwatch.exports.hours import HOUR_MS
from tokwatch.store.quarters import Quarters
from tokwatch.store.reader import Reader
from tokwatch.store.sessions import Session, sessions

_NAMED_AT_MOST = 5
_STRETCH_MS = 7 * 24 * HOUR_MS  # bounds the memory: the rows of 64 GPUs take some 40 MB a week


@dataclass(frozen=True, slots=True)
class Selection:
    """Quarter hours with a part in (from_ms, to_ms] of these runs; None: of all."""

    runs: tuple[int, ...] | None
    from_ms: int
    to_ms: int


def select(reader: Reader, *, since_ms: int | None, until_ms: int | None, session: str | None) -> Selection | None:
    """What to read; None when there is nothing in it. `since` and `until` are widened to whole hours.

    A session is the quarter hours from its first tick to its last.
    Raises ExportError for a session that is not there, and where two sessions hold the same thing at the same time.
    """
    first_ms, last_ms = reader.tick_after(None, 0), reader.last_tick()
    if first_ms is None or last_ms is None:
        if session is not None:
            raise ExportError(f"there is no session {clean_label(session)!r}: the store is empty")
        return None
    runs: tuple[int, ...] | None = None
    from_ms, to_ms = (first_ms - 1) // HOUR_MS * HOUR_MS, last_ms
    found = sessions(reader)
    if session is not None:
        named = _named(found, session)
        # A session's first tick ends its first interval: where that is an hour's edge, nothing before it is wanted.
        runs, from_ms, to_ms = named.runs, named.from_ms + 1, named.to_ms
    if since_ms is not None:
        from_ms = max(from_ms, since_ms // HOUR_MS * HOUR_MS)
    if until_ms is not None:
        to_ms = min(to_ms, -(-until_ms // HOUR_MS) * HOUR_MS)
    if from_ms >= to_ms:
        return None
    if session is None:
        _refuse_overlaps(reader, [each for each in found if each.from_ms < to_ms and from_ms < each.to_ms])
    return Selection(runs, from_ms, to_ms)


def stretches(reader: Reader, selection: Selection, *, traffic: bool = True) -> Iterator[tuple[Quarters, range]]:
    """The selection's quarter rows and the starts of its hours, a week at a time, cut at edges of hours.

    traffic: with the rows of flows.
    """
    from_ms = selection.from_ms
    while from_ms < selection.to_ms:
        first_ms = from_ms // HOUR_MS * HOUR_MS
        to_ms = min(first_ms + _STRETCH_MS, selection.to_ms)
        rows = reader.quarters(from_ms, to_ms, selection.runs, traffic=traffic)
        yield rows, range(first_ms, to_ms, HOUR_MS)
        from_ms = to_ms


def _named(found: list[Session], wanted: str) -> Session:
    for session in found:
        if session.id == wanted:
            return session
    latest = ", ".join(session.id for session in found[-_NAMED_AT_MOST:])
    raise ExportError(f"there is no session {clean_label(wanted)!r} in this store; the latest are: {latest}")


def _refuse_overlaps(reader: Reader, found: list[Session]) -> None:
    """Sums over two records of the same thing at the same time would count it twice."""
    for one, other in combinations(found, 2):
        from_ms, to_ms = max(one.from_ms, other.from_ms), min(one.to_ms, other.to_ms)
        if from_ms >= to_ms:
            continue
        shared = _recorded(reader, one, from_ms, to_ms) & _recorded(reader, other, from_ms, to_ms)
        if shared:
            _, entity = min(shared)
            names = {each.id: each.key for each in reader.entities()}
            raise ExportError(
                f"the sessions {one.id} and {other.id} both hold {names.get(entity, entity)} at the same time, "
                f"and its hours would count twice: choose one of them with --session"
            )


def _recorded(reader: Reader, session: Session, from_ms: int, to_ms: int) -> set[tuple[int, int]]:
    """Quarter × GPU or flow of what a session recorded in a range."""
    quarters = reader.quarters(from_ms, to_ms, session.runs)
    gpus = {(row.quarter_ms, row.entity) for row in quarters.gpus}
    return gpus | {(row.quarter_ms, row.entity) for row in quarters.flows}
