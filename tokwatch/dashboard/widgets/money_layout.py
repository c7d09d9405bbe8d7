"""Where the sections of the Money screen stand, and on which of its pages. Pure arithmetic on sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Literal, NamedTuple

from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.widgets import break_even_chart, money_idle_bars, money_tiers, money_ways, what_if_panel

Name = Literal["tiles", "chart", "tiers", "ways", "bars", "what_if", "break_even", "details"]

_TWO_COLUMNS_FROM: Final = 110  # columns of the terminal
_LEFT_SHARE: Final = 0.62
_TALL_TILES, _SMALL_TILES, _TALL_FROM = 7, 4, 28
_ENDLESS: Final = 10_000  # rows


class Rect(NamedTuple):
    """Cells of the screen."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Wants:
    """What there is to be told. A section without rows gives its room to the others."""

    priced: bool
    tiers: int = 0  # rows of the tables, without their heading and closing
    ways: int = 0
    bars: int = 0
    chart: bool = True
    break_even: bool = True


class _Part(NamedTuple):
    name: Name
    least: int
    most: int


Page = dict[Name, Rect]


def pages(width: int, height: int, wants: Wants) -> tuple[Page, ...]:
    """One after the other, as `tab` turns them; `height` rows begin below the header."""
    tiles = _TALL_TILES if height >= _TALL_FROM and wants.priced else _SMALL_TILES
    tile_row: Page = {"tiles": Rect(0, 1, width, tiles)}
    if not wants.priced:
        return (tile_row | {"details": Rect(0, tiles + 2, width, height - tiles - 1)},)
    parts = _parts(wants)
    if width < _TWO_COLUMNS_FROM:
        order: tuple[Name, ...] = ("bars", "tiers", "chart", "ways", "what_if", "break_even")
        found = _flow(0, width, tiles, height, [parts[name] for name in order if name in parts])
    else:
        left = round(width * _LEFT_SHARE)
        of_left: tuple[Name, ...] = ("chart", "tiers", "ways", "details")
        of_right: tuple[Name, ...] = ("bars", "what_if", "break_even")
        columns = (
            _flow(0, left, tiles, height, [parts[name] for name in of_left if name in parts]),
            _flow(left + 1, width - left - 1, tiles, height, [parts[name] for name in of_right if name in parts]),
        )
        empty: Page = {}
        found = [one | other for one, other in zip_longest(*columns, fillvalue=empty)]
    found[0] |= tile_row
    if not any("details" in page for page in found):
        found.append({"details": Rect(0, 2, width, height - 1)})
    return tuple(found)


def _parts(wants: Wants) -> dict[Name, _Part]:
    bars, tiers, ways = wants.bars + money_idle_bars.CHROME, wants.tiers + money_tiers.CHROME, 0
    if wants.ways:
        ways = wants.ways + money_ways.CHROME
    found = (
        _Part("chart", 9, 14) if wants.chart else None,
        _Part("tiers", tiers, tiers),
        _Part("ways", ways, ways) if ways else None,
        _Part("bars", min(bars, 7), bars),
        _Part("what_if", what_if_panel.ROWS, what_if_panel.ROWS),
        _Part("break_even", break_even_chart.LEAST_ROWS, 24) if wants.break_even else None,
        _Part("details", 12, _ENDLESS),
    )
    return {part.name: part for part in found if part is not None}


def _flow(x: int, width: int, tiles: int, height: int, parts: Sequence[_Part]) -> list[Page]:
    """The parts in their order, each on the first page that has room from the last one on; the tiles lie on page one.

    The details never begin a page of a column: they have one of their own.
    """
    tops, filled = [tiles + 2], [list[_Part]()]
    for part in parts:
        used = sum(each.least + 1 for each in filled[-1])
        if tops[-1] + used + part.least > height + 1:
            if part.name == "details":
                continue
            tops.append(2 if filled[-1] else tops[-1])
            filled.append([])
        filled[-1].append(part)
    return [_stacked(x, top, width, height + 1 - top, each) for top, each in zip(tops, filled, strict=True)]


def _stacked(x: int, y: int, width: int, height: int, parts: Sequence[_Part]) -> Page:
    """One above the other with a blank row between them; what is left over goes to those that can use it, in order."""
    page: Page = {}
    spare = height - sum(part.least for part in parts) - max(0, len(parts) - 1)
    for part in parts:
        more = max(0, min(spare, part.most - part.least))
        spare -= more
        rows = min(part.least + more, height)
        # A chart ends where the right edge of the tables' figures is.
        cells = width - MARGIN if part.name in ("chart", "break_even") else width
        page[part.name] = Rect(x, y, cells, rows)
        y += rows + 1
    return page
