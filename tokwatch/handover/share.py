"""Cutting a range of a store into one small file that shows the same figures elsewhere, and no names unless wanted."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tokwatch import __version__
from tokwatch.feeds.history import lineage, read_book, stored_price
from tokwatch.handover.context import context_records, moments_asked
from tokwatch.handover.names import Category
from tokwatch.handover.scrub import AsItIs, Scrubbed, Told, scrub
from tokwatch.ledger.entries import Entity, Event, Run, TickRecord
from tokwatch.ledger.local_time import midnight_ms, zone_of
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.ledger.view import LOOKBACK_MS
from tokwatch.store.copying import StoreCopy
from tokwatch.store.cut import CUT_KEY, Cut
from tokwatch.store.errors import StoreError
from tokwatch.store.named_sessions import NamedSession
from tokwatch.store.quarters import Quarters
from tokwatch.store.reader import Reader
from tokwatch.store.rollup import (
    QUARTER_MS,
    elsewhere_quarters,
    flow_quarters,
    gpu_quarters,
    host_quarters,
    quarter_of,
)
from tokwatch.store.sessions import OFFERED_KEY, session_name


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be shared: (from_ms, to_ms] of the past of one run's host."""

    run: int
    from_ms: int
    to_ms: int
    keep_names: bool = False
    prices: bool = True


@dataclass(frozen=True, slots=True)
class Shared:
    """What came of it."""

    session: str
    ticks: int  # in the range
    replaced: Mapping[Category, int]  # how many names of each category; empty when they were kept
    left_out: Mapping[str, int]  # events of kinds that are not known, by kind


@dataclass(frozen=True, slots=True)
class _Source:
    """What is read once of the store that is cut."""

    runs: tuple[Run, ...]  # all of the host and kind, whose past figures rest on
    cut_runs: tuple[Run, ...]  # of those the ones with ticks in the file
    entities: tuple[Entity, ...]
    book: PriceBook
    in_force: tuple[Event, ...]  # when whole ticks begin
    happened: tuple[Event, ...]  # since then
    whole_from_ms: int


def share(store: Path, out: Path, wish: Wish, *, replaces: bool = False, on_tick: Callable[[int], None]) -> Shared:
    """Write the file. on_tick gets tick_ms of each tick that was copied.

    Raises StoreError: nothing to share in that range, a store that cannot be read, a file that cannot be written.
    """
    with Reader(store) as reader:
        source = _read(reader, wish)
        told: Told = AsItIs() if wish.keep_names else _scrubbed(reader, source, wish)
        runs = [run.id for run in source.runs]
        asked = moments_asked(
            (*source.in_force, *source.happened),
            [entity.id for entity in source.entities if entity.kind == "gpu"],
            midnight_ms(wish.from_ms + 1, zone_of(source.cut_runs[0].timezone)),
        )
        ticks = 0
        with StoreCopy(out, replaces=replaces) as copy:
            session = _describe(copy, source, wish, told)
            _copy_prices(reader, copy, source.book, wish, told)
            _copy_mutes(reader, copy, wish, told)
            for record in context_records(
                reader,
                source.book,
                runs,
                asked,
                run=source.cut_runs[0].id,
                shown_from_ms=wish.from_ms,
                before_ms=source.whole_from_ms,
            ):
                copy.add_record(record)
            copy.add_events(source.cut_runs[0].id, _told_events(told, source.in_force))
            for record in reader.records(runs, source.whole_from_ms, wish.to_ms):
                copy.add_record(replace(record, events=tuple(_told_events(told, record.events))))
                ticks += record.tick.tick_ms > wish.from_ms
                on_tick(record.tick.tick_ms)
            _copy_sums(reader, copy, [run.id for run in source.cut_runs], source.whole_from_ms, wish.to_ms)
    replaced = told.names.counts() if isinstance(told, Scrubbed) else {}
    left_out = dict(told.left_out) if isinstance(told, Scrubbed) else {}
    return Shared(session, ticks, replaced, left_out)


def whole_from(from_ms: int) -> int:
    """From when on ticks are copied as they are: a quarter hour's edge, so that its sums are whole, far enough before
    the range that its first windows are full."""
    return quarter_of(from_ms - LOOKBACK_MS + 1)


