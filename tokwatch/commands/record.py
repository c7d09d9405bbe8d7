"""`tokwatch record`: the recorder without a screen. Textual is never imported here."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from tokwatch.commands.journal import Journal
from tokwatch.commands.recorder_lock import taken
from tokwatch.commands.settings import (
    config_of,
    configured_servers,
    keep_what_is_loaded,
    store_choice,
    store_is_named,
    this_box,
)
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.feeds.alerting import needs_view
from tokwatch.feeds.box import open_sources
from tokwatch.feeds.clock import SystemClock
from tokwatch.feeds.live import RecorderView
from tokwatch.feeds.live_recording import LiveRecording, Recordable
from tokwatch.feeds.start import begin
from tokwatch.ledger.snapshot import Snapshot, canonical_json

FLUSH_S = 10.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(options: argparse.Namespace) -> int:
    """Record until the time is over or a signal comes; every committed tick stays whatever happens.

    A second signal ends it without waiting for a disk that does not answer.
    """
    for number in _SIGNALS:  # as process 1 of a container it would get none that it does not ask for
        signal.signal(number, _leave)
    if options.targets is not None:
        from tokwatch.commands import record_fleet

        return record_fleet.run(options)
    config, choice = config_of(options), store_choice(options)
    store = choice.path
    lock = taken(
        store,
        exclusive_host=not store_is_named(options),
        wait=options.wait,
        what="this host is recorded",
        else_do="look at it with `tokwatch`",
        say=_say,
    )
    looked_at = options.snapshots is not None or needs_view(config)
    wanted = Recordable(
        store,
        begin=lambda: begin(
            store,
            this_box(config),
            config,
            price=options.price,
            on_commit=_acknowledge(options.commit_fd),
            looked_at=looked_at,
        ),
        open_sources=lambda: open_sources(config, configured_servers(config.servers)),
        interval_s=config.interval_s,
        notes=() if choice.message is None else (("store place", choice.message),),
        alerts=config,
    )
    begun = wanted.begin()
    for line in (f"recording {begun.run.host} into {store}; ctrl-c or SIGTERM ends it", *begun.news):
        _say(line)

    async def record() -> None:
        stop = asyncio.Event()
        _stop_at_signals(stop)
        view = RecorderView(begun.view) if looked_at else None
        recording = LiveRecording(wanted, begun, SystemClock(), view=view)
        recording.recorder.listen(Journal(_say).take)
        if options.snapshots is not None and view is not None:
            view.listen(_snapshot_writer(options.snapshots))
        keep_what_is_loaded()
        try:
            await recording.run(stop, for_s=options.for_s)
        finally:
            await recording.close()

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


def _leave(number: int, _: object) -> NoReturn:
    """While nothing is recorded yet."""
    raise SystemExit(Exit.INTERRUPTED if number == signal.SIGINT else Exit.DONE)


def _abandon(number: int, _: object) -> NoReturn:
    """A second signal: whoever sends it does not want to wait for the disk."""
    _say("ended at once: ticks that were not on the disk yet are lost")
    os._exit(Exit.INTERRUPTED if number == signal.SIGINT else Exit.FAILED)


def _stop_at_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def take(number: signal.Signals) -> None:
        stop.set()
        for each in _SIGNALS:
            loop.remove_signal_handler(each)
            signal.signal(each, _abandon)
        _say(f"ending at {number.name}")

    for number in _SIGNALS:
        loop.add_signal_handler(number, take, number)


def _say(line: str) -> None:
    print(f"tokwatch: {line}", file=sys.stderr, flush=True)


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
