"""Many GPUs on a screen at 1 Hz: the Fleet screen, or Textual's DataTable with the same rows and columns.

    python bench/crowd.py fleet|table N

Both get the same four Snapshots in turn, made before the first frame, in which every figure of every row moves: what
is measured is drawing. Run by dashboard.py.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from msgspec.structs import replace
from textual.app import App, ComposeResult
from textual.widgets import DataTable

from tests.dashboard.snapshots import BOX, NOW_MS, FakeFeed, gpu
from tokwatch.dashboard import formats
from tokwatch.dashboard.app import TokwatchApp
from tokwatch.ledger.snapshot import Figure, GpuRow, Snapshot

COLUMNS = ("GPU", "STATE", "SERVES", "TOK/S", "2 MIN", "TOK/S/W", "$/M OUT", "IDLE $", "POWER W", "MEM GB", "°C")
_BARS = "▁▂▃▄▅▆▇█"
_TURNS = 4


def snapshot(gpus: int, turn: int) -> Snapshot:
    """The box with so many GPUs, all at work."""
    rows = tuple(
        replace(
            gpu(index),
            tok_s=Figure(1500 + (37 * turn + 11 * index) % 300),
            spark=tuple(1500.0 + (turn * 53 + 31 * index + 97 * at) % 700 for at in range(12)),
            tok_per_j=Figure(2.5 + (turn * 7 + index) % 10 / 10),
            usd_per_m_output=Figure(0.4 + (turn * 3 + index) % 10 / 100),
            idle_usd_today=Figure(1.31 + turn / 100),
            power_w=Figure(500 + (turn * 41 + 17 * index) % 190),
            memory_used_gib=Figure(60 + (turn + index) % 15),
            temperature_c=Figure(60 + (turn + index) % 9),
        )
        for index in range(gpus)
    )
    return replace(BOX, gpus=rows, strip=(), alerts=(), totals=replace(BOX.totals, gpus=gpus, gpus_idle=0))


def cells(row: GpuRow) -> tuple[str, ...]:
    """A row in the words of the Fleet screen."""
    figures = [value for value in row.spark if value is not None]
    low, high = min(figures), max(figures)
    spark = "".join(_BARS[int((value - low) / (high - low or 1) * 7)] for value in figures)
    return (
        str(row.index),
        row.state,
        row.serves,
        formats.figure(row.tok_s, formats.count),
        spark,
        formats.figure(row.tok_per_j, formats.ratio),
        formats.figure(row.usd_per_m_output, formats.per_million),
        formats.figure(row.idle_usd_today, formats.amount),
        formats.figure(row.power_w, formats.count),
        formats.figure(row.memory_used_gib, formats.count),
        formats.figure(row.temperature_c, formats.count),
    )


class Table(App[None]):
    """Every cell that reads differently is updated at each tick."""

    def __init__(self, turns: list[Snapshot]) -> None:
        super().__init__()
        self._turns = turns
        self._tick = 0
        self._shown: list[tuple[str, ...]] = []

    def compose(self) -> ComposeResult:
        yield DataTable[str]()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for name in COLUMNS:
            table.add_column(name, key=name)
        self._shown = [cells(row) for row in self._turns[0].gpus]
        for number, row in enumerate(self._shown):
            table.add_row(*row, key=str(number))
        self.set_interval(1.0, self._next)

    def _next(self) -> None:
        self._tick += 1
        table = self.query_one(DataTable)
        for number, row in enumerate(self._turns[self._tick % _TURNS].gpus):
            new, old = cells(row), self._shown[number]
            for name, text, before in zip(COLUMNS, new, old, strict=True):
                if text != before:
                    table.update_cell(str(number), name, text)
            self._shown[number] = new


async def feed_of(turns: list[Snapshot]) -> FakeFeed:
    feed = FakeFeed([turns[0]])

    async def tick() -> None:
        for number in range(1, 100_000):
            await asyncio.sleep(1.0)
            at_ms = NOW_MS + 1000 * number
            feed.send(replace(turns[number % _TURNS], tick_ms=at_ms, wall_ms=at_ms))

    feed.clock = asyncio.create_task(tick())
    return feed


def main() -> None:
    kind, gpus = sys.argv[1], int(sys.argv[2])
    turns = [snapshot(gpus, turn) for turn in range(_TURNS)]
    app = Table(turns) if kind == "table" else TokwatchApp(lambda: feed_of(turns))
    app.run()


if __name__ == "__main__":
    main()
