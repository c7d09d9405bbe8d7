"""`tokwatch demo`: a simulated fleet through the same path, in a store of its own. Nothing of it leaves the program."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable
from pathlib import Path

from tokwatch.commands.screen import preferences_of, terminal_of
from tokwatch.commands.settings import can_draw, config_of, store_of
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.feeds import Feed


def run(options: argparse.Namespace) -> int:
    """Three simulated hours, then live; without a terminal the plain table of that moment."""
    if options.fleet:
        from tokwatch.commands import fleet_demo

        return fleet_demo.run(options)
    return show(_new_store(options) if options.store else fresh_store(), options)


def show(store: Path, options: argparse.Namespace) -> int:
    """The demo in a store that holds nothing yet."""
    if not can_draw():
        return _print(store)
    section = config_of(options).dashboard
    terminal = terminal_of(options, section)
    from tokwatch.dashboard.app import TokwatchApp
    from tokwatch.dashboard.remembered import Memory

    async def open_feed() -> Feed:
        await asyncio.to_thread(_import_the_rest)
        return await _open(store, lambda share: app.say_starting(f"simulating the last three hours {share:.0%}"))

    app = TokwatchApp(
        open_feed, terminal=terminal, preferences=preferences_of(options, section), memory=Memory.of_this_user()
    )
    app.run()
    return app.return_code or Exit.DONE


def _new_store(options: argparse.Namespace) -> Path:
    """The store named by --store: never one that holds something real."""
    store = store_of(options)
    if store.exists():
        raise CommandError(f"{store} exists: the demo keeps to a store of its own, name a new file")
    return store


def fresh_store() -> Path:
    """The demo's own store, emptied."""
    from platformdirs import user_state_path

    from tokwatch.store.lock import who_records

    store: Path = user_state_path("tokwatch") / "demo.db"
    if (other := who_records(store)) is not None:
        raise CommandError(f"a demo runs already, process {other.pid}: give this one a file with --store")
    for suffix in ("", "-wal", "-shm"):
        store.with_name(store.name + suffix).unlink(missing_ok=True)
    return store


def _import_the_rest() -> None:
    import aiohttp.web  # noqa: F401

    import tokwatch.demo.past
    import tokwatch.feeds.attach  # noqa: F401


async def _open(store: Path, progress: Callable[[float], None]) -> Feed:
    from tokwatch.demo.box import open_demo
    from tokwatch.demo.past import simulate_past
    from tokwatch.feeds.attach import record_and_show
    from tokwatch.feeds.clock import SystemClock
    from tokwatch.feeds.live_recording import Recordable
    from tokwatch.feeds.start import begin
    from tokwatch.store.lock import RecorderLock

    lock = RecorderLock.acquire(store, exclusive_host=False)
    if lock is None:
        raise CommandError(f"{store} is being recorded into: give the demo another file with --store")
    box = await open_demo(SystemClock())
    timezone = _timezone()
    try:
        await simulate_past(box, store, timezone=timezone, progress=progress)
    except BaseException:
        await box.close()
        lock.release()
        raise
    wanted = Recordable(
        store,
        begin=lambda: begin(store, box.identity(timezone), box.config, kind="simulated"),
        open_sources=lambda: box.open_sources(box.config.interval_s),
        interval_s=box.config.interval_s,
        close=box.close,
    )
    return await record_and_show(wanted, lock, box.clock)


def _timezone() -> str:
    from collectors.host import local_timezone

    return local_timezone()


def _print(store: Path) -> int:
    from tokwatch.exports.table import plain_table

    async def first() -> str:
        feed = await _open(store, lambda share: None)
        try:
            async for snapshot in feed.snapshots():
                return plain_table(snapshot)
        finally:
            await feed.close()
        raise CommandError("the demo ended before its first tick")

    print(asyncio.run(first()), end="")
    return Exit.DONE
