"""What every way out has: a name for its problems, and one attempt at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tokwatch.notify.message import Message


class NotifyError(Exception):
    """An alert was not told; the text says where, what happened and what to do, and holds no secret."""


class Outlet(Protocol):
    """One `[[notify]]`."""

    @property
    def name(self) -> str:
        """In the words of a problem: "notify /usr/local/bin/page"."""
        ...

    @property
    def retries_s(self) -> Sequence[float]:
        """How long to wait before each further attempt; none where an attempt may have had its effect."""
        ...

    @property
    def wants_reminders(self) -> bool:
        """An alert that fires must be sent again every minute, or it is taken to be over."""
        ...

    async def send(self, message: Message) -> None:
        """One attempt. Raises NotifyError."""
        ...

    async def close(self) -> None: ...
