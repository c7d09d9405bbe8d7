"""What alerts on figures and on the budget are judged by: how often it is read, and that a failure stops nobody."""

from __future__ import annotations

import pytest

from tests.ledger.box import Box, serve
from tokwatch.feeds.alert_inputs import AlertInputs
from tokwatch.ledger.alerts import AlertPolicy
from tokwatch.ledger.alerts.budget import Spending
from tokwatch.ledger.alerts.conditions import Bounds, FigureName, parse_condition
from tokwatch.ledger.alerts.rules import FigureRule
from tokwatch.ledger.sightings import Sightings
from tokwatch.ledger.snapshot import Snapshot

GPUS = FigureRule("gpus", parse_condition("gpus > 0"), 0, "info")
SPENT = Spending(12.0, 0, 3_600_000)


class Inputs:
    """The ticks of a box, and how often each was asked for."""

    def __init__(self, policy: AlertPolicy, spending: Spending | Exception | None = None) -> None:
        self.box = serve(Box(), range(25))
        self._snapshot = self.box.snapshot(2.0)
        self._spending = spending
        self.snapshots = self.spendings = 0
        self.told: list[tuple[str, str]] = []
        self.inputs = AlertInputs(
            policy, self._take_snapshot, self._spent, lambda what, words: self.told.append((what, words))
        )

    async def seen(self) -> Sightings:
        for record in self.box.records:
            self.inputs.take(record)
        await self.inputs.close()
        return self.inputs.add_to(Sightings())

    def _take_snapshot(self) -> Snapshot:
        self.snapshots += 1
        return self._snapshot

    def _spent(self, now_ms: int) -> Spending | None:
        self.spendings += 1
        if isinstance(self._spending, Exception):
            raise self._spending
        return self._spending


async def test_without_rules_nothing_is_read() -> None:
    inputs = Inputs(AlertPolicy())
    assert await inputs.seen() == Sightings()
    assert (inputs.snapshots, inputs.spendings) == (0, 0)


async def test_a_snapshot_is_taken_every_ten_seconds_for_the_figures_that_rules_name() -> None:
    inputs = Inputs(AlertPolicy(figures=(GPUS,)))
    seen = await inputs.seen()
    assert seen.figures == {FigureName("gpus"): (Bounds(2, 2),)}
    assert inputs.snapshots == 3  # in 25 s


async def test_a_budget_is_read_in_a_thread_and_handed_in() -> None:
    inputs = Inputs(AlertPolicy(usd_per_month=100), SPENT)
    assert (await inputs.seen()).spending == SPENT
    assert (inputs.spendings, inputs.snapshots, inputs.told) == (1, 0, [("budget", "")])


@pytest.mark.parametrize("error", [OSError("disk"), ValueError("odd")])
async def test_a_store_that_cannot_be_read_is_told_and_the_budget_is_unknown(error: Exception) -> None:
    inputs = Inputs(AlertPolicy(usd_per_month=100), error)
    assert (await inputs.seen()).spending is None
    assert inputs.told == [("budget", f"what was spent this month cannot be read: {error}")]
