"""`tokwatch --prometheus URL --host H`: the dashboard of one host that a Prometheus scrapes, in a store of its own."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tokwatch.commands.screen import preferences_of, terminal_of
from tokwatch.commands.settings import can_draw, config_of, configured_servers, keep_what_is_loaded, store_is_named
from tokwatch.errors import CommandError
from tokwatch.exits import Exit

if TYPE_CHECKING:  # what asks and records is imported when the first frame stands
    from tokwatch.config import Config
    from tokwatch.feeds import Feed
    from tokwatch.feeds.prometheus_host.live import HostRecording
    from tokwatch.ledger.snapshot import Snapshot

_CONTEXT_MS = 300_000  # of the past, for one answer: as long as the longest window


def url_of(options: argparse.Namespace) -> str | None:
    """The URL after `--prometheus`; None: that of the config."""
    from tokwatch.cli.fleet import FROM_CONFIG

    url: str | None = options.prometheus
    return None if url == FROM_CONFIG else url


def run(options: argparse.Namespace) -> int:
    """Open the dashboard; without a terminal print what `once` prints."""
    if not can_draw():
        from tokwatch.commands import once

        options.json, options.for_s, options.fail_if = False, 0.0, []
        return once.run(options)
    config = config_of(options)
    terminal = terminal_of(options, config.dashboard)
    from tokwatch.dashboard.app import TokwatchApp
    from tokwatch.dashboard.remembered import Memory

    news: list[str] = []

    async def open_feed() -> Feed:
        app.say_starting(f"asking for {options.host}")
        await asyncio.to_thread(_import_the_rest)
        feed = await _open(
            options, config, news, lambda share: app.say_starting(f"asking for {options.host} {share:.0%}")
        )
        keep_what_is_loaded()
        return feed

    app = TokwatchApp(
        open_feed,
        terminal=terminal,
        preferences=preferences_of(options, config.dashboard),
        memory=Memory.of_this_user(),
    )
    app.run()
    for line in news:  # a line printed while the screen stands would be lost in it
        print(f"tokwatch: {line}", file=sys.stderr)
    return app.return_code or Exit.DONE


def _import_the_rest() -> None:
    import tokwatch.feeds.attach
    import tokwatch.feeds.prometheus_host.live  # noqa: F401


async def _open(
    options: argparse.Namespace, config: Config, news: list[str], on_progress: Callable[[float], None]
) -> Feed:
    """news: filled with what the user is to be told when the screen has closed."""
    from tokwatch.feeds.attach import follow, record_and_show
    from tokwatch.feeds.prometheus_host.live import missing_ms
    from tokwatch.feeds.takeover import Heir
    from tokwatch.store.lock import RecorderLock

    store, config = _store(options, config)
    lock = RecorderLock.acquire(store, exclusive_host=False)
    try:
        recording = await _recording(
            options, config, news, fill_ms=lambda found, now_ms: missing_ms(store, found, now_ms) if lock else 0
        )
        wanted = await recording.begun(store, on_progress) if lock else recording.recordable(store)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    if lock is None:  # another screen of the same host records already
        return await follow(store, recording.clock, heir=Heir(wanted, exclusive_host=False))
    return await record_and_show(wanted, lock, recording.clock)


def _store(options: argparse.Namespace, config: Config) -> tuple[Path, Config]:
    """The store named by --store, else one of the cache, which is kept small."""
    from tokwatch.commands.settings import store_of
    from tokwatch.feeds.prometheus_host.cache import bounded, cache_store

    if store_is_named(options):
        return store_of(options), config
    url = config.prometheus.target(url_of(options)).url
    store = cache_store(url, options.host, selector=config.prometheus.selector)
    return store, replace(config, retention=bounded(config.retention))


async def _recording(
    options: argparse.Namespace,
    config: Config,
    news: list[str],
    *,
    fill_ms: Callable[..., int],
) -> HostRecording:
    """Raises CommandError where the server does not answer, or has nothing of the host."""
    from collectors.prometheus.query_error import QueryError
    from tokwatch.feeds.clock import SystemClock
    from tokwatch.feeds.fleet.errors import SourceError
    from tokwatch.feeds.fleet.prometheus_client import client_of
    from tokwatch.feeds.prometheus_host.finding import find_host
    from tokwatch.feeds.prometheus_host.live import host_recording

    url = url_of(options)
    api = client_of(config.prometheus, url)
    news.extend(api.notices)
    try:
        found = await find_host(api, options.host, config.prometheus)
    except (QueryError, SourceError) as error:
        raise CommandError(str(error)) from error
    finally:
        await api.close()
    clock = SystemClock()
    now_ms = clock.now().boottime_ns // 1_000_000 + found.ahead_ms
    return host_recording(
        found,
        config,
        lambda: client_of(config.prometheus, url),
        clock,
        servers=configured_servers(config.servers),
        fill_ms=fill_ms(found, now_ms),
        price=options.price,
    )


def measured(options: argparse.Namespace, config: Config) -> Snapshot:
    """The last minutes: nothing has to be waited for, since the past is there. Raises CommandError."""
    from tokwatch.feeds.live import RecorderView
    from tokwatch.feeds.nowhere import Nowhere
    from tokwatch.feeds.recorder import Recorder
    from tokwatch.feeds.start import unrecorded
    from tokwatch.ledger.compose import snapshot

    news: list[str] = []

    async def measure() -> Snapshot:
        recording = await _recording(options, config, news, fill_ms=lambda found, now_ms: _CONTEXT_MS)
        begun = unrecorded(recording.box(), recording.config, price=options.price)
        recorder = Recorder(
            recording.sources(), begun.bookkeeper, Nowhere(), recording.clock, interval_s=recording.found.interval_s
        )
        view = RecorderView(begun.view)
        recorder.listen(view.take)
        await recorder.run(asyncio.Event(), for_s=_CONTEXT_MS / 1000)
        return snapshot(begun.view, mode="live")

    current = asyncio.run(measure())
    for line in news:
        print(f"tokwatch: {line}", file=sys.stderr)
    return current
