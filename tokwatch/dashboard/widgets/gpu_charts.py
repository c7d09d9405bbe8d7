"""The charts of the GPU screen: power, output and tokens per watt above one another, their states and times below."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.charts.state_bar import longest_states, put_states
from tokwatch.dashboard.charts.time_axis import put_times
from tokwatch.dashboard.charts.time_series import TimeSeries, plot_place
from tokwatch.dashboard.time_grid import TimeGrid
from tokwatch.dashboard.widgets.gpu_of import GpuCanvas
from tokwatch.ledger.gpu_past import GpuHistory
from tokwatch.ledger.snapshot import Figure, Snapshot
from tokwatch.ledger.weights import split_counts

LABELS: Final = 6  # columns of the tick labels
_BELOW: Final = 3  # rows of the state bar, the times and the legend
_WATTS: Final = {"gpu": "W board", "module": "W module, its CPU included", "package": "W processors"}
_FAULTS: Final = frozenset({"throttled", "stalled", "lost"})  # states in which power itself is alarming


@dataclass(frozen=True, slots=True)
class ChartPlan:
    """How many charts fit above one another, of how many rows each, their headings included, and the gap between."""

    charts: int
    rows: int
    gap: int


def chart_plan(height: int) -> ChartPlan:
    """The plots keep an odd number of rows, so that the middle tick stands in the middle."""
    room = height - _BELOW
    for charts, least in ((3, 6), (2, 4), (1, 3)):
        gap = 1 if room >= charts * 8 - 1 else 0
        rows = (room - (charts - 1) * gap) // charts
        if rows >= least:
            plot = rows - 1
            return ChartPlan(charts, rows - (plot > 4 and plot % 2 == 0), gap)
    return ChartPlan(0, 0, 0)


class GpuCharts(GpuCanvas):
    """`history` and `grid`: what is shown; None while the stored past is read for the first time."""

    history: GpuHistory | None = None
    grid: TimeGrid | None = None

    @property
    def cells(self) -> int:
        """Of a plot."""
        return plot_place(self.size.width, LABELS)[1]

    def take(self, history: GpuHistory | None, grid: TimeGrid | None) -> None:
        """Show this from now on."""
        self.history, self.grid = history, grid
        self.redraw()

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        lines: list[Line] = []
        plan = chart_plan(height)
        x, cells = plot_place(width, LABELS)
        snapshot = self.frame.snapshot
        if snapshot is not None and cells >= 8 and plan.charts:
            for chart in self._charts(snapshot)[: plan.charts]:
                lines += chart.draw(width, plan.rows, self.look)
                lines += [Line(width, self.look) for _ in range(plan.gap)]
            del lines[len(lines) - plan.gap :]
            lines += self._below(snapshot, x, cells)
        lines += [Line(width, self.look) for _ in range(height - len(lines))]
        return lines[:height]

    def _charts(self, snapshot: Snapshot) -> list[TimeSeries]:
        row, history = self.row, self.history
        states = history.states if history else ()
        power = [_power_role(state) for state in states]
        tokens = [_token_role(state) for state in states]
        limit = row.power_limit_w if row else None
        return [
            self._series(
                snapshot,
                ("POWER", _WATTS.get(row.power_scope if row else "gpu", "W"), "W", "power_w"),
                (history.power_w if history else (), power),
                (formats.count, formats.count),
                limit,
            ),
            self._series(
                snapshot,
                ("OUTPUT", "tok/s", "tok/s", "tok_s"),
                (history.tok_s if history else (), tokens),
                (formats.count, formats.count),
            ),
            self._series(
                snapshot,
                ("TOKENS PER WATT", "tok/s/W", "tok/s/W", "tok_per_j"),
                (history.tok_per_j if history else (), tokens),
                (formats.ratio, lambda tick: f"{tick:g}"),
            ),
        ]

    def _series(
        self,
        snapshot: Snapshot,
        words: tuple[str, str, str, str],
        past: tuple[Sequence[float | None], list[str]],
        write: tuple[Callable[[float], str], Callable[[float], str]],
        limit: float | None = None,
    ) -> TimeSeries:
        title, unit, now_unit, field = words
        values, roles = past
        now: Figure = getattr(self.row, field) if self.row else Figure(None, "not there")
        grid = self.grid
        missing = (grid.buckets if grid else 0) - len(values)
        newest = max((number for number, value in enumerate(values) if value is not None), default=None)
        if newest is not None and self.frame.live and roles[newest] == "work_past":
            first = newest - newest % 2  # two buckets share a cell, and the taller one colours it
            roles = [*roles[:first], *["work"] * (newest + 1 - first), *roles[newest + 1 :]]
        return TimeSeries(
            title,
            unit,
            formats.figure(now, write[0]),
            from_ms=grid.from_ms if grid else 0,
            step_ms=grid.step_ms if grid else 1,
            values=(*values, *[None] * missing),
            roles=(*roles, *[""] * missing),
            write=write[1],
            limit=limit,
            limit_label=f"limit {formats.count(limit)} W" if limit else "",
            label_width=LABELS,
            now_unit=now_unit,
            now_of=self.path(field),
            nothing=self._why_nothing(now),
        )

    def _why_nothing(self, now: Figure) -> str:
        if self.history is None:
            return "reading the past"
        return f"{glyphs.ABSENT} {now.why}" if now.value is None and now.why else "not measured in this stretch"

    def _below(self, snapshot: Snapshot, x: int, cells: int) -> list[Line]:
        bar, times, legend = (Line(self.size.width, self.look) for _ in range(_BELOW))
        bar.put(0, "STATE", bold=True)
        grid, history = self.grid, self.history
        if grid is None or history is None:
            return [bar, times, legend]
        known = -(-grid.complete(history.to_ms) // 2)  # cells of which a part is over
        put_states(bar, x, longest_states(history.spans, grid.from_ms, grid.to_ms, cells)[:known])
        offset = snapshot.utc_offset_s
        end = "now" if self.frame.live else formats.hour_minute(snapshot.tick_ms, offset)
        put_times(times, x, cells, grid.from_ms, grid.to_ms, offset, end)
        for glyph, glyph_role, text, role in legend_of(history, colourless=self.look.colourless):
            if x + 2 + len(text) > self.size.width:
                break
            legend.put(x, glyph, glyph_role)
            x = legend.put(x + 2, text, role) + 3
        return [bar, times, legend]


def legend_of(history: GpuHistory, *, colourless: bool = False) -> list[tuple[str, str, str, str]]:
    """(mark, its role, words with the share, their role) of each state, longest first; the shares add up to 100."""
    tenths = split_counts(1000, [ms for _, ms in history.state_ms])
    found = []
    for (state, _), share in zip(history.state_ms, tenths, strict=True):
        if not share:  # a single tick that was missed
            continue
        text = f"{share // 10} %" if share == 1000 else f"{share / 10:.1f} %"
        if not state:
            found.append((glyphs.UNWATCHED, "faint", f"not watched {text}", "quiet"))
            continue
        look = glyphs.look_of_state(state)
        mark, role = look.mark_in(colourless=colourless), "waste" if look.role == "waste" else "quiet"
        found.append((mark, look.mark_role, f"{look.word} {text}", role))
    return found


def _power_role(state: str) -> str:
    if state in _FAULTS:
        return "alarm"
    return "waste_fill" if glyphs.look_of_state(state).role == "waste" else "s2"


def _token_role(state: str) -> str:
    return "waste_fill" if glyphs.look_of_state(state).role == "waste" else "work_past"
