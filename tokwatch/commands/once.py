"""`tokwatch once`: one answer on stdout, from a running recorder at once, else measured."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from tokwatch.commands.elsewhere import elsewhere
from tokwatch.commands.settings import config_of, configured_servers, store_is_named, store_of, this_box
from tokwatch.config import Config
from tokwatch.exits import Exit
from tokwatch.exports.table import plain_table
from tokwatch.feeds.box import open_sources
from tokwatch.feeds.clock import SystemClock
from tokwatch.feeds.history import History
from tokwatch.feeds.live import RecorderView
from tokwatch.feeds.nowhere import Nowhere
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.start import unrecorded
from tokwatch.ledger.alerts.conditions import Condition
from tokwatch.ledger.alerts.figures import read_figures
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.snapshot import Snapshot, canonical_json
from tokwatch.store.lock import recorder_for, who_records

_FRESH_MS = 5_000


def run(options: argparse.Namespace) -> int:
    """Print the Snapshot of now; the exit code says whether a condition of --fail-if holds."""
    where = elsewhere(options)
    if where == "fleet":
        from tokwatch.commands import fleet_once

        return fleet_once.run(options)
    current = _of_a_host(options) if where == "host" else _of_this_box(options)
    print(canonical_json(current).decode() if options.json else plain_table(current), end="\n" if options.json else "")
    if current.nothing_found:
        return Exit.NOTHING_FOUND
    met, unknown = _judged(current, options.fail_if)
    if met:
        return Exit.CONDITION_MET
    # A server whose engine was never seen is a probe and no row.
    silent = any(not probe.ok and probe.name.startswith("server ") for probe in current.probes)
    return Exit.PARTIAL if unknown or silent or any(not server.up for server in current.servers) else Exit.DONE


def _of_a_host(options: argparse.Namespace) -> Snapshot:
    from tokwatch.commands.prometheus_host import measured

    return measured(options, config_of(options))


def _of_this_box(options: argparse.Namespace) -> Snapshot:
    config = config_of(options)
    store = _recorded_store(options)
    current = _from_recorder(store)
    if current is None:
        current = asyncio.run(_measured(config, options))
        if store is not None:
            words = f"the recorder of {store} has stored nothing lately, its own messages say why: measured without it"
            current = replace(current, problems=(*current.problems, words))
    return current


def _judged(current: Snapshot, conditions: Sequence[Condition]) -> tuple[bool, bool]:
    """(one of them holds, of one nobody knows), with words on stderr."""
    figures = read_figures(current, [condition.figure for condition in conditions])
    met = unknown = False
    for condition in conditions:
        holds = condition.holds(figures[condition.figure])
        if holds:
            print(f"tokwatch: {condition}", file=sys.stderr)
        elif holds is None:
            print(f"tokwatch: {condition}: not known", file=sys.stderr)
        met, unknown = met or bool(holds), unknown or holds is None
    return met, unknown


def _recorded_store(options: argparse.Namespace) -> Path | None:
    if store_is_named(options):
        store = store_of(options)
        return store if who_records(store) else None
    recorder = recorder_for(store_of(options))
    return recorder.store if recorder else None


def _from_recorder(store: Path | None) -> Snapshot | None:
    if store is None or not store.exists():
        return None
    history = History(store)
    try:
        last_ms = history.last_tick()
        if last_ms is None or time.time_ns() // 1_000_000 - last_ms > _FRESH_MS:
            return None
        return snapshot(history.view_at(last_ms), mode="live")
    finally:
        history.close()


async def _measured(config: Config, options: argparse.Namespace) -> Snapshot:
    begun = unrecorded(this_box(config), config, price=options.price)
    sources = open_sources(config, configured_servers(config.servers))
    recorder = Recorder(sources, begun.bookkeeper, Nowhere(), SystemClock(), interval_s=config.interval_s)
    view = RecorderView(begun.view)
    recorder.listen(view.take)
    await recorder.run(asyncio.Event(), for_s=options.for_s)
    return snapshot(begun.view, mode="live")