def _read(reader: Reader, wish: Wish) -> _Source:
    all_runs = reader.runs()
    runs = lineage(all_runs, next(run for run in all_runs if run.id == wish.run))
    ids = [run.id for run in runs]
    first_ms = reader.tick_after(ids, wish.from_ms)
    if first_ms is None or first_ms > wish.to_ms:
        raise StoreError("no tick is stored in that range; `tokwatch sessions` lists what is")
    whole_from_ms = whole_from(wish.from_ms)
    cut_runs = tuple(
        run
        for run in runs
        if (after_ms := reader.tick_after([run.id], whole_from_ms)) is not None and after_ms <= wish.to_ms
    )
    entities = tuple(
        entity for entity in reader.entities() if entity.first_seen_ms <= wish.to_ms and entity.host == cut_runs[0].host
    )
    return _Source(
        runs,
        cut_runs,
        entities,
        read_book(reader),
        tuple(reader.last_events(whole_from_ms, runs=ids)),
        tuple(reader.events(whole_from_ms, wish.to_ms, runs=ids)),
        whole_from_ms,
    )


def _scrubbed(reader: Reader, source: _Source, wish: Wish) -> Scrubbed:
    return scrub(
        source.cut_runs,
        source.entities,
        (*source.in_force, *source.happened),
        source.book.versions if wish.prices else (),
        reader.mutes(),
        prices=wish.prices,
    )


def _describe(copy: StoreCopy, source: _Source, wish: Wish, told: Told) -> str:
    now_ms = time.time_ns() // 1_000_000
    runs = [told.run(run) for run in source.cut_runs]
    for run in runs:
        copy.add_run(run)
    copy.add_entities(map(told.entity, source.entities))
    name = session_name(runs[0].host, wish.from_ms + 1, zone_of(runs[0].timezone))
    copy.name_session(NamedSession(name, tuple(run.id for run in runs), wish.from_ms, wish.to_ms, now_ms))
    cut = Cut(
        id=secrets.token_hex(8),
        made_by=f"tokwatch {__version__}",
        made_ms=now_ms,
        from_ms=wish.from_ms,
        to_ms=wish.to_ms,
        whole_from_ms=source.whole_from_ms,
        names_replaced=not wish.keep_names,
        prices=wish.prices,
    )
    copy.note(OFFERED_KEY, str([run.id for run in runs]))
    copy.note(CUT_KEY, msgspec.json.encode(cut).decode())
    return name


def _copy_prices(reader: Reader, copy: StoreCopy, book: PriceBook, wish: Wish, told: Told) -> None:
    if not wish.prices:
        return
    for version in sorted(book.versions, key=lambda each: each.id):
        if version.effective_from_ms <= wish.to_ms:
            copy.add_price(stored_price(told.price(version)))
    for close in reader.closes():
        copy.add_close(close)


def _copy_mutes(reader: Reader, copy: StoreCopy, wish: Wish, told: Told) -> None:
    for mute in reader.mutes():
        if mute.made_ms <= wish.to_ms:
            copy.add_mute(told.mute(mute))


def _told_events(told: Told, events: Sequence[Event]) -> list[Event]:
    return [public for event in events if (public := told.event(event)) is not None]


def _copy_sums(reader: Reader, copy: StoreCopy, runs: Sequence[int], from_ms: int, to_ms: int) -> None:
    """Quarter hours as they are, the last one without what came after the range.

    runs: those with ticks in the file. A later one has parts in these quarters too, where a lost GPU came back in it.
    """
    last_ms = quarter_of(to_ms)
    for quarter_ms in range(from_ms, last_ms, QUARTER_MS):
        copy.add_quarters(reader.quarters(quarter_ms, quarter_ms + QUARTER_MS, runs))
    for run in runs:
        records = list(reader.records([run], last_ms, to_ms))
        if records:
            copy.add_quarters(_sums(records, run, last_ms))
    copy.add_seen(
        [
            seen._replace(first_ms=max(seen.first_ms, from_ms), last_ms=min(seen.last_ms, to_ms))
            for seen in reader.seen(runs)
            if seen.first_ms < to_ms and seen.last_ms > from_ms
        ]
    )


def _sums(records: Sequence[TickRecord], run: int, quarter_ms: int) -> Quarters:
    """One quarter hour of the records of one run."""
    end_ms = quarter_ms + QUARTER_MS
    flows = [flow for record in records for flow in record.flows]
    return Quarters(
        gpu_quarters((gpu for record in records for gpu in record.gpus), run, quarter_ms, end_ms),
        flow_quarters(flows, run, quarter_ms, end_ms),
        host_quarters((host for record in records for host in record.hosts), run, quarter_ms, end_ms),
        elsewhere_quarters(flows, run, quarter_ms, end_ms),
    )
