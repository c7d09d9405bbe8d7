"""`tokwatch alerts`: what fires, what was over lately, what is muted; and telling nobody of some of it for a while."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from collectors.labels import clean_label
from tokwatch.commands.settings import config_of, store_is_named, store_of
from tokwatch.config import Config
from tokwatch.errors import CommandError
from tokwatch.exits import Exit
from tokwatch.exports.table import columns, duration
from tokwatch.feeds.history import History
from tokwatch.feeds.muting import LONGEST_REASON, user_name
from tokwatch.indices import indices
from tokwatch.ledger.alert_rows import alert_rows
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.ledger.alerts.rules import STATE_RULES
from tokwatch.ledger.alerts.tracker import BUDGET
from tokwatch.ledger.figure import Figure
from tokwatch.ledger.moment import Moment
from tokwatch.ledger.snapshot import AlertRow
from tokwatch.store.lock import who_records
from tokwatch.store.mutes import add_mute, end_mute
from tokwatch.store.reader import Reader
from tokwatch.store.telling import telling

_LATELY_MS = 24 * 3_600_000


class Listing(msgspec.Struct, frozen=True):
    """What `--json` prints."""

    at_ms: int | None  # the tick that it is as of; None in an empty store
    currency: str
    alerts: tuple[AlertRow, ...]  # pending, firing, resolving; resolved in the last 24 hours, if they fired
    mutes: tuple[Mute, ...]  # in force


def run(options: argparse.Namespace) -> int:
    """List, mute or unmute. Raises StoreError."""
    store = _store(options)
    if options.action == "mute":
        return _mute(store, options)
    if options.action == "unmute":
        return _unmute(store, options.id)
    listing = read_listing(store, _now_ms())
    if options.json:
        print(msgspec.json.encode(listing).decode())
    else:
        print("\n".join(_lines(listing)))
    return Exit.DONE


def read_listing(store: Path, now_ms: int) -> Listing:
    """As of the last tick in the store."""
    with Reader(store) as reader:
        mutes = tuple(mute for mute in reader.mutes() if mute.in_force(now_ms))
    history = History(store)
    try:
        last_ms = history.last_tick()
        if last_ms is None:
            return Listing(None, "USD", (), mutes)
        moment = Moment(history.view_at(last_ms))
    finally:
        history.close()
    standing = (*alert_rows(moment), *alert_rows(moment, ("pending",)))
    over = [row for row in alert_rows(moment, ("resolved",)) if row.fired_ms is not None and row.cleared_ms is not None]
    lately = [row for row in over if last_ms - (row.cleared_ms or 0) <= _LATELY_MS]
    return Listing(last_ms, moment.version.prices.currency if moment.version else "USD", (*standing, *lately), mutes)


def _mute(store: Path, options: argparse.Namespace) -> int:
    now_ms = _now_ms()
    state, gpu, host, model = (clean_label(each) for each in (options.state, options.gpu, options.host, options.model))
    if not (state or gpu or host or model):
        raise CommandError("say what to mute: --state, --gpu, --host or --model; all of what you name must fit")
    reason = clean_label(options.reason.strip(), LONGEST_REASON)
    if not reason:
        raise CommandError("--reason is empty: whoever finds the mute must know why it is there")
    mute = Mute(
        made_ms=now_ms,
        until_ms=now_ms + round(options.for_s * 1000),
        reason=reason,
        by=user_name(),
        state=_key(state, config_of(options)),
        gpu=gpu,
        host=host,
        model=model,
    )
    with telling(store) as connection:
        mute = add_mute(connection, mute)
    print(f"muted {mute} until {_when(mute.until_ms)}; take it back with `tokwatch alerts unmute {mute.id}`")
    return Exit.DONE


def _unmute(store: Path, number: int) -> int:
    with telling(store) as connection:
        ended = end_mute(connection, number, _now_ms())
    if not ended:
        raise CommandError(f"there is no mute {number} in force: `tokwatch alerts` lists those there are")
    print(f"mute {number} is over")
    return Exit.DONE


def _store(options: argparse.Namespace) -> Path:
    """The store that was named, else that of the recorder of this host, else the usual one."""
    if not store_is_named(options):
        recorder = who_records()
        if recorder is not None and recorder.store is not None:
            return recorder.store
    return store_of(options)


def _lines(listing: Listing) -> list[str]:
    if listing.at_ms is None:
        return ["nothing was recorded yet"]
    lines = [f"as of {_when(listing.at_ms)}"]
    lines += _alerts(listing.alerts, listing.at_ms, listing.currency) or ["nothing fires, nothing did in the last day"]
    if listing.mutes:
        header = ("ID", "MUTED", "UNTIL", "BY", "REASON")
        mutes = [(str(mute.id), str(mute), _when(mute.until_ms), mute.by, mute.reason) for mute in listing.mutes]
        lines += ["", *columns([header, *mutes])]
    return lines


def _alerts(alerts: Sequence[AlertRow], at_ms: int, currency: str) -> list[str]:
    if not alerts:
        return []
    header = ("ALERT", "STATUS", "SEVERITY", "GPU", "SINCE", "FOR", f"{currency}/H", f"{currency}/DAY", "SO FAR", "")
    rows = [
        (
            alert.state or alert.key,
            alert.status,
            alert.severity,
            indices(alert.gpus),
            _when(alert.since_ms),
            duration((at_ms if alert.cleared_ms is None else alert.cleared_ms) - alert.since_ms),
            _amount(alert.usd_per_hour),
            _amount(alert.usd_per_day),
            _amount(alert.usd_so_far),
            "; ".join((alert.text, *alert.marks)),
        )
        for alert in alerts
    ]
    return columns([header, *rows])


def _amount(figure: Figure) -> str:
    return "–" if figure.value is None else f"{figure.value:.2f}"


def _when(at_ms: int) -> str:
    """In this machine's local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at_ms / 1000))


def _key(state: str, config: Config) -> str:
    """The key of an alert, as people write it: "other work" and "other-work" as well. Raises CommandError."""
    rules = [alert.rule().name for alert in config.alerts]
    keys = [*(rule.key for rule in STATE_RULES), BUDGET, *rules]
    for key in (state, state.lower().replace(" ", "_").replace("-", "_")):
        if not state or key in keys:
            return key
    raise CommandError(f"there is no alert {state!r}: there are {', '.join(keys)}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
