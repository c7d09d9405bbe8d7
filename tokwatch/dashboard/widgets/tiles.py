"""Tiles: the headline figures. A tile is a ground colour; its half row of padding is drawn with half blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.cells import Line, to_cells, wrap
from tokwatch.dashboard.layout import MARGIN, share_out
from tokwatch.dashboard.theme import Ink, Look
from tokwatch.dashboard.widgets.big_figure import big_figure
from tokwatch.dashboard.widgets.canvas import Canvas
from tokwatch.dashboard.widgets.sparkline import braille
from tokwatch.ledger.snapshot import Figure, Snapshot

_SLO_TILE_FROM = 100  # columns
_BIG_FROM = 90
_NO_PRICE = "press $ to set a price"


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle on the lines: text goes from its inner left to its inner right edge, row 0 is the title."""

    lines: Sequence[Line]
    x: int
    width: int

    @property
    def last(self) -> int:
        """The last text row."""
        return len(self.lines) - 3

    def put(self, row: int, *pieces: tuple[str, Ink], right: bool = False) -> int:
        """Pieces one after the other, left- or right-aligned; returns the cells used."""
        used = sum(len(to_cells(text)) for text, _ in pieces)
        room = self.width - 2
        x = self.x + 1 + (max(0, room - used) if right else 0)
        for text, ink in pieces:
            left = self.x + 1 + room - x
            x = self.lines[row + 1].put(x, text, ink.colour, bold=ink.bold, width=left)
        return min(used, room)


TITLE = Ink("quiet")
UNIT = Ink("quiet")
VALUE = Ink("text", bold=True)
MONEY = Ink("bright", bold=True)
ABSENT = Ink("faint")
WASTE = Ink("waste")
LOUD_WASTE = Ink("waste", bold=True)


