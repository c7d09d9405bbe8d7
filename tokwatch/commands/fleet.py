"""`tokwatch --prometheus URL`, `--hosts LIST`, `--targets LIST`: many hosts on one screen."""

from __future__ import annotations

import argparse

from collectors.host import local_timezone
from tokwatch.commands.fleet_source import book_of, source_of
from tokwatch.commands.screen import preferences_of, terminal_of
from tokwatch.commands.settings import can_draw, config_of
from tokwatch.config import Config
from tokwatch.exits import Exit
from tokwatch.feeds.clock import SystemClock
from tokwatch.feeds.fleet import FleetSource
from tokwatch.feeds.fleet.timeline import FleetTimeline
from tokwatch.ledger.prices.book import PriceBook


def run(options: argparse.Namespace) -> int:
    """Open the fleet's dashboard; without a terminal print what `once` prints."""
    if not can_draw():
        from tokwatch.commands import fleet_once

        options.json, options.for_s, options.fail_if = False, 10.0, []
        return fleet_once.run(options)
    config = config_of(options)
    return show(source_of(options, config), book_of(options, config), options, config)


def show(
    source: FleetSource,
    book: PriceBook,
    options: argparse.Namespace,
    config: Config,
    *,
    start_ms: int | None = None,
    speed: float = 1.0,
) -> int:
    """The screens on a source, from an instant of its past on where one is named."""
    terminal = terminal_of(options, config.dashboard)  # before Textual is imported
    from tokwatch.dashboard.fleet.app import FleetApp
    from tokwatch.dashboard.remembered import FLEET_FILE, Memory

    feed = FleetTimeline(source, lambda: book, SystemClock(), start_ms=start_ms, speed=speed)
    app = FleetApp(
        feed,
        terminal=terminal,
        preferences=preferences_of(options, config.dashboard),
        timezone=local_timezone(),
        memory=Memory.of_this_user(FLEET_FILE),
    )
    app.run()
    return app.return_code or Exit.DONE
