"""`tokwatch import prometheus`: what a Prometheus scraped of a host becomes a session."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from collectors.host import local_timezone
from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.query_error import QueryError
from tokwatch.commands.settings import config_of, configured_servers, store_of
from tokwatch.config import Config
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.feeds.fleet.errors import SourceError
from tokwatch.feeds.fleet.prometheus_client import client_of
from tokwatch.feeds.prometheus_host.finding import hosts_in, name_one
from tokwatch.feeds.prometheus_host.importing import Imported, Wanted, import_host
from tokwatch.ledger.local_time import zone_of
from tokwatch.moments import parse_moment
from tokwatch.progress import Progress
from tokwatch.store.lock import who_records
from tokwatch.store.writer import Writer

_FLUSH_S = 10.0


@dataclass(frozen=True, slots=True)
class Import:
    """Where from, where to, and what of it."""

    url: str | None  # None: the config's
    config: Config
    store: Path
    since_ms: int
    until_ms: int


def run(options: argparse.Namespace) -> int:
    """Import each host once; the same range again changes nothing."""
    config, store = config_of(options), store_of(options)
    since_ms, until_ms = _range(options.since, options.until)
    recorder = who_records(store)
    if recorder is not None:  # both would number new things, and differently
        raise CommandError(f"process {recorder.pid} records into {store}: import into another file with --store")
    return asyncio.run(import_hosts(Import(options.url, config, store, since_ms, until_ms), options.host_names))


async def import_hosts(wanted: Import, hosts: Sequence[str]) -> int:
    """One run a host, told on stderr; () means the only one that the server knows. Raises CommandError when none of
    them could be imported."""
    api = client_of(wanted.config.prometheus, wanted.url)
    for line in api.notices:
        _say(line)
    writer = Writer(wanted.store)
    writer.open()
    failures = 0
    whole = True
    try:
        hosts = hosts or (await _only_host(api, wanted),)
        for host in dict.fromkeys(hosts):
            try:
                result = await _import(api, host, writer, wanted)
            except (QueryError, SourceError) as error:
                if len(hosts) == 1:
                    raise CommandError(str(error)) from error
                failures += 1
                _say(f"{host}: {error}")
                continue
            _tell(host, result)
            whole = whole and not result.warnings
    finally:
        await api.close()
        await asyncio.to_thread(writer.close, _FLUSH_S)
    if failures == len(hosts):
        raise CommandError("no host could be imported")
    return Exit.PARTIAL if failures or not whole else Exit.DONE


async def _import(api: PrometheusClient, host: str, writer: Writer, wanted: Import) -> Imported:
    with Progress(f"importing {host}", total=1.0) as progress:
        return await import_host(
            api,
            Wanted(host, wanted.since_ms, wanted.until_ms),
            writer,
            store=wanted.store,
            config=wanted.config,
            servers=configured_servers(wanted.config.servers),
            on_progress=progress.update,
        )


async def _only_host(api: PrometheusClient, wanted: Import) -> str:
    try:
        known = await hosts_in(api, wanted.config.prometheus, wanted.since_ms, wanted.until_ms)
    except QueryError as error:
        raise CommandError(str(error)) from error
    if len(known) != 1:
        raise CommandError(name_one(known))
    return known[0]


def _range(since: str, until: str | None) -> tuple[int, int]:
    """Both ends, Unix ms, on this box's clocks where they name no zone; the end is not later than now."""
    now_ms = time.time_ns() // 1_000_000
    since_ms = moment_ms("--since", since, now_ms)
    until_ms = now_ms if until is None else min(moment_ms("--until", until, now_ms), now_ms)
    if until_ms <= since_ms:
        raise CommandError(f"--since {since} is not before {until or 'now'}: nothing lies between them")
    return since_ms, until_ms


def moment_ms(option: str, text: str, now_ms: int) -> int:
    """The instant that an option names, on this box's clocks where it names no zone. Raises CommandError."""
    try:
        moment = parse_moment(text, shown_ms=now_ms, first_ms=0, last_ms=now_ms, zone=zone_of(local_timezone()))
    except ValueError as error:
        raise CommandError(f"{option} {text}: {error}") from error
    if moment.note:
        _say(f"{option} {text}: {moment.note}")
    return moment.at_ms


def _tell(host: str, result: Imported) -> None:
    where = f"session {', '.join(result.sessions)}" if result.sessions else "no session"
    if not result.imported:
        _say(f"{host}: this range is in the store already, {where}")
        return
    counts = (
        (result.prompt_tokens, "prompt tokens"),
        (result.output_tokens, "output tokens"),
        (None if result.energy_mj is None else round(result.energy_mj / 1000), "J"),
    )
    told = ", ".join(f"{'–' if count is None else count} {name}" for count, name in counts)
    gpus = f"{len(result.gpus)} GPU{'s' * (len(result.gpus) != 1)}"
    asked = f"{result.samples} samples in {result.bytes / 1e6:.1f} MB and {result.took_s:.1f} s"
    _say(f"{host}: {result.ticks} scrapes of {gpus}, {told}, {where} ({asked})")
    for words in result.warnings:
        _say(f"{host}: the answers are not whole: {words}")


def _say(line: str) -> None:
    print(f"tokwatch: {line}", file=sys.stderr)
