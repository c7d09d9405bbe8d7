"""Cost per hour by part over the last day: idle, GPUs at work, their electricity; with what each is now."""

from __future__ import annotations

from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, to_cells
from tokwatch.dashboard.charts.stacked import Layer, Stacked
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.money_section import MoneySection
from tokwatch.ledger.cost_past import CostByPart, CostHistory, present_by_part
from tokwatch.ledger.money.shapes import CostPerHour

_ROLES: Final = {"energy": "s3", "at_work": "s0", "idle": "waste_fill"}  # from the bottom up: the thin layer lies below
_LABEL_CELLS: Final = 6
_LEGEND_GAP: Final = 4
_LEAST_BUCKETS: Final = 12


class CostChart(MoneySection):
    """Of the answer to CostPast. As wide as a section less its right margin: the plot ends there."""

    history: CostHistory | None = None
    _plotted: tuple[tuple[object, ...], list[Line]] | None = None

    def take(self, history: CostHistory) -> None:
        """Show this stretch from now on."""
        self.history = history
        self.redraw()

    def write(self, width: int, height: int) -> list[Line]:
        history, snapshot = self.history, self.frame.snapshot
        if history is None or not history.known or snapshot is None:
            line = self.line()
            line.put(MARGIN, "reading what is stored …" if history is None else "nothing stored has a price", "quiet")
            return [self.heading("COST PER HOUR BY PART"), line]
        history = history.since_known(_LEAST_BUCKETS)
        hours = round(len(history.buckets) * history.step_ms / 3_600_000)
        end_ms = history.from_ms + len(history.buckets) * history.step_ms
        end = "now" if self.frame.live else formats.hour_minute(end_ms, snapshot.utc_offset_s)
        chart = _chart(history, snapshot.utc_offset_s, end, formats.currency_sign(snapshot.currency))
        return [
            self.heading("COST PER HOUR BY PART", f"last {hours} h"),
            *self._plot(chart, width, height - 2, self.frame.live),
            self._legend(chart, snapshot.economy.cost),
        ]

    def _plot(self, chart: Stacked, width: int, height: int, live: bool) -> list[Line]:
        """Drawn once: it changes every few minutes, and takes longer than all of the screen beside it."""
        wanted = self.history, width, height, self.look, live
        if self._plotted is None or self._plotted[0] != wanted:
            self._plotted = wanted, chart.draw(width, height, self.look)
        return self._plotted[1]

    def _legend(self, chart: Stacked, cost: CostPerHour) -> Line:
        """What each part is now, idleness first."""
        line, now = self.line(), present_by_part(cost)
        x = _LABEL_CELLS + 1
        for number, layer in reversed(list(enumerate(chart.layers))):
            usd = None if now is None else getattr(now, layer.name)
            amount = glyphs.ABSENT if usd is None else formats.amount(usd)
            name = _part_name(layer.name, cost)
            waste = layer.name == "idle" and bool(usd)
            if x + 2 + len(to_cells(name)) + 2 + len(amount) > line.width:
                break
            line.put(x, chart.swatch(number, self.look), layer.role)
            x = line.put(x + 2, name, "waste" if waste else "quiet")
            x = line.put(x + 2, amount, "waste" if waste else "text", bold=True) + _LEGEND_GAP
        return line


def _part_name(part: str, cost: CostPerHour) -> str:
    if part != "at_work":
        return part
    rented, owned = bool(cost.rent.value), bool(cost.capex.value)
    return "rent of GPUs at work" if rented and not owned else "GPUs at work"


def _chart(history: CostHistory, utc_offset_s: int, end: str, sign: str) -> Stacked:
    rates = [bucket.usd_per_hour for bucket in history.buckets]
    layers = (Layer(name, role, tuple(_of(rate, name) for rate in rates)) for name, role in _ROLES.items())
    return Stacked(
        tuple(layer for layer in layers if any(layer.values)),  # electricity that is in the rent is no part
        history.from_ms,
        history.step_ms,
        lambda usd: f"{sign}{usd:g}" if usd else "0",
        utc_offset_s,
        end,
        _LABEL_CELLS,
    )


def _of(rate: CostByPart | None, name: str) -> float | None:
    return None if rate is None else getattr(rate, name)
