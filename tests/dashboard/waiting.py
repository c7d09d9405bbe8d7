"""Waiting until an app has nothing more to do, without a clock."""

from __future__ import annotations

from typing import Any

from textual.app import App


async def all_answered(app: App[Any]) -> None:
    """Until every worker but the one that follows the feed has ended: what was asked of the past is there."""
    while busy := [worker for worker in app.workers if worker.name != "follow" and not worker.is_finished]:
        await app.workers.wait_for_complete(busy)
