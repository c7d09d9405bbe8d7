"""`tokwatch`: the dashboard on now. It records while it runs, or follows the recorder that runs already."""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from tokwatch.commands import once
from tokwatch.commands.settings import ascii_only, can_draw, config_of, store_is_named, store_of
from tokwatch.config import Config
from tokwatch.exits import Exit
from tokwatch.feeds import Feed
from tokwatch.ledger.snapshot import Snapshot


def run(options: argparse.Namespace) -> int:
    """Open the dashboard; without a terminal print what `once` prints."""
    config = config_of(options)
    store = store_of(options)
    if not can_draw():
        options.json, options.for_s = False, 10.0
        return once.run(options)
    from tokwatch.dashboard.app import TokwatchApp

    async def open_feed() -> Feed:
        # The collectors, aiohttp and the store are imported in a thread, after the first frame stands.
        opener = await asyncio.to_thread(_opener)
        feed: Feed = await opener(config, store, exclusive_host=not store_is_named(options), price=options.price)
        return feed

    app = TokwatchApp(open_feed, ascii_only=ascii_only(options))
    outcome = app.run()
    if app.return_code:
        return app.return_code
    if outcome == "demo":
        from tokwatch.commands import demo

        return demo.run(options)
    return Exit.DONE
