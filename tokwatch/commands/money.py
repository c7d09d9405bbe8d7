"""`tokwatch money`: what a stored period cost and earned, from its quarter hours."""

from __future__ import annotations

import argparse
import sys

import msgspec

from tokwatch.commands.settings import store_of
from tokwatch.exits import Exit
from tokwatch.exports.hours import parse_range
from tokwatch.exports.money.otherwise import parse_changes, parse_mix
from tokwatch.exports.money.read import Question, money
from tokwatch.exports.money_table import money_table


def run(options: argparse.Namespace) -> int:
    """A plain report; with --json one object. The store is only read."""
    since_ms, until_ms = parse_range(options.since, options.until)
    question = Question(
        since_ms=since_ms,
        until_ms=until_ms,
        session=options.session,
        by=options.by,
        rent_usd_per_gpu_hour=options.rent,
        what_if=None if options.what_if is None else parse_changes(options.what_if),
        mix=None if options.mix is None else parse_mix(options.mix),
        curve=options.curve,
        demand=options.demand,
    )
    report = money(store_of(options), question)
    if report is None:
        print("tokwatch: nothing is stored of this period; `tokwatch sessions` lists what is", file=sys.stderr)
        return Exit.PARTIAL
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(report), indent=1).decode())
    else:
        print(money_table(report), end="")
    return Exit.DONE
