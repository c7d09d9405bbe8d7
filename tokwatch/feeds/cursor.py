"""A position in a stored session: seek, step and play forward, each giving the View of one tick."""

from __future__ import annotations

from tokwatch.feeds.history import History
from tokwatch.feeds.mark import Mark
from tokwatch.feeds.mark_finder import GAP_INTERVALS
from tokwatch.ledger.compose import snapshot
from tokwatch.ledger.snapshot import Snapshot
from tokwatch.ledger.view import View
from tokwatch.ledger.window_figures import WindowFigures

# Up to here it is cheaper to fold the ticks in than to build the View anew (its windows span 300 s).
_FOLD_AT_MOST_MS = 120_000


class Cursor:
    """One position over one History; blocks for milliseconds, so it lives in the feed's thread."""

    def __init__(self, history: History, *, from_ms: int | None = None, to_ms: int | None = None) -> None:
        """The ticks in (from_ms, to_ms] are the session; without them all that is stored, growing as it grows."""
        self._history = history
        self._from_ms = from_ms
        self._to_ms = to_ms
        self._view: View | None = None
        self._marks: tuple[Mark, ...] = ()
        self._marked: tuple[int, int] | None = None  # the span that _marks is of

    def close(self) -> None:
        self._history.close()

    @property
    def history(self) -> History:
        """What it stands in."""
        return self._history

    @property
    def tick_ms(self) -> int | None:
        """Where it stands."""
        return self._view.tick.tick_ms if self._view is not None and self._view.tick is not None else None

    def span_ms(self) -> tuple[int, int] | None:
        """First and last tick that can be looked at."""
        self._take_up_news()
        first = self._history.first_tick() if self._from_ms is None else self._history.tick_after(self._from_ms)
        last = self._history.last_tick(self._to_ms)
        return None if first is None or last is None else (first, last)

    def seek(self, at_ms: int) -> bool:
        """To the last tick at or before at_ms (the first one, when all are later); False when it stands there."""
        span = self.span_ms()
        if span is None:
            return False
        target = self._history.last_tick(min(at_ms, span[1]))
        if target is None or target < span[0]:
            target = span[0]
        return self._go(target)

    def step(self, ticks: int) -> bool:
        """By whole ticks; stops at either end of the session."""
        span, target = self.span_ms(), self.tick_ms
        if target is None or span is None:
            return False
        # Counted first, gone to once: to find a tick is cheap, to build its View is not.
        for _ in range(abs(ticks)):
            next_ms = self._history.tick_after(target) if ticks > 0 else self._history.last_tick(target - 1)
            if next_ms is None or not span[0] <= next_ms <= span[1]:
                break
            target = next_ms
        return self._go(target)

    def marks(self, late_ms: int = 0) -> tuple[Mark, ...]:
        """What happened in the span; found at most `late_ms` of the session ago."""
        span = self.span_ms()
        if span is None:
            return ()
        if self._marked is None or self._marked[0] != span[0] or span[1] - self._marked[1] > late_ms:
            self._marks, self._marked = self._history.marks(span[0] - 1, span[1]), span
        return self._marks

    def after_gap(self) -> int | None:
        """The next tick of the session, where nobody watched between here and there."""
        here, span = self.tick_ms, self.span_ms()
        if self._view is None or here is None or span is None:
            return None
        next_ms = self._history.tick_after(here)
        gap_ms = GAP_INTERVALS * self._view.settings.interval_s * 1000
        return next_ms if next_ms is not None and here + gap_ms < next_ms <= span[1] else None

    def suppose_price(self, usd_per_gpu_hour: float | None) -> bool:
        """Go on as if every GPU had been rented at that; None: at the prices that were in force."""
        self._history.suppose_price(usd_per_gpu_hour)
        if (here := self.tick_ms) is not None:
            self._view = self._history.view_at(here)
        return True

    def window(self, end_ms: int, length_ms: int) -> WindowFigures:
        """What the ticks in (end_ms − length_ms, end_ms] add up to."""
        return self._history.window(end_ms - length_ms, end_ms)

    def snapshot(self, mode: str, session: str) -> Snapshot | None:
        """The moment it stands at."""
        return None if self._view is None else snapshot(self._view, mode=mode, session=session)

    def _take_up_news(self) -> None:
        """Runs that began and prices that were set since: what is summed by price is summed anew."""
        here = self.tick_ms
        if self._history.refresh() and here is not None:
            self._view, self._marked = self._history.view_at(here), None

    def _go(self, target_ms: int) -> bool:
        here = self.tick_ms
        if here == target_ms:
            return False
        if self._view is not None and here is not None and here < target_ms <= here + _FOLD_AT_MOST_MS:
            for record in self._history.records(here, target_ms):
                if record.tick.run != self._view.run.id:
                    break  # another run has begun: facts of the run itself change, so build it anew
                self._view.apply(record)
        if self.tick_ms != target_ms:
            self._view = self._history.view_at(target_ms)
        return True
