"""Break-even: $ per million output tokens against load, with the API's price, else the price that tokens fetch."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from tokwatch.dashboard import formats
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.curve import Curve
from tokwatch.dashboard.charts.scatter import Marked
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.money_section import MoneySection
from tokwatch.dashboard.widgets.what_if_panel import WhatIfPanel
from tokwatch.ledger.money.at_other_terms import AS_IT_IS, Present, Terms

CHROME: Final = 2  # heading, x labels
LEAST_ROWS: Final = 8
_POINTS: Final = 96
_TOP: Final = 2.0  # × the level: at low load the cost goes through any ceiling
_TOP_WITHOUT_LEVEL: Final = 3.0  # × the cost now
_LABEL_CELLS: Final = 6


class BreakEvenChart(MoneySection):
    """Of what a panel supposes, which is shown every Frame before it. As wide as a section less its right margin."""

    def __init__(self, look: Look, panel: WhatIfPanel) -> None:
        super().__init__(look)
        self._panel = panel

    def write(self, width: int, height: int) -> list[Line]:
        now, snapshot = self._panel.present(), self.frame.snapshot
        if now is None or snapshot is None:
            return []
        sign = formats.currency_sign(snapshot.currency).strip()
        against = "utilisation %" if now.load_of_capacity else "load %, now is 100"
        heading = self.heading("BREAK-EVEN", f"{sign}/M out by {against}")
        chart = break_even(now, self._panel.terms)
        if chart is None:
            line = self.line()
            line.put(1, "what GPUs draw idle is not known: none ever was", "quiet", width=width - 1)
            return [heading, line]
        return [heading, *chart.draw(width, height - 1, self.look)]


def break_even(now: Present, terms: Terms) -> Curve | None:
    """The curve at supposed prices; its mark "now" is of the present ones. None where load does not tell the cost."""
    points = now.curve(terms, _POINTS)
    here, load = now.at(AS_IT_IS).usd_per_m_output, now.terms.load
    if len(points) < 2 or here is None or load is None or math.isinf(here):
        return None
    sold = now.terms.usd_per_m_sold if terms.usd_per_m_sold is None else terms.usd_per_m_sold
    level = now.api_usd_per_m if now.api_usd_per_m is not None else sold
    name = "API price" if now.api_usd_per_m is not None else "token price"
    marks = [Marked(load, here, "●", "now", "bright")]
    there = now.at(terms).usd_per_m_output
    if terms != AS_IT_IS and there is not None:
        marks.append(Marked(terms.load or load, there, "◆", "what if", "ui"))
    seen = max(mark.y for mark in marks)
    curve = Curve(
        points,
        tuple(marks),
        formats.percent,
        lambda usd: formats.per_million(usd) if usd else "0",
        level,
        "" if level is None else f"{name} {formats.per_million(level)}",
        top=max(1.1 * seen, seen * _TOP_WITHOUT_LEVEL if level is None else level * _TOP),
        label_width=_LABEL_CELLS,
    )
    meets = curve.crossing()
    return curve if meets is None else replace(curve, crossing_label=f"{formats.percent(meets[0])} %")
