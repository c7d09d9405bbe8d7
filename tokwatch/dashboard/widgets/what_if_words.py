"""What a what-if takes for granted, in words."""

from __future__ import annotations

from tokwatch.dashboard import glyphs
from tokwatch.dashboard.cells import Line, wrap
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.money_section import MoneySection
from tokwatch.ledger.money.at_other_terms import ASSUMPTIONS

_INDENT = 2
_STORED = "nothing is stored: leave the screen, and all is as it was"


class WhatIfWords(MoneySection):
    """One sentence a row or two."""

    def write(self, width: int, height: int) -> list[Line]:
        lines = [self.heading("TAKEN FOR GRANTED"), self.rule()]
        for sentence in (*ASSUMPTIONS, _STORED):
            for number, row in enumerate(wrap(sentence, width - 2 * MARGIN - _INDENT)):
                lines.append(self.line())
                lines[-1].put(MARGIN, "" if number else glyphs.UNWATCHED, "faint")
                lines[-1].put(MARGIN + _INDENT, row, "quiet")
        return lines
