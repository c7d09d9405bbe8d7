"""`tokwatch`: the dashboard on now. It records while it runs, or follows the recorder that runs already."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tokwatch.commands.settings import (
    ascii_only,
    can_draw,
    config_of,
    configured_servers,
    keep_what_is_loaded,
    store_choice,
    store_is_named,
    this_box,
)
from tokwatch.config import Config
from tokwatch.exits import Exit
from tokwatch.feeds import Feed
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.store.location import StoreChoice

if TYPE_CHECKING:
    from tokwatch.store.lock import Recorder


def run(options: argparse.Namespace) -> int:
    """Open the dashboard; without a terminal print what `once` prints."""
    if not can_draw():
        from tokwatch.commands import once

        options.json, options.for_s, options.fail_if = False, 10.0, []
        return once.run(options)
    config, choice = config_of(options), store_choice(options)
    from tokwatch.dashboard.app import TokwatchApp
    from tokwatch.dashboard.bell import Bell

    async def open_feed() -> Feed:
        # Collectors and the store take longer to import than the first frame may take: so after it.
        await asyncio.to_thread(_import_the_rest)
        feed = await _open(
            config,
            choice,
            exclusive_host=not store_is_named(options),
            price=options.price,
            show_kept=app.show_kept,
            news=news,
        )
        keep_what_is_loaded()
        return feed

    news: list[str] = []
    app = TokwatchApp(open_feed, ascii_only=ascii_only(options), light=options.light, bell=Bell(config.alerting.bell))
    ended_with = app.run()
    for line in news:  # a line printed while the screen stands would be lost in it
        print(f"tokwatch: {line}", file=sys.stderr)
    if ended_with == "demo":
        from tokwatch.commands.demo import fresh_store, show

        return show(fresh_store(), options)
    return app.return_code or Exit.DONE


def _import_the_rest() -> None:
    import tokwatch.feeds.attach
    import tokwatch.feeds.box  # noqa: F401


async def _open(
    config: Config,
    choice: StoreChoice,
    *,
    exclusive_host: bool,
    price: float | None,
    show_kept: Callable[[Snapshot], None],
    news: list[str],
) -> Feed:
    """news: filled with what the user is to be told when the screen has closed."""
    from tokwatch.feeds.attach import follow, record_and_show
    from tokwatch.feeds.box import open_sources
    from tokwatch.feeds.live_recording import Recordable
    from tokwatch.feeds.start import Begun, begin
    from tokwatch.feeds.takeover import Heir
    from tokwatch.store.lock import RecorderLock, recorder_for

    def recordable(store: Path, *notes: tuple[str, str]) -> Recordable:
        def begun() -> Begun:
            run = begin(store, this_box(config), config, price=price)
            news.extend(run.news)
            return run

        return Recordable(
            store,
            begin=begun,
            open_sources=lambda: open_sources(config, configured_servers(config.servers)),
            interval_s=config.interval_s,
            notes=notes,
            show_kept=show_kept,
            alerts=config,
        )

    async def follow_and_inherit(store: Path) -> Feed:
        return await follow(store, heir=Heir(recordable(store), exclusive_host))

    store = choice.path
    moved = () if choice.message is None else (("store place", choice.message),)
    lock = RecorderLock.acquire(store, exclusive_host=exclusive_host)
    if lock is not None:
        return await record_and_show(recordable(store, *moved), lock)
    other = await asyncio.to_thread(recorder_for, store)
    if other is not None and other.store is not None and os.access(other.store, os.R_OK):
        return await follow_and_inherit(other.store)
    beside = RecorderLock.acquire(store, exclusive_host=False)
    if beside is None:
        return await follow_and_inherit(store)
    return await record_and_show(recordable(store, *moved, ("other recorder", _strangers(other))), beside)


def _strangers(other: Recorder | None) -> str:
    from tokwatch.store.lock import user_of

    if other is None:
        return "another recorder of this host does not say who it is"
    return (
        f"user {user_of(other)} records this host too (process {other.pid}), into a store that you may not read; "
        "this screen records on its own"
    )
