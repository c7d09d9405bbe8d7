"""Muting: what a screen tells the store of alerts that nobody wants to hear of, as `tokwatch alerts mute` does."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from collectors.labels import clean_label
from tokwatch.ledger.alerts.mutes import Mute
from tokwatch.store.errors import StoreError
from tokwatch.store.mutes import add_mute, end_mute
from tokwatch.store.telling import telling

LONGEST_REASON: Final = 200  # characters


def mute(store: Path, key: str, gpus: Sequence[str], now_ms: int, until_ms: int, reason: str) -> str:
    """Mute the alert `key` on each of these GPUs (UUID or index), or all of it without any.

    Blocks for milliseconds. Gives why the store could not be told, "" when it was.
    """
    reason = clean_label(reason.strip(), LONGEST_REASON)
    by = user_name()
    try:
        with telling(store) as connection:
            for gpu in gpus or ("",):
                told = Mute(made_ms=now_ms, until_ms=until_ms, reason=reason, by=by, state=key, gpu=gpu)
                add_mute(connection, told)
    except StoreError as error:
        return str(error)
    return ""


def unmute(store: Path, numbers: Sequence[int], now_ms: int) -> str:
    """Take mutes back; those that are over already stay over. Likewise."""
    try:
        with telling(store) as connection:
            for number in numbers:
                end_mute(connection, number, now_ms)
    except StoreError as error:
        return str(error)
    return ""


def user_name() -> str:
    """Who mutes; "" for a container's user without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
