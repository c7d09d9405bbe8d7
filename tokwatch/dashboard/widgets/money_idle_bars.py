"""All-in against busy-only: what a million output tokens cost in each deployment, and how much of it is idleness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets.money_names import gpus_beside, short
from tokwatch.dashboard.widgets.money_section import MoneySection
from tokwatch.indices import indices
from tokwatch.ledger.figure_path import FigurePath
from tokwatch.ledger.money.shapes import DeploymentRow, Economy
from tokwatch.ledger.snapshot import Snapshot

CHROME: Final = 3  # heading, fleet, legend
_BAR: Final = "▇"  # with whole blocks neighbouring rows fuse into a wall
_AMOUNT, _TAX = 7, 8  # cells
_NAME_LEAST, _NAME_MOST = 13, 26


class IdleBars(MoneySection):
    """The fleet, its deployments by what they cost an hour, and what is on nobody."""

    def count(self, snapshot: Snapshot) -> int:
        """Rows of deployments."""
        return len(snapshot.deployments)

    def write(self, width: int, height: int) -> list[Line]:
        snapshot = self.frame.snapshot
        if snapshot is None:
            return []
        sign = formats.currency_sign(snapshot.currency)
        rows = _by_cost(snapshot.deployments)
        shown = rows if len(rows) + CHROME <= height else rows[: max(0, height - CHROME - 1)]
        top = max([_usd_per_m(snapshot.economy), *(_usd_per_m(row.economy) for row in rows)])
        lines = [self.heading("ALL-IN AGAINST BUSY-ONLY", f"{sign.strip()} per M out")]
        lines.append(self._bar("fleet", snapshot.economy, FigurePath("economy", ""), top, bold=True))
        for row in shown:
            if row.servers and not row.economy.tokens.output_only.infinite:
                lines.append(self._bar(self._called(row), row.economy, FigurePath("deployment", "", row.key), top))
            else:
                lines.append(self._without_tokens(row, snapshot, sign))
        if len(shown) < len(rows):
            more = self.line()
            more.put(MARGIN, f"… {len(rows) - len(shown)} more", "quiet")
            lines.append(more)
        return [*lines, self._legend()]

    def _bar(self, name: str, of: Economy, path: FigurePath, top: float, *, bold: bool = False) -> Line:
        line, (name_cells, x, bar_cells) = self.line(), self._places()
        line.put(MARGIN, name, bold=bold, width=name_cells)
        all_in, busy, tax = of.tokens.output_only, of.tokens.output_only_busy, of.cost.idle_tax
        if all_in.value is not None and top > 0:
            cells = max(1, round(all_in.value / top * bar_cells))
            at_work = cells if busy.value is None else round(busy.value / top * bar_cells)
            line.put(x, _BAR * min(cells, at_work), "s0")
            line.put(x + at_work, self._idle_fill() * (cells - at_work), "waste_fill")
        right = line.width - MARGIN - _TAX
        known = all_in.value is not None
        role = "waste" if all_in.infinite else "faint" if not known else "bright" if bold else "text"
        text = formats.figure(all_in, formats.per_million)
        at = FigurePath(
            path.of, "tokens.output_only" if path.of == "economy" else "economy.tokens.output_only", path.key
        )
        line.put(right - _AMOUNT, text, role, bold=bold and known, width=_AMOUNT, right=True, of=at)
        idle = bool(tax.value) and round((tax.value or 0) * 100) > 0
        written = f"+{formats.percent(tax.value or 0)} %" if idle else glyphs.ABSENT
        line.put(right, written, "waste" if idle else "faint", bold=idle, width=_TAX, right=True)
        return line

    def _without_tokens(self, row: DeploymentRow, snapshot: Snapshot, sign: str) -> Line:
        line, (name_cells, x, _) = self.line(), self._places()
        line.put(MARGIN, self._called(row), "text" if row.servers else "quiet", width=name_cells)
        gpus = f"{snapshot.device.lower()} {indices(row.gpus)}"
        cost, idle = row.economy.cost.total, bool(row.economy.cost.idle.value)
        text = formats.figure(cost, lambda usd: f"{formats.money(usd, sign)}/h")
        right = line.width - MARGIN
        room = right - len(text) - 1 - x
        which = f"{gpus}, no tokens"
        line.put(x, which if len(which) <= room else gpus, "quiet", width=room)
        of = FigurePath("deployment", "economy.cost.total", row.key)
        line.put(right - len(text), text, "waste" if idle else "text", bold=idle, of=of)
        return line

    def _called(self, row: DeploymentRow) -> str:
        return short(row.name) + (gpus_beside(self.frame.snapshot)[row.key] if self.frame.snapshot else "")

    def _idle_fill(self) -> str:
        return "▒" if self.look.colourless else _BAR

    def _legend(self) -> Line:
        line, (_, x, _) = self.line(), self._places()
        line.put(x, _BAR, "s0")
        x = line.put(x + 2, "busy-only", "quiet") + 2
        line.put(x, self._idle_fill(), "waste_fill")
        line.put(x + 2, "idle tax", "waste")
        return line

    def _places(self) -> tuple[int, int, int]:
        """(cells of a name, column and cells of a bar)."""
        names = (len(self._called(row)) for row in (self.frame.snapshot.deployments if self.frame.snapshot else ()))
        name = max(_NAME_LEAST, min(_NAME_MOST, self.size.width // 3, max(names, default=0)))
        x = MARGIN + name + 2
        return name, x, max(0, self.size.width - MARGIN - _TAX - _AMOUNT - x)


def _by_cost(rows: Sequence[DeploymentRow]) -> list[DeploymentRow]:
    return sorted(rows, key=lambda row: (not row.servers, -(row.economy.cost.total.value or 0.0)))


def _usd_per_m(of: Economy) -> float:
    return of.tokens.output_only.value or 0.0
