"""`tokwatch agent`: what this box has counted, told over a pipe or over HTTP. Textual is never imported here."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from tokwatch.agent.attending import Attendant
from tokwatch.agent.board import Board
from tokwatch.agent.errors import AgentError, UnsafeError
from tokwatch.agent.guarding import Listening, listening
from tokwatch.agent.opening import Asked, open_door
from tokwatch.agent.stdio import tell_on
from tokwatch.commands.claiming import claim
from tokwatch.commands.journal import Journal
from tokwatch.commands.settings import (
    config_of,
    configured_servers,
    keep_what_is_loaded,
    store_choice,
    store_is_named,
    this_box,
)
from tokwatch.config import Config
from tokwatch.config.agent import AgentSection
from tokwatch.exits import Exit
from tokwatch.feeds.box import open_sources
from tokwatch.feeds.clock import SystemClock
from tokwatch.feeds.live_recording import Notes, Recordable
from tokwatch.feeds.start import Begun, begin
from tokwatch.feeds.takeover import Heir

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(options: argparse.Namespace) -> int:
    """Tell until a signal comes, or until nobody listens at the other end of the pipe."""
    config = config_of(options)
    try:
        asyncio.run(_over_stdio(options, config) if options.stdio else _over_http(options, config))
    except AgentError as error:
        _say(str(error))
        return Exit.USAGE if isinstance(error, UnsafeError) else Exit.FAILED
    return Exit.DONE


async def _over_stdio(options: argparse.Namespace, config: Config) -> None:
    board, stop = Board(), _stop_at_signals()
    telling = asyncio.ensure_future(tell_on(board, stop))
    try:
        await _attend(options, config, board, stop)
    finally:
        stop.set()
        await telling


async def _over_http(options: argparse.Namespace, config: Config) -> None:
    """Raises AgentError before anything is recorded."""
    door = open_door(_asked(options, config.agent))
    board, stop = Board(), _stop_at_signals()
    server = door.serve(board, _say)
    _say(f"telling on {door.url}; ctrl-c or SIGTERM ends it")
    try:
        await _attend(options, config, board, stop)
    finally:
        await server.close()
        door.remove()


def _asked(options: argparse.Namespace, section: AgentSection) -> Asked:
    """The command line, and what it does not say as the config says it. Raises UnsafeError."""
    text = options.listen or section.listen
    try:
        address = listening(text, os.environ.get("XDG_RUNTIME_DIR")) if text else Listening()
    except ValueError as error:
        raise UnsafeError(str(error)) from None
    cert, key = options.cert or _path(section.cert_file), options.key or _path(section.key_file)
    if (cert is None) != (key is None):
        raise UnsafeError("a certificate and its key are needed both: --cert FILE --key FILE")
    certificate = None if cert is None or key is None else (cert, key)
    return Asked(address, options.token_file or _path(section.token_file), certificate, section.hosts)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()


async def _attend(options: argparse.Namespace, config: Config, board: Board, stop: asyncio.Event) -> None:
    """Record this box, or follow its recorder, until `stop` is set."""
    choice, exclusive_host = store_choice(options), not store_is_named(options)
    claimed = await asyncio.to_thread(claim, choice, exclusive_host=exclusive_host)
    attendant = Attendant(board, SystemClock(), stop, tell=_say, journal=Journal(_say).take)
    wanted = _recordable(config, claimed.store, claimed.notes, options.price)
    keep_what_is_loaded()
    if claimed.lock is not None:
        _say(f"recording into {claimed.store}")
        await attendant.record(wanted, claimed.lock)
    else:
        _say(f"following the recorder of {claimed.store}")
        await attendant.follow(claimed.store, Heir(wanted, exclusive_host))


def _recordable(config: Config, store: Path, notes: Notes, price: float | None) -> Recordable:
    def begun() -> Begun:
        run = begin(store, this_box(config), config, price=price)
        for line in run.news:
            _say(line)
        return run

    return Recordable(
        store,
        begin=begun,
        open_sources=lambda: open_sources(config, configured_servers(config.servers)),
        interval_s=config.interval_s,
        notes=notes,
        alerts=config,
    )


def _stop_at_signals() -> asyncio.Event:
    """Set by the first of them; the next one ends the process at once, as if nobody had asked for it."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def take() -> None:
        stop.set()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in _SIGNALS:
        loop.add_signal_handler(number, take)
    return stop


def _say(line: str) -> None:
    print(f"tokwatch: {line}", file=sys.stderr, flush=True)
