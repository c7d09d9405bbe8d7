"""Several stores as one: every recording once, with numbers of its own, under one price book."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tokwatch.handover.numbering import Numbering, Renumbered
from tokwatch.handover.same_runs import Described, Identity, host_names, identity, refuse_unlike_names
from tokwatch.ledger.entries import Event, Run
from tokwatch.store.copying import StoreCopy
from tokwatch.store.cut import read_cut
from tokwatch.store.errors import StoreError
from tokwatch.store.foreign import check_foreign, told_plainly
from tokwatch.store.quarters import Quarters
from tokwatch.store.reader import Reader
from tokwatch.store.rollup import QUARTER_MS, quarter_of
from tokwatch.store.rows import PriceClose, PriceVersion
from tokwatch.store.schema import TICK_LIMIT_MS
from tokwatch.store.sessions import OFFERED_KEY, offered_runs

_SUMS_AT_ONCE_MS: Final = 24 * 3_600_000
_ALL_TIME: Final = (-1, TICK_LIMIT_MS)


@dataclass(frozen=True, slots=True)
class Merged:
    """What came of it."""

    hosts: tuple[str, ...]
    runs: int
    ticks: int
    twice: int  # runs that were in several files
    unlike_names: bool  # names were replaced in more than one of them: "model-1" may be two models


@dataclass(frozen=True, slots=True)
class _Source:
    """One file that is read."""

    reader: Reader
    told: Described
    offered: frozenset[int]  # runs of which only named ranges are whole
    host_of: Callable[[str], str]
    renumbered: Renumbered


@dataclass(frozen=True, slots=True)
class _Part:
    """A run as one file has it."""

    source: _Source
    run: Run
    first_ms: int  # of its ticks; when it began where they are gone
    last_ms: int


def merge(
    files: Sequence[Path],
    out: Path,
    *,
    prices_of: Path | None = None,
    replaces: bool = False,
    on_share: Callable[[float], None] = lambda share: None,
) -> Merged:
    """Write the one file. on_share gets how much of the work is done, 0..1.

    Raises StoreError: a file that is not to be trusted, price books that differ, names that cannot be told apart.
    """
    for path in dict.fromkeys((*files, *((prices_of,) if prices_of else ()))):
        check_foreign(path)
    with ExitStack() as stack:
        readers = [stack.enter_context(Reader(path)) for path in files]
        told = [_told(path, reader) for path, reader in zip(files, readers, strict=True)]
        refuse_unlike_names(told)
        versions, closes = _book(files, readers, prices_of)
        numbering, sources = Numbering(), []
        for reader, file, host_of in zip(readers, told, host_names(told), strict=True):
            with told_plainly(file.path):
                renumbered = numbering.take(reader.entities(), host_of)
            sources.append(_Source(reader, file, offered_runs(reader), host_of, renumbered))
        parts = _parts(sources)
        with StoreCopy(out, replaces=replaces) as copy:
            copy.add_entities(sorted(numbering.entities.values(), key=lambda each: each.id))
            _copy_book(copy, versions, closes)
            total_ms = sum(part.last_ms - part.first_ms for of_run in parts for part in of_run)
            merging = _Merging(copy, lambda done_ms: on_share(done_ms / max(total_ms, 1)))
            for number, of_run in enumerate(parts, start=1):
                merging.run(number, of_run)
            _copy_sessions(copy, sources, parts)
            _copy_mutes(copy, sources)
    return Merged(
        hosts=tuple(sorted({part.source.host_of(part.run.host) for of_run in parts for part in of_run})),
        runs=len(parts),
        ticks=merging.ticks,
        twice=sum(len(of_run) > 1 for of_run in parts),
        unlike_names=len({file.names_of for file in told if file.names_of}) > 1,
    )


class _Merging:
    """Copies one run after the other."""

    def __init__(self, copy: StoreCopy, on_time: Callable[[int], None]) -> None:
        """on_time: how many milliseconds of all recordings are copied."""
        self.ticks = 0
        self._done_ms = 0
        self._copy = copy
        self._on_time = on_time
        self._taken: set[tuple[str, str, int]] = set()  # events of whole stores: kind, key and tick

    def run(self, number: int, parts: Sequence[_Part]) -> None:
        """A run under a new number. Of several files that have it, each tick and each quarter hour comes once."""
        first = parts[0]
        self._copy.add_run(replace(first.run, id=number, host=first.source.host_of(first.run.host)))
        after_ms, events_after_ms = 0, -1
        for part in sorted(parts, key=lambda each: (each.first_ms, -each.last_ms)):
            with told_plainly(part.source.told.path):
                moved = self._ticks(number, part, after_ms)
                happened = part.source.reader.events(events_after_ms, TICK_LIMIT_MS, runs=[part.run.id])
                self._copy.add_events(number, self._events(part, happened, moved))
            after_ms = events_after_ms = max(after_ms, part.last_ms)
        summed: set[int] = set()
        for part in sorted(parts, key=lambda each: -each.last_ms):
            with told_plainly(part.source.told.path):
                self._sums(number, part, summed)

    def _ticks(self, number: int, part: _Part, after_ms: int) -> dict[int, int]:
        """Where ticks went whose place was taken."""
        moved: dict[int, int] = {}
        placed_ms = after_ms
        for record in part.source.reader.records([part.run.id], after_ms, TICK_LIMIT_MS):
            given_ms = record.tick.tick_ms
            placed_ms = self._copy.free_place(max(given_ms, placed_ms + 1))
            if placed_ms != given_ms:
                moved[given_ms] = placed_ms
            anew = part.source.renumbered.record(record)
            self._copy.add_record(replace(anew, tick=replace(record.tick, tick_ms=placed_ms, run=number)))
            self.ticks += 1
            self._on_time(self._done_ms + given_ms - part.first_ms)
        self._done_ms += part.last_ms - part.first_ms
        return moved

    def _events(self, part: _Part, events: Iterable[Event], moved: dict[int, int]) -> list[Event]:
        found = []
        for event in map(part.source.renumbered.event, events):
            at_ms = moved.get(event.tick_ms, event.tick_ms)
            if event.entity == 0:  # those of two hosts may be of one moment
                while (event.kind, event.key, at_ms) in self._taken:
                    at_ms += 1
                self._taken.add((event.kind, event.key, at_ms))
            found.append(replace(event, tick_ms=at_ms))
        return found

    def _sums(self, number: int, part: _Part, summed: set[int]) -> None:
        """Of the quarter hours that are not there yet. The file that knows more of a run comes first: of its last
        quarter hour the others may have only the beginning."""
        reader, run = part.source.reader, part.run.id
        quarters = reader.summed_quarters(run)
        first_ms = min([*quarters[:1], quarter_of(part.first_ms)])
        end_ms = max(part.last_ms, quarters[-1] + QUARTER_MS if quarters else 0)
        mine: set[int] = set()
        for from_ms in range(first_ms, end_ms, _SUMS_AT_ONCE_MS):
            to_ms = min(from_ms + _SUMS_AT_ONCE_MS, end_ms)
            sums = _without(reader.quarters(from_ms, to_ms, [run]), summed)
            mine |= {row.quarter_ms for row in sums.gpus} | {row.quarter_ms for row in sums.hosts}
            mine |= {row.quarter_ms for row in (*sums.flows, *sums.elsewhere)}
            self._copy.add_quarters(part.source.renumbered.quarters(sums, number))
        summed |= mine
        self._copy.add_seen([part.source.renumbered.seen(seen, number) for seen in reader.seen([run])])


def _without(sums: Quarters, summed: set[int]) -> Quarters:
    return Quarters(
        [row for row in sums.gpus if row.quarter_ms not in summed],
        [row for row in sums.flows if row.quarter_ms not in summed],
        [row for row in sums.hosts if row.quarter_ms not in summed],
        [row for row in sums.elsewhere if row.quarter_ms not in summed],
    )


def _told(path: Path, reader: Reader) -> Described:
    with told_plainly(path):
        return Described(path, read_cut(reader.meta()), tuple(reader.runs()))


def _parts(sources: Iterable[_Source]) -> list[list[_Part]]:
    """Every run with the files that have it, in the order they began."""
    found: dict[Identity, list[_Part]] = {}
    for source in sources:
        for run in source.told.runs:
            first_ms, last_ms = source.reader.tick_after([run.id], 0), source.reader.last_tick([run.id])
            span = (first_ms or run.started_ms, last_ms or run.started_ms)
            found.setdefault(identity(source.told, run), []).append(_Part(source, run, *span))
    return sorted(found.values(), key=lambda parts: (parts[0].run.started_ms, parts[0].run.host))


def _book(
    files: Sequence[Path], readers: Sequence[Reader], prices_of: Path | None
) -> tuple[list[PriceVersion], list[PriceClose]]:
    """The price book for all of them: a store has one."""
    if prices_of is not None:
        with Reader(prices_of) as reader:
            return reader.prices(), reader.closes()
    first = readers[0].prices(), readers[0].closes()
    for path, reader in zip(files[1:], readers[1:], strict=True):
        if _amounts(reader.prices()) != _amounts(first[0]) or reader.closes() != first[1]:
            raise StoreError(
                f"{files[0]} and {path} have different price books, and a store has one: say whose prices hold for all "
                f"with --prices-of FILE"
            )
    return first


def _amounts(versions: Iterable[PriceVersion]) -> list[PriceVersion]:
    """What two books have to have in common."""
    return [replace(version, id=0, recorded_ms=0) for version in versions]


def _copy_book(copy: StoreCopy, versions: Sequence[PriceVersion], closes: Iterable[PriceClose]) -> None:
    for version in versions:
        copy.add_price(version)
    for close in closes:
        copy.add_close(close)


def _copy_sessions(copy: StoreCopy, sources: Sequence[_Source], parts: Sequence[Sequence[_Part]]) -> None:
    numbers = {(id(part.source), part.run.id): number for number, of in enumerate(parts, start=1) for part in of}
    taken: set[str] = set()
    copied: set[tuple[str, tuple[int, ...], int, int]] = set()
    for source in sources:
        for named in source.reader.named_sessions():
            runs = tuple(sorted({numbers[id(source), run] for run in named.runs if (id(source), run) in numbers}))
            same = (named.name, runs, named.from_ms, named.to_ms)
            if same in copied:
                continue
            copied.add(same)
            number, name = 1, named.name
            while name in taken:
                number += 1
                name = f"{named.name}-{number}"
            taken.add(name)
            copy.name_session(replace(named, name=name, runs=runs))
    offered = {
        number for number, of in enumerate(parts, start=1) if all(part.run.id in part.source.offered for part in of)
    }
    if offered:
        copy.note(OFFERED_KEY, str(sorted(offered)))


def _copy_mutes(copy: StoreCopy, sources: Iterable[_Source]) -> None:
    """One without a host was meant for its own store's."""
    for source in sources:
        hosts = {source.host_of(run.host) for run in source.told.runs}
        for mute in source.reader.mutes():
            host = source.host_of(mute.host) or (next(iter(hosts)) if len(hosts) == 1 else "")
            copy.add_mute(replace(mute, host=host))
