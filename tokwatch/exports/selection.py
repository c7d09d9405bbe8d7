"""Which part of a store is exported: a stretch of whole periods, or a session; simulated runs only where asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from collectors.labels import clean_label
from tokwatch.exports.errors import ExportError
from tokwatch.exports.hours import HOUR_MS
from tokwatch.exports.periods import Period, Periods
from tokwatch.store.quarters import Quarters
from tokwatch.store.reader import Reader
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.sessions import Session, sessions

_NAMED_AT_MOST = 5
_STRETCH_MS = 7 * 24 * HOUR_MS  # bounds the memory: the rows of 64 GPUs take some 40 MB a week
_DAY_HOURS = 24
_GPUS_A_DAY = 512  # more GPUs are read fewer hours at a time: a day of 8000 would take half a gigabyte
_UTC_HOURS = Periods()


@dataclass(frozen=True, slots=True)
class Selection:
    """Quarter hours with a part in (from_ms, to_ms] of these runs; None: of all."""

    runs: tuple[int, ...] | None
    from_ms: int
    to_ms: int
    left_out: tuple[str, ...] = ()  # simulated sessions that lie in it and were not asked for

    @property
    def quarters(self) -> Period:
        """From the first of its quarter hours to where the last one ends."""
        return Period(self.from_ms // QUARTER_MS * QUARTER_MS, -(-self.to_ms // QUARTER_MS) * QUARTER_MS)


def select(
    reader: Reader,
    *,
    since_ms: int | None,
    until_ms: int | None,
    session: str | None,
    periods: Periods = _UTC_HOURS,
    simulated: bool = True,
) -> Selection | None:
    """What to read; None when there is nothing in it. `since` and `until` are widened to whole periods.

    A session is the quarter hours from its first tick to its last. simulated: with simulated runs.
    Raises ExportError for a session that is not there, and where two sessions hold the same thing at the same time.
    """
    found = sessions(reader)
    if not found:
        if session is not None:
            raise ExportError(f"there is no session {clean_label(session)!r}: the store is empty")
        return None
    runs: tuple[int, ...] | None = None
    # By sessions and not by ticks: of old ones only sums are left.
    from_ms, to_ms = min(each.from_ms for each in found) // HOUR_MS * HOUR_MS, max(each.to_ms for each in found)
    if session is not None:
        named = _named(found, session)
        # A session's first tick ends its first interval: where that is an hour's edge, nothing before it is wanted.
        runs, from_ms, to_ms = named.runs, named.from_ms + 1, named.to_ms
        found = [named]
    if since_ms is not None:
        from_ms = max(from_ms, periods.of(since_ms).start_ms)
    if until_ms is not None:
        to_ms = min(to_ms, periods.of(until_ms - 1).end_ms)
    if from_ms >= to_ms:
        return None
    found = [each for each in found if each.from_ms < to_ms and from_ms < each.to_ms]
    left_out = () if simulated else tuple(each for each in found if each.kind == "simulated")
    if left_out:
        recorded = (run.id for run in reader.runs() if run.kind != "simulated")
        runs = tuple(run for run in recorded if runs is None or run in runs)
    if session is None:  # a named one is a part of another
        _refuse_overlaps(reader, [each for each in found if not each.named and each not in left_out])
    return Selection(runs, from_ms, to_ms, tuple(each.id for each in left_out))


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


def whole_hours(reader: Reader, selection: Selection, *, traffic: bool = True) -> Iterator[tuple[Quarters, range]]:
    """The same, a day at a time at the most, and all of the first and the last UTC hour: a day that begins at half past
    an hour is the same whether it is read alone or after another."""
    end_ms = -(-selection.to_ms // HOUR_MS) * HOUR_MS
    gpus = sum(entity.kind == "gpu" for entity in reader.entities())
    length_ms = HOUR_MS * max(1, _DAY_HOURS * _GPUS_A_DAY // max(gpus, _GPUS_A_DAY))
    for first_ms in range(selection.from_ms // HOUR_MS * HOUR_MS, end_ms, length_ms):
        to_ms = min(first_ms + length_ms, end_ms)
        yield reader.quarters(first_ms, to_ms, selection.runs, traffic=traffic), range(first_ms, to_ms, HOUR_MS)


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
