"""Sparklines: blocks for a row of the list, braille for a tile. Text only; whoever draws them chooses the colours."""

from __future__ import annotations

from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇"  # capped at ▇: with █ neighbouring rows fuse into a wall
_LEFT_DOTS = (0x40, 0x04, 0x02, 0x01)  # bits of a braille cell from the bottom up
_RIGHT_DOTS = (0x80, 0x20, 0x10, 0x08)


def blocks(values: Sequence[float | None]) -> str:
    """One cell per value, from zero to the largest; blank where nothing was measured."""
    top = max((value for value in values if value is not None), default=0.0)
    return "".join(_block(value, top) for value in values)


def _block(value: float | None, top: float) -> str:
    if value is None:
        return " "
    if value <= 0 or top <= 0:
        return _BLOCKS[0]
    return _BLOCKS[min(len(_BLOCKS) - 1, int(value / top * len(_BLOCKS)))]


def braille(values: Sequence[float | None], width: int, height: int) -> list[str]:
    """`height` rows of `width` cells, two dots a cell across and four down, from zero to the largest value on show.

    The newest value stands at the right. More values than dots: the oldest are not shown; fewer: they are stretched.
    """
    dots = 2 * width
    newest = values[-dots:] or (None,)
    shown = [newest[dot * len(newest) // dots] for dot in range(dots)]
    top = max((value for value in shown if value is not None), default=0.0)
    levels = [0 if value is None else max(1, round(value / top * 4 * height)) if top > 0 else 1 for value in shown]
    rows = []
    for row in reversed(range(height)):
        cells = (braille_cell(levels[2 * x] - 4 * row, levels[2 * x + 1] - 4 * row) for x in range(width))
        rows.append("".join(cells))
    return rows


def braille_cell(left: int, right: int) -> str:
    """A cell filled from below, so many dots high at its left and its right; beyond 0 and 4 it is empty and full."""
    dots = sum(_LEFT_DOTS[: max(0, left)]) + sum(_RIGHT_DOTS[: max(0, right)])
    return chr(0x2800 + dots) if dots else " "


def bar(share: float, width: int) -> tuple[int, bool]:
    """How many whole cells of a bar are filled, and whether half a cell follows."""
    halves = round(max(0.0, min(1.0, share)) * 2 * width)
    return halves // 2, bool(halves % 2)
