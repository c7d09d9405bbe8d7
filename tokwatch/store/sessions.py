"""Sessions: what users replay. Runs that follow one another, cut at local midnight, and ranges that somebody named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from typing import Final

import msgspec

from tokwatch.ledger.entries import Run
from tokwatch.ledger.local_time import zone_of
from tokwatch.store.errors import StoreError
from tokwatch.store.named_sessions import NamedSession
from tokwatch.store.reader import Reader
from tokwatch.store.rollup import QUARTER_MS
from tokwatch.store.rows import entries_of

LONGEST_GAP_MS: Final = 15 * 60_000
OFFERED_KEY: Final = "offered_runs"  # in `meta`


@dataclass(frozen=True, slots=True)
class Session:
    """Ticks in (from_ms, to_ms] of `runs`."""

    id: str  # host, local date and time of the first tick: dgx-03-20261121-1103; of a named one its name
    host: str
    kind: str
    runs: tuple[int, ...]
    from_ms: int
    to_ms: int
    title: str
    named: bool = False
    replayable: bool = True  # False: its ticks are gone, sums of quarter hours are left, which exports have


@dataclass(slots=True)
class _Chain:
    """Runs of one host and kind with no long gap between them."""

    runs: list[Run]
    first_ms: int
    last_ms: int


def sessions(reader: Reader) -> list[Session]:
    """Every session of a store, oldest first; of runs that were cut for others the ranges that are offered."""
    runs = reader.runs()
    named = [session for each in reader.named_sessions() if (session := _named(each, runs, reader)) is not None]
    offered = offered_runs(reader)
    found: list[Session] = []
    taken = {session.id for session in named}
    for chain in _chains(reader, [run for run in runs if run.id not in offered]):
        for session in (*_summed_days(reader, chain), *_days(reader, chain)):
            number, unique = 1, session.id
            while unique in taken:  # an import of the same minutes, or a simulated run beside a recorded one
                number += 1
                unique = f"{session.id}-{number}"
            taken.add(unique)
            found.append(replace(session, id=unique))
    return sorted((*found, *named), key=lambda session: session.from_ms)


def offered_runs(reader: Reader) -> frozenset[int]:
    """Runs of a file that was cut for others: it offers ranges of them by name, what else it has of them is context.

    Raises StoreError where what the file says is damaged.
    """
    try:
        return frozenset(msgspec.json.decode(reader.meta().get(OFFERED_KEY, "[]"), type=tuple[int, ...]))
    except msgspec.MsgspecError as error:
        raise StoreError(f"the file does not say what it offers: {error}") from error


def session_name(host: str, first_ms: int, zone: tzinfo) -> str:
    """What a session of that host and beginning is called."""
    return f"{_slug(host)}-{datetime.fromtimestamp(first_ms / 1000, zone):%Y%m%d-%H%M}"


def _named(named: NamedSession, runs: Sequence[Run], reader: Reader) -> Session | None:
    """None where none of its runs is in the store."""
    its = [run for run in runs if run.id in named.runs]
    if not its:
        return None
    ids = tuple(run.id for run in its)
    last_ms = reader.last_tick(ids, at_or_before_ms=named.to_ms)
    return Session(
        named.name,
        its[0].host,
        its[0].kind,
        ids,
        named.from_ms,
        named.to_ms,
        _title(its[0], named.from_ms + 1, named.to_ms),
        named=True,
        replayable=last_ms is not None and last_ms > named.from_ms,
    )


def _chains(reader: Reader, runs: Sequence[Run]) -> list[_Chain]:
    """In order of run id, so that a later run never changes the id of an earlier session."""
    chains: list[_Chain] = []
    for run in runs:
        span = _span(reader, run)
        if span is None:
            continue
        first_ms, last_ms = span
        for chain in reversed(chains):
            same = (chain.runs[0].host, chain.runs[0].kind) == (run.host, run.kind)
            if same and 0 < first_ms - chain.last_ms <= LONGEST_GAP_MS:
                chain.runs.append(run)
                chain.last_ms = last_ms
                break
        else:
            chains.append(_Chain([run], first_ms, last_ms))
    return chains


def _span(reader: Reader, run: Run) -> tuple[int, int] | None:
    """First and last tick of a run; the edges of its sums where all of its ticks are gone."""
    first_ms, last_ms = reader.tick_after([run.id], 0), reader.last_tick([run.id])
    if first_ms is not None and last_ms is not None:
        return first_ms, last_ms
    quarters = _summed(reader, run)
    return (quarters[0] + 1, quarters[-1] + QUARTER_MS) if quarters else None


def _summed(reader: Reader, run: Run) -> list[int]:
    """Quarter hours with sums whose ticks are gone. What counters did before the run, or before the first tick that is
    left, is in sums too: that is no time it was there for."""
    since_ms = 0 if run.kind == "imported" else run.started_ms
    first_ms = reader.tick_after([run.id], 0)
    until_ms = None if first_ms is None else min(first_ms, _reaches_back_to(reader, run.id, first_ms))
    return [each for each in reader.summed_quarters(run.id, until_ms) if each + QUARTER_MS > since_ms]


def _reaches_back_to(reader: Reader, run: int, tick_ms: int) -> int:
    (record,) = reader.records([run], tick_ms - 1, tick_ms)
    return min((entry.t0_ms for entry in entries_of(record)), default=tick_ms)


def _days(reader: Reader, chain: _Chain) -> Iterator[Session]:
    zone = zone_of(chain.runs[0].timezone)
    runs = tuple(run.id for run in chain.runs)
    after_ms = chain.first_ms - 1
    while (first_ms := reader.tick_after(runs, after_ms)) is not None:
        begin = datetime.fromtimestamp(first_ms / 1000, zone)
        midnight = datetime(begin.year, begin.month, begin.day, tzinfo=zone) + timedelta(days=1)
        # In local time a day may have 23 or 25 hours: the sum above is one of calendar days, not of seconds.
        last_ms = reader.last_tick(runs, at_or_before_ms=int(midnight.timestamp() * 1000) - 1)
        assert last_ms is not None  # first_ms at least
        present = tuple(run for run in runs if _has_ticks(reader, run, first_ms, last_ms))
        yield _session(chain.runs[0], present, first_ms, last_ms)
        after_ms = last_ms


def _summed_days(reader: Reader, chain: _Chain) -> Iterator[Session]:
    """Days, or the beginning of one, that only sums of quarter hours are left of."""
    zone = zone_of(chain.runs[0].timezone)
    quarters = sorted((quarter_ms, run.id) for run in chain.runs for quarter_ms in _summed(reader, run))
    for _, day in groupby(quarters, lambda found: datetime.fromtimestamp(found[0] / 1000, zone).date()):
        of_day = list(day)
        runs = tuple(sorted({run for _, run in of_day}))
        first_ms, last_ms = of_day[0][0], of_day[-1][0] + QUARTER_MS
        yield replace(_session(chain.runs[0], runs, first_ms + 1, last_ms), replayable=False)


def _session(run: Run, runs: tuple[int, ...], first_ms: int, last_ms: int) -> Session:
    name = session_name(run.host, first_ms, zone_of(run.timezone))
    return Session(name, run.host, run.kind, runs, first_ms - 1, last_ms, _title(run, first_ms, last_ms))


def _title(run: Run, first_ms: int, last_ms: int) -> str:
    zone = zone_of(run.timezone)
    begin, end = (datetime.fromtimestamp(at_ms / 1000, zone) for at_ms in (first_ms, last_ms))
    return f"{run.host} {begin:%Y-%m-%d %H:%M}–{end:%H:%M}"


def _has_ticks(reader: Reader, run: int, first_ms: int, last_ms: int) -> bool:
    found_ms = reader.tick_after([run], first_ms - 1)
    return found_ms is not None and found_ms <= last_ms


def _slug(host: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", host.lower()).strip("-.")[:32] or "host"
