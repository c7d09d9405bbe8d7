"""What alerts on figures and on the budget are judged by: read now and then, handed in with every sighting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from tokwatch.ledger.alerts import AlertPolicy
from tokwatch.ledger.alerts.budget import Spending
from tokwatch.ledger.alerts.conditions import Figures
from tokwatch.ledger.alerts.figures import read_figures
from tokwatch.ledger.entries import TickRecord
from tokwatch.ledger.sightings import Sightings
from tokwatch.ledger.snapshot import Snapshot

FIGURES_EVERY_MS = 10_000  # a Snapshot takes milliseconds, and its windows are of 10 s and more
SPENDING_EVERY_MS = 600_000  # a month is read through; its projection does not move faster


class AlertInputs:
    """`snapshot`: the present one. `spending`: what was spent this month until an instant (Unix ms), in a thread.
    `tell`: where its failures go, (what, words), empty words when they are over."""

    def __init__(
        self,
        policy: AlertPolicy,
        snapshot: Callable[[], Snapshot],
        spending: Callable[[int], Spending | None],
        tell: Callable[[str, str], None],
    ) -> None:
        self._wanted = frozenset(rule.condition.figure for rule in policy.figures)
        self._has_budget = policy.usd_per_month is not None
        self._snapshot = snapshot
        self._spending = spending
        self._tell = tell
        self._figures: Figures | None = None
        self._figures_ms = self._spending_ms = 0  # when they were read last
        self._spent: Spending | None = None
        self._reading: asyncio.Task[Spending | None] | None = None

    def add_to(self, seen: Sightings) -> Sightings:
        """A tick's sightings, with what was read last."""
        return replace(seen, figures=self._figures, spending=self._spent)

    def take(self, record: TickRecord) -> None:
        """After every tick; the View behind `snapshot` holds it already."""
        now_ms = record.tick.tick_ms
        if self._wanted and now_ms - self._figures_ms >= FIGURES_EVERY_MS:
            self._figures, self._figures_ms = None, now_ms  # unknown where reading them fails
            self._figures = read_figures(self._snapshot(), self._wanted)
        due = self._has_budget and now_ms - self._spending_ms >= SPENDING_EVERY_MS
        if due and (self._reading is None or self._reading.done()):
            self._spending_ms = now_ms
            self._reading = asyncio.create_task(asyncio.to_thread(self._spending, now_ms), name="spending")
            self._reading.add_done_callback(self._take_spending)

    async def close(self) -> None:
        """Wait for what is being read."""
        if self._reading is not None:
            await asyncio.wait({self._reading})

    def _take_spending(self, reading: asyncio.Task[Spending | None]) -> None:
        if reading.cancelled():
            return
        error = reading.exception()
        if error is None:
            self._spent = reading.result()
        self._tell("budget", "" if error is None else f"what was spent this month cannot be read: {error}")
