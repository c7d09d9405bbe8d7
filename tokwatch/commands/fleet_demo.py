"""`tokwatch demo --fleet N`: the fleet's screens on simulated hosts, marked as such. Nothing is stored."""

from __future__ import annotations

import argparse
import asyncio

from tokwatch.commands.fleet import show
from tokwatch.commands.fleet_once import fleet_table
from tokwatch.commands.settings import can_draw, config_of
from tokwatch.demo.fleet_prices import demo_book
from tokwatch.demo.fleet_source import SimulatedFleet
from tokwatch.exits import Exit
from tokwatch.feeds.clock import SystemClock
from tokwatch.ledger.fleet.compose import fleet_snapshot


def run(options: argparse.Namespace) -> int:
    """Six hours of past and now; without a terminal the plain table of this moment."""
    source, book = SimulatedFleet(options.fleet, SystemClock()), demo_book(options.fleet)
    if can_draw():
        return show(source, book, options, config_of(options))
    print(fleet_table(fleet_snapshot(asyncio.run(source.now()), book)), end="")
    return Exit.DONE
