"""What if: dials for prices, PUE and load, each with now and then, and what comes of them. Nothing is stored."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.money_section import MoneySection
from tokwatch.dashboard.widgets.what_if_dials import Dial, dials
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.money.at_other_terms import AS_IT_IS, Outcome, Present, Terms, present
from tokwatch.ledger.prices.version import Prices

ROWS: Final = 11  # heading, rule, five dials, rule, three results
NEEDS: Final = "needs a price ($ sets one) and tokens served now"
_LABEL, _VALUE = 13, 8  # cells
_KNOB, _NOW = "●", "│"
_TENTHS_BELOW: Final = 0.01


class WhatIfPanel(MoneySection):
    """Keeps what was chosen while its screen is open; the moment under it may move on."""

    prices: Prices | None = None
    terms: Terms = AS_IT_IS
    chosen: int = 0  # the row of the cursor
    _present: tuple[object, Prices | None, Present | None] | None = None

    def present(self) -> Present | None:
        """The moment on screen as an hour that can be supposed otherwise."""
        snapshot = self.frame.snapshot
        if self._present is None or self._present[:2] != (snapshot, self.prices):
            self._present = snapshot, self.prices, None if snapshot is None else present(snapshot, self.prices)
        return self._present[2]

    def dials(self) -> tuple[Dial, ...]:
        """The rows; none without a price and tokens."""
        now = self.present()
        return () if now is None else dials(now)

    def move(self, by: int) -> None:
        """The cursor, over rows that can be turned."""
        rows = self.dials()
        free = [number for number, dial in enumerate(rows) if not dial.why_fixed]
        if free:
            place = free.index(self.chosen) if self.chosen in free else 0
            self.chosen = free[max(0, min(len(free) - 1, place + by))]
            self.redraw()

    def chosen_dial(self) -> Dial | None:
        """That of the cursor."""
        rows = self.dials()
        if not rows:
            return None
        if rows[self.chosen].why_fixed:
            self.move(0)
        return rows[self.chosen]

    def suppose(self, terms: Terms) -> None:
        """From now on."""
        self.terms = terms
        self.redraw()

    # --- within ---------------------------------------------------------------------------------------------------

    def write(self, width: int, height: int) -> list[Line]:
        heading, now = self.heading("WHAT IF"), self.present()
        if now is None:
            line = self.line()
            words = NEEDS if self.frame.snapshot else f"{glyphs.ABSENT} {self.frame.starting}"
            line.put(MARGIN, words, "quiet", width=width - 2 * MARGIN)
            return [heading, self.rule(), line]
        then_at = width - MARGIN - _VALUE
        heading.put(then_at - _VALUE, "NOW", "quiet", width=_VALUE, right=True)
        heading.put(then_at, "THEN", "quiet", width=_VALUE, right=True)
        chosen = self.chosen_dial()
        rows = [self._dial(dial, at_cursor=dial == chosen) for dial in self.dials()]
        return [heading, self.rule(), *rows, self.rule(), *self._results(now)]

    def _dial(self, dial: Dial, *, at_cursor: bool) -> Line:
        line = self.line()
        if at_cursor:
            line.paint(0, line.width, "selected")
            line.put(0, glyphs.CURSOR, "ui")
        line.put(MARGIN, dial.label, bold=at_cursor, width=_LABEL - 1)
        then_at = line.width - MARGIN - _VALUE
        then, turned = dial.then(self.terms), getattr(self.terms, dial.field) is not None
        slider, cells = MARGIN + _LABEL, then_at - _VALUE - 1 - MARGIN - _LABEL
        now = glyphs.ABSENT if dial.now is None else dial.write(dial.now)
        if dial.why_fixed:
            line.put(slider, dial.why_fixed, "faint", width=cells + _VALUE - len(now))
        else:
            self._slider(line, slider, cells, dial, at_cursor=at_cursor or turned)
        line.put(then_at - _VALUE, now, "faint" if dial.now is None else "quiet", width=_VALUE, right=True)
        written = glyphs.ABSENT if then is None else dial.write(then)
        role = "ui" if turned else "faint" if dial.why_fixed or then is None else "text"
        line.put(then_at, written, role, bold=turned, width=_VALUE, right=True)
        return line

    def _slider(self, line: Line, x: int, cells: int, dial: Dial, *, at_cursor: bool) -> None:
        def place(value: float) -> int:
            return round((value - dial.low) / (dial.high - dial.low) * (cells - 1))

        then, now = dial.then(self.terms), dial.now
        knob = place(dial.low if then is None else min(max(then, dial.low), dial.high))
        line.put(x, glyphs.RULE * cells, "track")
        line.put(x, glyphs.BAR * knob, "ui" if at_cursor else "s1")
        if now is not None and place(min(now, dial.high)) != knob:
            line.put(x + place(min(now, dial.high)), _NOW, "s2")
        line.put(x + knob, _KNOB, "ui" if at_cursor else "s3")

    def _results(self, present: Present) -> list[Line]:
        now, then = present.at(AS_IT_IS), present.at(self.terms)
        sign = formats.currency_sign(self.frame.snapshot.currency).strip() if self.frame.snapshot else ""
        kinds: tuple[tuple[str, str, str, Callable[[float], str], int], ...] = (
            (f"{sign} per M out", "usd_per_m_output", "tokens.output_only", formats.per_million, -1),
            (f"idle {sign}/h", "idle_usd_per_hour", "cost.idle", formats.amount, -1),
            (f"profit {sign}/h", "profit_usd_per_hour", "earns.profit_usd_per_hour", formats.amount, 1),
        )
        return [
            self._result(label, field, FigurePath("economy", path), write, better, now, then)
            for label, field, path, write, better in kinds
        ]

    def _result(
        self,
        label: str,
        field: str,
        of: FigurePath,
        write: Callable[[float], str],
        better: int,
        now: Outcome,
        then: Outcome,
    ) -> Line:
        line, before, after = self.line(), getattr(now, field), getattr(then, field)
        line.put(MARGIN, label, "text")
        then_at = line.width - MARGIN - _VALUE
        change = _change(before, after)
        if change:
            role = "work" if (after - before) * better > 0 else "waste"
            line.put(then_at - 2 * _VALUE - 2, change, role, width=_VALUE + 2, right=True)
        line.put(then_at - _VALUE, _written(before, write), "quiet", width=_VALUE, right=True, of=of)
        known = after is not None
        line.put(then_at, _written(after, write), "bright" if known else "faint", bold=known, width=_VALUE, right=True)
        return line


def _written(value: float | None, write: Callable[[float], str]) -> str:
    if value is None:
        return glyphs.ABSENT
    return glyphs.INFINITE if math.isinf(value) else write(value)


def _change(before: float | None, after: float | None) -> str:
    """ "+12 %", "−43 %"; "" where nothing changes, or there is no base."""
    if before is None or after is None or before == after or not before or math.isinf(before) or math.isinf(after):
        return ""
    share = (after - before) / abs(before)
    return f"{'+' if share > 0 else '−'}{abs(share) * 100:.{0 if abs(share) >= _TENTHS_BELOW else 1}f} %"
