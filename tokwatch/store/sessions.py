"""Sessions: what users replay. Runs that follow one another, cut at local midnight. Named ranges may join them here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from tokwatch.ledger.entries import Run
from tokwatch.ledger.local_time import zone_of
from tokwatch.store.reader import Reader

LONGEST_GAP_MS: Final = 15 * 60_000


@dataclass(frozen=True, slots=True)
class Session:
    """Ticks in (from_ms, to_ms] of `runs`."""

    id: str  # host, local date and time of the first tick: dgx-03-20261121-1103
    host: str
    kind: str
    runs: tuple[int, ...]
    from_ms: int
    to_ms: int
    title: str


@dataclass(slots=True)
class _Chain:
    """Runs of one host and kind with no long gap between them."""

    runs: list[Run]
    first_ms: int
    last_ms: int


def sessions(reader: Reader) -> list[Session]:
    """Every session of a store, oldest first."""
    found: list[Session] = []
    taken: set[str] = set()
    for chain in _chains(reader):
        for session in _days(reader, chain):
            number, unique = 1, session.id
            while unique in taken:  # an import of the same minutes, or a simulated run beside a recorded one
                number += 1
                unique = f"{session.id}-{number}"
            taken.add(unique)
            found.append(replace(session, id=unique))
    return sorted(found, key=lambda session: session.from_ms)


def _chains(reader: Reader) -> list[_Chain]:
    """In order of run id, so that a later run never changes the id of an earlier session."""
    chains: list[_Chain] = []
    for run in reader.runs():
        first_ms, last_ms = reader.tick_after([run.id], 0), reader.last_tick([run.id])
        if first_ms is None or last_ms is None:
            continue
        for chain in reversed(chains):
            same = (chain.runs[0].host, chain.runs[0].kind) == (run.host, run.kind)
            if same and 0 < first_ms - chain.last_ms <= LONGEST_GAP_MS:
                chain.runs.append(run)
                chain.last_ms = last_ms
                break
        else:
            chains.append(_Chain([run], first_ms, last_ms))
    return chains


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
        end = datetime.fromtimestamp(last_ms / 1000, zone)
        present = tuple(run for run in runs if _has_ticks(reader, run, first_ms, last_ms))
        host, kind = chain.runs[0].host, chain.runs[0].kind
        yield Session(
            f"{_slug(host)}-{begin:%Y%m%d-%H%M}",
            host,
            kind,
            present,
            first_ms - 1,
            last_ms,
            f"{host} {begin:%Y-%m-%d %H:%M}–{end:%H:%M}",
        )
        after_ms = last_ms


def _has_ticks(reader: Reader, run: int, first_ms: int, last_ms: int) -> bool:
    found_ms = reader.tick_after([run], first_ms - 1)
    return found_ms is not None and found_ms <= last_ms


def _slug(host: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", host.lower()).strip("-.")[:32] or "host"
