"""Rent, own or buy: what the same tokens would have cost in each way to pay, and where one begins to win."""

from __future__ import annotations

import math
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.money_section import MoneySection
from tokwatch.ledger.economics.ways_to_pay import Paid, Way, ways_to_pay

CHROME: Final = 2
_NAMES: Final = {"rent": "reserved rent", "own": "own GPUs", "elastic rent": "elastic rent", "API": "API, list price"}
_PER_HOUR, _PER_M, _WHEN = 10, 10, 24  # cells
_NO_API = "[[prices.api]] sets it"


class WaysTable(MoneySection):
    """Of the answer to PaidPast."""

    paid: Paid | None = None
    days: float = 7.0

    def take(self, paid: Paid | None) -> None:
        """Show this stretch from now on."""
        self.paid = paid
        self.redraw()

    def count(self) -> int:
        """Rows below the heading; 0 where nothing has a price."""
        return 0 if self.paid is None or not self.paid.spent else len(ways_to_pay(self.paid))

    def write(self, width: int, height: int) -> list[Line]:
        snapshot = self.frame.snapshot
        if snapshot is None or self.paid is None:
            return []
        sign = formats.currency_sign(snapshot.currency).strip()
        heading = self.heading("RENT, OWN OR BUY", f"{self.days:g}-day load")
        per_hour, per_m, when = self._places()
        for x, text, cells in ((per_hour, f"{sign}/GPU-h", _PER_HOUR), (per_m, f"{sign}/M OUT", _PER_M)):
            heading.put(x, text, "quiet", width=cells, right=True)
        heading.put(when, "BEGINS TO WIN", "quiet", width=_WHEN, right=True)
        return [heading, self.rule(), *(self._row(way) for way in ways_to_pay(self.paid))]

    def _row(self, way: Way) -> Line:
        line = self.line()
        per_hour, per_m, when = self._places()
        x = line.put(MARGIN, _NAMES[way.kind], width=per_hour - MARGIN)
        if way.in_use and x + 8 < per_hour:
            line.put(x + 2, f"{glyphs.REPLAY} now", "ui")
        hourly = glyphs.ABSENT if way.usd_per_gpu_hour is None else formats.amount(way.usd_per_gpu_hour)
        line.put(per_hour, hourly, "faint" if way.usd_per_gpu_hour is None else "text", width=_PER_HOUR, right=True)
        each = _per_m(way.usd_per_m_output)
        known = way.usd_per_m_output is not None
        line.put(per_m, each, "bright" if known else "faint", bold=known, width=_PER_M, right=True)
        words = _words(way)
        line.put(when, words, "faint" if words == glyphs.ABSENT else "quiet", width=_WHEN, right=True)
        return line

    def _places(self) -> tuple[int, int, int]:
        when = self.size.width - MARGIN - _WHEN
        return when - _PER_M - _PER_HOUR, when - _PER_M, when


def _per_m(usd: float | None) -> str:
    if usd is None:
        return glyphs.ABSENT
    return glyphs.INFINITE if math.isinf(usd) else formats.per_million(usd)


def _words(way: Way) -> str:
    if way.wins_above_busy is not None:
        return f"above {formats.percent(way.wins_above_busy)} % busy"
    if way.wins_below_usd_per_gpu_hour is not None:
        return f"below {formats.amount(way.wins_below_usd_per_gpu_hour)}/GPU-h"
    if way.loses_above_load is not None:
        return f"below {formats.percent(way.loses_above_load)} % of the load"
    return _NO_API if way.kind == "API" and way.usd_per_m_output is None else glyphs.ABSENT
