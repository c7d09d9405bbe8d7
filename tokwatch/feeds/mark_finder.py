"""Finding the marks of a stretch in a store: only what is cheap to ask for, so that a month takes a moment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from tokwatch.feeds.mark import Mark
from tokwatch.feeds.marks import alert_marks, gap_marks, idle_marks, in_order, price_marks, restart_marks
from tokwatch.ledger.bodies import GpuBody, ServerBody, SettingsBody, body
from tokwatch.ledger.entries import Entity, Flag, Run
from tokwatch.ledger.prices.book import PriceBook
from tokwatch.store.breaks import Break
from tokwatch.store.reader import Reader

GAP_INTERVALS = 2  # a longer silence is one that nobody watched


def find_marks(reader: Reader, runs: Sequence[Run], book: PriceBook, from_ms: int, to_ms: int) -> tuple[Mark, ...]:
    """What happened to `runs` in (from_ms, to_ms] that one may want to jump to, each at a tick of theirs."""
    ids, hosts = [run.id for run in runs], {run.host for run in runs}
    entities = {entity.id: entity for entity in reader.entities() if entity.host in hosts}
    breaks = [each for each in reader.breaks(from_ms, to_ms) if each.entity in entities]
    gpus, servers, interval_ms = _in_force(reader, ids, entities, to_ms)
    longest_ms = GAP_INTERVALS * interval_ms
    happened = reader.events(from_ms, to_ms, kinds=["alert", "state"], runs=ids)
    before = reader.last_events(from_ms, kinds=["state"], runs=ids)
    return in_order(
        (
            *alert_marks((event for event in happened if event.kind == "alert"), from_ms, gpus),
            *idle_marks(before, (event for event in happened if event.kind == "state"), to_ms, gpus),
            *restart_marks(_restarts(breaks, entities, servers)),
            *gap_marks(_gaps(reader, ids, from_ms, to_ms, breaks, longest_ms), longest_ms),
            *(
                mark._replace(at_ms=reader.tick_after(ids, mark.at_ms - 1) or to_ms)
                for mark in price_marks(book, from_ms, to_ms)
            ),
        )
    )


def _in_force(
    reader: Reader, runs: Collection[int], entities: Mapping[int, Entity], at_ms: int
) -> tuple[dict[int, int], dict[int, str], int]:
    """Index of each GPU, address of each server, milliseconds between ticks."""
    gpus: dict[int, int] = {}
    servers: dict[int, str] = {}
    settings = SettingsBody()
    for event in reader.last_events(at_ms, kinds=["facts", "settings"], runs=runs):
        kind = entities[event.entity].kind if event.entity in entities else ""
        if event.kind == "settings":
            settings = body(event, SettingsBody)
        elif kind == "gpu":
            gpus[event.entity] = body(event, GpuBody).index
        elif kind == "server":
            servers[event.entity] = body(event, ServerBody).address
    return gpus, servers, round(settings.interval_s * 1000)


def _restarts(
    breaks: Sequence[Break], entities: Mapping[int, Entity], servers: Mapping[int, str]
) -> Iterator[tuple[int, str]]:
    """(tick, address) of servers whose flows were counted anew."""
    for each in breaks:
        server = entities[each.entity].parent
        if each.flags & Flag.RESET and server in servers:
            yield each.tick_ms, servers[server]


def _gaps(
    reader: Reader, runs: Sequence[int], from_ms: int, to_ms: int, breaks: Sequence[Break], longest_ms: int
) -> Iterator[tuple[int, int]]:
    """(last tick before, first tick after) of every time that nobody watched, also where another run begins."""
    begun = {reader.tick_after([run], from_ms) for run in runs}
    silences = {each.tick_ms for each in breaks if each.flags & Flag.GAP}  # perhaps of one server alone
    for tick_ms in sorted({*silences, *(first_ms for first_ms in begun if first_ms is not None)}):
        before_ms = reader.last_tick(runs, tick_ms - 1)
        if before_ms is None or before_ms <= from_ms or tick_ms > to_ms:
            continue
        if tick_ms in begun or tick_ms - before_ms > longest_ms:
            yield before_ms, tick_ms