class Tiles(Canvas):
    """The row of tiles: output, tokens per watt, dollars per million tokens, SLO, idle capacity."""

    def draw(self, rows: range) -> list[Line]:
        width, height = self.size
        lines = [Line(width, self.look) for _ in range(height)]
        if height < 4:
            return lines
        snapshot = self.frame.snapshot
        idle = snapshot is not None and snapshot.totals.gpus_idle > 0
        draws: list[tuple[Callable[[Tile, Snapshot], None], str, int]] = [
            (_draw_output, "OUTPUT", 20 if width >= _BIG_FROM else 15),
            (_draw_tokens_per_watt, "TOKENS PER WATT", 20 if width >= _BIG_FROM else 17),
            (self._draw_price, "$ PER M TOKENS", 22 if width >= _BIG_FROM else 16),
            (self._draw_idle, "IDLE CAPACITY", 32 if width >= _BIG_FROM else 27),
        ]
        if width >= _SLO_TILE_FROM:
            draws.insert(3, (_draw_slo, "SLO MET", 20))
        inner = width - 2 * MARGIN - (len(draws) - 1)
        x = MARGIN
        for (draw, title, _), tile_width in zip(draws, share_out(inner, tuple(w for *_, w in draws)), strict=True):
            ground = "waste_tint" if idle and title == "IDLE CAPACITY" else "surface"
            tile = _tile(lines, self.look, x, tile_width, ground)
            if snapshot is None:
                tile.put(0, (title, TITLE))
                tile.put(1, (glyphs.ABSENT, ABSENT))
            else:
                draw(tile, snapshot)
            x += tile_width + 1
        return lines

    def _draw_price(self, tile: Tile, snapshot: Snapshot) -> None:
        totals = snapshot.totals
        sign = formats.currency_sign(snapshot.currency)
        tile.put(0, (f"{sign} PER M TOKENS", TITLE))
        if not snapshot.price:
            _put_no_price(tile, UNIT)
            return
        out = formats.figure(totals.usd_per_m_output, formats.per_million)
        few = " few" if formats.is_few(totals.usd_per_m_output) else ""
        every = formats.figure(totals.usd_per_m_all, formats.ratio)
        known = totals.usd_per_m_output.value is not None or totals.usd_per_m_output.infinite
        if not (known and _put_big(tile, self.look, sign, out, MONEY, ("out" + few, UNIT))):
            tile.put(1, *_value(totals.usd_per_m_output, out, MONEY), (" out" + few, UNIT))
            tile.put(tile.last if tile.last < 4 else 2, *_value(totals.usd_per_m_all, every, VALUE), (" all", UNIT))
            return
        tile.put(tile.last, *_value(totals.usd_per_m_all, every, VALUE), (" all tokens", UNIT))

    def _draw_idle(self, tile: Tile, snapshot: Snapshot) -> None:
        totals = snapshot.totals
        sign = formats.currency_sign(snapshot.currency)
        idle = totals.gpus_idle > 0
        strong, plain = (LOUD_WASTE, WASTE) if idle else (VALUE, UNIT)
        tile.put(0, ("IDLE CAPACITY", LOUD_WASTE if idle else TITLE))
        gpus = ((f"{totals.gpus_idle} of {totals.gpus}", strong), (" GPUs", plain))
        share = (
            ((f"{formats.figure(totals.idle_share_of_cost, formats.percent)} %", strong), (" of cost", plain))
            if idle and totals.idle_share_of_cost.value is not None
            else ()
        )
        an_hour = formats.figure(totals.idle_usd_per_hour, formats.amount)
        today: tuple[tuple[str, Ink], ...] = ()
        if totals.idle_usd_today.value is not None:
            amount = formats.figure(totals.idle_usd_today, lambda value: formats.money(value, sign))
            today = ((amount, strong), (" today", plain))
        since = (
            f"since {formats.hour_minute(totals.idle_since_ms, snapshot.utc_offset_s)}"
            if idle and totals.idle_since_ms is not None
            else ""
        )
        beside = max(_cells(gpus), _cells(share))
        if not snapshot.price:
            _put_no_price(tile, plain)
            tile.put(1, *gpus, right=True)
            return
        if (
            idle
            and totals.idle_usd_per_hour.value is not None
            and _put_big(tile, self.look, sign, an_hour, WASTE, ("/h", WASTE), beside)
        ):
            tile.put(1, *gpus, right=True)
            tile.put(2, *share, right=True)
            tile.put(tile.last, (since, plain))
            tile.put(tile.last, *today, right=True)
            return
        if totals.idle_usd_per_hour.value is None:
            tile.put(1, (glyphs.ABSENT, ABSENT))
        else:
            amount = formats.figure(totals.idle_usd_per_hour, lambda value: formats.money(value, sign))
            tile.put(1, (amount, strong), ("/h", plain))
        tile.put(1, *gpus, right=True)
        used = tile.put(tile.last, *today) if today else 0
        if share and used + 1 + _cells(share) <= tile.width - 2:
            tile.put(tile.last, *share, right=True)


def _draw_output(tile: Tile, snapshot: Snapshot) -> None:
    totals = snapshot.totals
    tile.put(0, ("OUTPUT", TITLE))
    tile.put(1, *_value(totals.tok_s, formats.figure(totals.tok_s, formats.count), VALUE), (" tok/s", UNIT))
    _put_spark(tile, totals.tok_s_spark)
    if tile.last >= 4:
        tile.put(tile.last, (f"{formats.figure(totals.tok_s_all, formats.short)} with prompt", UNIT))


def _draw_tokens_per_watt(tile: Tile, snapshot: Snapshot) -> None:
    totals = snapshot.totals
    tile.put(0, ("TOKENS PER WATT", TITLE))
    tile.put(1, *_value(totals.tok_per_j, formats.figure(totals.tok_per_j, formats.ratio), VALUE), (" tok/s/W", UNIT))
    _put_spark(tile, totals.tok_per_j_spark)
    if tile.last >= 4:
        tile.put(tile.last, (f"board {formats.figure(totals.power_w, formats.count)} W", UNIT))


