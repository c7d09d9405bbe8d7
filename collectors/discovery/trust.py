"""Whose processes are believed. Another ordinary user's could tell us anything, and lead us anywhere."""

from __future__ import annotations

from collectors.discovery.processes import ProcSource

FIRST_ORDINARY_UID = 1000


def is_trusted(uid: int, proc: ProcSource) -> bool:
    """Our own user and the system's."""
    return uid == proc.own_uid() or uid < FIRST_ORDINARY_UID


def runs_trusted(pid: int, proc: ProcSource) -> bool:
    """Whether the process is there, and a trusted user's."""
    process = proc.details(pid, frozenset())
    return process is not None and is_trusted(process.uid, proc)
