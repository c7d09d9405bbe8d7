"""Who records this box: this process, or another one whose store can be followed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tokwatch.feeds.live_recording import Notes
from tokwatch.store.location import StoreChoice
from tokwatch.store.lock import Recorder, RecorderLock, recorder_for, user_of


@dataclass(frozen=True, slots=True)
class Claim:
    """The store, and the right to record into it; `lock` None: another process does, and is to be followed."""

    store: Path
    lock: RecorderLock | None
    notes: Notes = ()  # for the recorder's own problems


def claim(choice: StoreChoice, *, exclusive_host: bool) -> Claim:
    """Record where nobody does; else follow who does, where his store can be read. Takes a second and a half at most.

    exclusive_host: as of RecorderLock.acquire.
    """
    store = choice.path
    moved: Notes = () if choice.message is None else (("store place", choice.message),)
    lock = RecorderLock.acquire(store, exclusive_host=exclusive_host)
    if lock is not None:
        return Claim(store, lock, moved)
    other = recorder_for(store)
    if other is not None and other.store is not None and os.access(other.store, os.R_OK):
        return Claim(other.store, None)
    beside = RecorderLock.acquire(store, exclusive_host=False)
    if beside is None:
        return Claim(store, None)
    return Claim(store, beside, (*moved, ("other recorder", _strangers(other))))


def _strangers(other: Recorder | None) -> str:
    if other is None:
        return "another recorder of this host does not say who it is"
    return (
        f"user {user_of(other)} records this host too (process {other.pid}), into a store that you may not read; "
        "this one records on its own"
    )
