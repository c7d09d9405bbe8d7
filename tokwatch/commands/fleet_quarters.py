"""`--prometheus` of a command that reads sums: a fleet's quarter hours in a private store that goes when it is done."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tokwatch.config import Config
from tokwatch.errors import CommandError
from tokwatch.exports.periods import Period, Periods
from tokwatch.feeds.prometheus_quarters.asking import Asked, Stretch
from tokwatch.feeds.prometheus_quarters.filling import Filled, fill
from tokwatch.progress import Progress
from tokwatch.store.rollup import QUARTER_MS

_UTC_HOURS = Periods()


@dataclass(frozen=True, slots=True)
class FleetQuarters:
    """The store, and what the server said of how whole its answers are."""

    store: Path
    asked: Asked

    @property
    def partial(self) -> Mapping[str, Period]:
        """Words of the server, and from when to when something may be missing."""
        return {words: Period(*about) for words, about in self.asked.warnings.items()}


@contextmanager
def fleet_quarters(
    options: argparse.Namespace,
    config: Config,
    periods: Periods,
    since_ms: int | None,
    until_ms: int | None,
    *,
    traffic: bool = True,
) -> Iterator[FleetQuarters]:
    """Of whole periods, and of whole UTC hours, by which time is attributed; not of what is still to come.

    traffic: with what flows counted.
    Raises CommandError where the server has no answer, or nothing that tokwatch knows.
    """
    now_ms = time.time_ns() // 1_000_000
    within = _within(periods, since_ms, until_ms, now_ms)
    with tempfile.TemporaryDirectory(prefix="tokwatch-") as directory:
        store = Path(directory, "fleet.db")
        with Progress("reading Prometheus", total=1) as progress:
            filled = asyncio.run(_filled(options, config, store, within, now_ms, progress, traffic=traffic))
        if not filled.dialects:
            raise CommandError(
                f"no series of a known GPU exporter, inference engine or tokwatch agent there in that time: {_RANGE}"
            )
        yield FleetQuarters(store, filled.asked)


_RANGE = "is --since within what the server keeps, and [prometheus] selector right?"


def _within(periods: Periods, since_ms: int | None, until_ms: int | None, now_ms: int) -> Stretch:
    if since_ms is None:
        raise CommandError("say from when: --since 2026-11-17; a Prometheus has no first day to begin with")
    start_ms = _UTC_HOURS.of(periods.of(since_ms).start_ms).start_ms
    end_ms = -(-now_ms // QUARTER_MS) * QUARTER_MS
    if until_ms is not None:
        end_ms = min(end_ms, _UTC_HOURS.of(periods.of(until_ms - 1).end_ms - 1).end_ms)
    if end_ms <= start_ms:
        raise CommandError("nothing lies between --since and --until, or now")
    return Stretch(start_ms, end_ms)


async def _filled(
    options: argparse.Namespace,
    config: Config,
    store: Path,
    within: Stretch,
    now_ms: int,
    progress: Progress,
    *,
    traffic: bool,
) -> Filled:
    from collectors.prometheus.query_error import QueryError
    from tokwatch.commands.prometheus_host import url_of
    from tokwatch.commands.settings import configured_servers
    from tokwatch.feeds.fleet.prometheus_client import client_of, identity_of

    section = config.prometheus
    client = client_of(section, url_of(options), patient=True)
    try:
        return await fill(
            client,
            store,
            within,
            now_ms,
            identity=identity_of(section),
            where=section.selector,
            declared=configured_servers(config.servers),
            prices=config.prices.prices(),
            settings=config.settings(),
            traffic=traffic,
            told=progress.update,
        )
    except QueryError as error:
        raise CommandError(str(error)) from error
    finally:
        await client.close()
