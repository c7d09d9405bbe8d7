"""The right to record into a store: taken, or waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tokwatch.errors import CommandError
from tokwatch.store.lock import RecorderLock, user_of, who_records

_ASK_EVERY_S = 1.0


def taken(
    store: Path, *, exclusive_host: bool, wait: bool, what: str, else_do: str, say: Callable[[str], None]
) -> RecorderLock:
    """The lock. Raises CommandError where another process has it, unless it is to be waited for.

    what: is recorded, in words ("this host is recorded"). else_do: what to do instead of waiting.
    """
    told = None
    while (lock := RecorderLock.acquire(store, exclusive_host=exclusive_host)) is None:
        words = _already_recorded(store, what, exclusive_host=exclusive_host)
        if not wait:
            raise CommandError(f"{words}: {else_do}, or wait for its end with --wait")
        if words != told:
            say(f"{words}; waiting for its end")
            told = words
        time.sleep(_ASK_EVERY_S)
    return lock


def _already_recorded(store: Path, what: str, *, exclusive_host: bool) -> str:
    holder = who_records(store) or (who_records() if exclusive_host else None)
    if holder is None:
        return f"{store} was being recorded into until just now"
    where = f" into {holder.store}" if holder.store else ""
    return f"{what} already, by process {holder.pid} of user {user_of(holder)}{where}"