def _draw_slo(tile: Tile, snapshot: Snapshot) -> None:
    totals = snapshot.totals
    if totals.slo_met.why == "no SLO set":
        tile.put(0, ("TTFT p95", TITLE))
        latency = formats.interval(totals.ttft_p95_s, formats.seconds)
        tile.put(1, (latency, ABSENT if latency == glyphs.ABSENT else VALUE), (" s", UNIT))
        tile.put(2, ("no SLO set", UNIT))
        tile.put(tile.last, (f"{formats.figure(totals.requests_s, formats.count)} req/s", UNIT))
        return
    tile.put(0, ("SLO MET", TITLE))
    share = formats.interval(totals.slo_met, formats.percent_tenths)
    tile.put(1, (share, ABSENT if share == glyphs.ABSENT else VALUE), (" %", UNIT))
    tile.put(2, ("of requests", UNIT))
    goodput = f"goodput {formats.interval(totals.goodput_req_s, formats.count)}"
    tile.put(tile.last, (goodput + (" req/s" if len(goodput) + 8 <= tile.width else "/s"), UNIT))


def _tile(lines: Sequence[Line], look: Look, x: int, width: int, ground: str) -> Tile:
    if not look.ascii_only:
        lines[0].put(x, glyphs.HALF_BELOW * width, ground)
        lines[-1].put(x, glyphs.HALF_ABOVE * width, ground)
    for line in lines[1:-1]:
        line.paint(x, width, ground)
    return Tile(lines, x, width)


def _value(figure: Figure, text: str, ink: Ink) -> tuple[tuple[str, Ink], ...]:
    if figure.value is None and not figure.infinite:
        return ((text, ABSENT), (f" {figure.why}", ABSENT)) if figure.why == "warming up" else ((text, ABSENT),)
    return ((text, ink),)


def _put_no_price(tile: Tile, ink: Ink) -> None:
    tile.put(1, (glyphs.ABSENT, ABSENT))
    rows = wrap(_NO_PRICE, tile.width - 2)
    for row, text in enumerate(rows if len(rows) < tile.last else ["$ sets a price"], 2):
        tile.put(row, (text, ink))


def _cells(pieces: Sequence[tuple[str, Ink]]) -> int:
    return sum(len(text) for text, _ in pieces)


def _put_spark(tile: Tile, values: Sequence[float | None]) -> None:
    """One row of braille, two when there is room for a caption below; only the newest cell is bright."""
    height = 2 if tile.last >= 4 else 1
    width = tile.width - 2
    for row, text in enumerate(braille(values, width, height), 2):
        tile.put(row, (text[:-1], Ink("work_past")), (text[-1:], Ink("work")))


def _put_big(tile: Tile, look: Look, sign: str, amount: str, ink: Ink, unit: tuple[str, Ink], beside: int = 0) -> bool:
    """The amount as a big figure in rows 1 to 3, with its unit in row 3 and `beside` cells kept free in rows 1 and 2.

    Returns False, and draws nothing, when there is no room for it.
    """
    rows = big_figure(amount)
    if rows is None or look.ascii_only or tile.last < 4 or tile.lines[0].width < _BIG_FROM:
        return False
    before = len(sign.rstrip()) + 1
    if before + len(rows[0]) + 1 + max(beside, len(unit[0])) > tile.width - 2:
        return False
    tile.put(1, (sign.rstrip(), Ink(ink.colour, bold=True)))
    fill = "waste_fill" if ink.colour == "waste" else ink.colour
    for row, text in enumerate(rows, 1):
        tile.lines[row + 1].put(tile.x + 1 + before, text, fill)
    tile.lines[4].put(tile.x + 2 + before + len(rows[0]), unit[0], unit[1].colour)
    return True
