"""`tokwatch`: the dashboard on now. It records while it runs, or follows the recorder that runs already."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from tokwatch.commands.elsewhere import elsewhere
from tokwatch.commands.kept_screen import keep_screen, last_known
from tokwatch.commands.screen import preferences_of, terminal_of
from tokwatch.exits import Exit
from tokwatch.first_sight.look import look_of
from tokwatch.first_sight.show import can_draw
from tokwatch.first_sight.words import FLAGS, VALUED
from tokwatch.ledger.snapshot import Snapshot

if TYPE_CHECKING:  # configuration, collectors and the store are imported when the first frame stands
    import argparse

    from tokwatch.config import Config
    from tokwatch.feeds import Feed
    from tokwatch.store.location import StoreChoice

# The options of words.py: what their values are, and what they are when nobody says them.
_TYPES: Mapping[str, Callable[[str], object]] = {"--store": Path, "--config": Path, "--price": float, "--theme": str}
_UNSAID = {**dict.fromkeys(VALUED), **dict.fromkeys(FLAGS, False)}


def start(said: Mapping[str, str]) -> int:
    """`run` with the options that first sight has read: argparse would take 20 ms before the first frame."""
    gc.disable()  # what the first frame takes is there to stay: it comes 20 ms earlier when nobody looks for garbage
    return run(options_of(said))


def options_of(said: Mapping[str, str]) -> argparse.Namespace:
    """What the command line's own parser makes of them."""
    given = {name: _TYPES[name](value) if value else True for name, value in said.items()}
    options = {name.removeprefix("--").replace("-", "_"): given.get(name, unsaid) for name, unsaid in _UNSAID.items()}
    return cast("argparse.Namespace", SimpleNamespace(command="live", **options))


def run(options: argparse.Namespace) -> int:
    """Open the dashboard; without a terminal print what `once` prints."""
    if (other := _elsewhere(options)) is not None:
        return other(options)
    if not can_draw():
        from tokwatch.commands import once

        options.json, options.for_s, options.fail_if = False, 10.0, []
        return once.run(options)
    look = look_of(_said(options), os.environ)
    terminal = terminal_of(options)
    from tokwatch.dashboard.app import TokwatchApp
    from tokwatch.dashboard.keeping import Keeper
    from tokwatch.dashboard.remembered import Memory

    async def open_feed() -> Feed:
        gc.enable()
        # Collectors and the store take longer to import than the first frame may take: so after it.
        config, choice = await asyncio.to_thread(_settings, options)
        if choice.message is not None:
            news.append(choice.message)
        from tokwatch.commands.settings import keep_what_is_loaded, store_is_named
        from tokwatch.dashboard.bell import Bell

        app.ring_with(Bell(config.alerting.bell))
        app.prefer(
            theme=config.dashboard.theme, ascii_only=config.dashboard.ascii, slow_link=config.dashboard.slow_link
        )
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

    def keep(store: Path, frame: str, snapshot: Snapshot) -> None:
        from tokwatch.store.errors import StoreError

        try:
            keep_screen(store, frame, snapshot)
        except StoreError as error:
            message = f"the screen could not be kept for the next start: {error}"
            news.extend([message] if message not in news else [])

    news: list[str] = []
    keeper = Keeper(look, keep)
    app = TokwatchApp(
        open_feed,
        terminal=terminal,
        preferences=preferences_of(options),
        first=last_known(options.store),
        keeper=keeper,
        memory=Memory.of_this_user(),
    )
    ended_with = app.run()
    keeper.keep_last()
    for line in news:  # a line printed while the screen stands would be lost in it
        print(f"tokwatch: {line}", file=sys.stderr)
    if ended_with == "demo":
        from tokwatch.commands.demo import fresh_store, show

        return show(fresh_store(), options)
    return app.return_code or Exit.DONE


def _elsewhere(options: argparse.Namespace) -> Callable[[argparse.Namespace], int] | None:
    """What shows other boxes than this one."""
    where = elsewhere(options)
    if where == "host":
        from tokwatch.commands import prometheus_host

        return prometheus_host.run
    if where == "fleet":
        from tokwatch.commands import fleet

        return fleet.run
    return None


def _said(options: argparse.Namespace) -> dict[str, str]:
    """The options of the command line that were given, as first sight knows them."""
    given = {name: value for name, value in vars(options).items() if value}
    return {f"--{name.replace('_', '-')}": "" if value is True else str(value) for name, value in given.items()}


def _settings(options: argparse.Namespace) -> tuple[Config, StoreChoice]:
    _import_the_rest()
    from tokwatch.commands.settings import config_of
    from tokwatch.store.location import choose_store

    named = options.store or os.environ.get("TOKWATCH_STORE")
    return config_of(options), choose_store(Path(named) if named else None)


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
    from tokwatch.commands.claiming import claim
    from tokwatch.commands.settings import configured_servers, this_box
    from tokwatch.feeds.attach import follow, record_and_show
    from tokwatch.feeds.box import open_sources
    from tokwatch.feeds.live_recording import Recordable
    from tokwatch.feeds.start import Begun, begin
    from tokwatch.feeds.takeover import Heir

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

    claimed = await asyncio.to_thread(claim, choice, exclusive_host=exclusive_host)
    if claimed.lock is None:
        return await follow(claimed.store, heir=Heir(recordable(claimed.store), exclusive_host))
    return await record_and_show(recordable(claimed.store, *claimed.notes), claimed.lock)
