"""What the GPUs cost over a stretch of the past, by part and bucket, from quarter-hour rows and the price book."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tokwatch.ledger.cost_past import CostHistory
from tokwatch.ledger.prices.electricity import QUARTER_MS

if TYPE_CHECKING:
    from tokwatch.exports.background import Background
    from tokwatch.feeds.history import History


@dataclass(frozen=True, slots=True)
class CostPast:
    """The quarter hours up to that of `end_ms`, in buckets that begin at multiples of their own length; or in one."""

    end_ms: int
    length_ms: int
    buckets: int  # at most: each is of as many whole quarter hours

    def answer(self, past: History) -> CostHistory:
        """Charges as `export hourly` and `money` make them."""
        from tokwatch.exports.cost_history import cost_history  # in the asking thread: the screen opens without it
        from tokwatch.exports.selection import Selection, stretches

        from_ms, to_ms, step_ms = self.span
        rows = stretches(past.reader, Selection(past.ids, from_ms, to_ms), traffic=False)
        return cost_history(
            (quarters for quarters, _ in rows), background(past, from_ms, to_ms), from_ms, to_ms, step_ms
        )

    @property
    def span(self) -> tuple[int, int, int]:
        """(from, to, length of a bucket) in milliseconds."""
        quarters = max(1, -(-self.length_ms // QUARTER_MS))
        step_ms = -(-quarters // self.buckets) * QUARTER_MS
        grid_ms = QUARTER_MS if self.buckets == 1 else step_ms
        to_ms = -(-self.end_ms // grid_ms) * grid_ms
        return to_ms - -(-quarters * QUARTER_MS // step_ms) * step_ms, to_ms, step_ms


def background(past: History, from_ms: int, to_ms: int) -> Background:
    """What quarter rows of the lineage are priced against, at the prices that the past is looked at with."""
    from tokwatch.exports.hourly import background_of
    from tokwatch.exports.selection import Selection

    return replace(background_of(past.reader, Selection(past.ids, from_ms, to_ms)), book=past.book)
