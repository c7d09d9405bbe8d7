"""`tokwatch record`: the recorder without a screen. Textual is never imported here."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tokwatch.commands.settings import (
    config_of,
    configured_servers,
    keep_what_is_loaded,
    store_is_named,
    store_of,
    this_box,
)
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.feeds.alerting import Alerting, keep_muted, needs_view
from tokwatch.feeds.box import open_sources
from tokwatch.feeds.clock import SystemClock
from tokwatch.feeds.live import RecorderView
from tokwatch.feeds.recorder import Recorder
from tokwatch.feeds.start import begin
from tokwatch.feeds.told import ToldStore, keep_priced
from tokwatch.ledger.alerts import AlertBody
from tokwatch.ledger.bodies import body
from tokwatch.ledger.entries import TickRecord
from tokwatch.ledger.gpu_rows import state_name
from tokwatch.ledger.snapshot import Snapshot, canonical_json
from tokwatch.store.lock import RecorderLock, who_records

FLUSH_S = 10.0


def run(options: argparse.Namespace) -> int:
    """Record until the time is over or a signal comes; every committed tick stays whatever happens."""
    config, store = config_of(options), store_of(options)
    box = this_box(config)
    lock = RecorderLock.acquire(store, exclusive_host=not store_is_named(options))
    if lock is None:
        raise CommandError(_already_recorded(store))
    begun = begin(store, box, config, price=options.price, on_commit=_acknowledge(options.commit_fd))
    for line in (f"recording {box.host} into {store}; ctrl-c or SIGTERM ends it", *begun.news):
        print(f"tokwatch: {line}", file=sys.stderr)

    async def record() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, stop.set)
        sources = open_sources(config, configured_servers(config.servers))
        clock = SystemClock()
        recorder = Recorder(sources, begun.bookkeeper, begun.writer, clock, interval_s=config.interval_s)
        recorder.listen(_journal())
        view = alerting = None
        if options.snapshots is not None or needs_view(config):
            view = RecorderView(begun.view)
            recorder.listen(view.take)
            alerting = Alerting(config, store, recorder, begun.bookkeeper, view)
        if options.snapshots is not None and view is not None:
            view.listen(_snapshot_writer(options.snapshots))
        told = ToldStore(store, clock, recorder.tell)
        keep_muted(told, begun.bookkeeper)
        keep_priced(told, begun.bookkeeper, store, begun.run, view)
        recorder.listen(told.tick)
        keep_what_is_loaded()
        try:
            await recorder.run(stop, for_s=options.for_s)
        finally:
            await told.close()
            if alerting is not None:
                await alerting.close()

    try:
        asyncio.run(record())
    finally:
        whole = begun.writer.close(FLUSH_S)
        lock.release()
    if not whole:
        raise CommandError(
            f"the last ticks did not reach {store}: {begun.writer.problem or 'the disk does not answer'}"
        )
    return Exit.DONE


def _already_recorded(store: Path) -> str:
    holder = who_records(store) or who_records()
    if holder is None:
        return f"{store} was being recorded into until just now: try again"
    where = f" into {holder.store}" if holder.store else ""
    return f"this host is recorded already, by process {holder.pid}{where}: look at it with `tokwatch`"


def _acknowledge(descriptor: int | None) -> Callable[[int], None] | None:
    """Tells each committed tick on an inherited pipe, 8 bytes each."""
    if descriptor is None:
        return None
    return lambda tick_ms: _write_all(descriptor, tick_ms.to_bytes(8, "little"))


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _snapshot_writer(path: Path) -> Callable[[Snapshot], None]:
    file = path.open("wb")

    def write(snapshot: Snapshot) -> None:
        file.write(canonical_json(snapshot) + b"\n")
        file.flush()

    return write


def _journal() -> Callable[[TickRecord], None]:
    """A line on stderr for each alert that begins to fire or is over, unless it is muted or a fault says it already."""
    told: dict[str, str] = {}

    def tell(record: TickRecord) -> None:
        for event in record.events:
            if event.kind != "alert":
                continue
            alert = body(event, AlertBody)
            if told.get(event.key) == alert.status or alert.status == "resolving" or not alert.leaves:
                continue
            told[event.key] = alert.status
            if alert.status != "pending" and alert.fired_ms is not None:
                print(f"tokwatch: {alert.status}: {_subject(event.key, alert)}: {alert.text}", file=sys.stderr)

    return tell


def _subject(key: str, alert: AlertBody) -> str:
    if alert.of != "state":
        return key
    return f"{state_name(alert.state)} on {len(alert.gpus)} GPU{'s' if len(alert.gpus) != 1 else ''}"
