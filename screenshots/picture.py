"""Pictures of a Textual app: SVG drawn from its rendered strips, and PNG of that SVG.

Textual's own export names a web font, and without it half blocks break and box lines show seams. So blocks, box lines
and braille are drawn as shapes, and every character of a text has its own position.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from html import escape, unescape
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.strip import Strip

CELL_W, CELL_H, MARGIN = 10.0, 22.0, 18.0
_FONT = "'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace"
_CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
Cell = tuple[str, str, str, bool]  # character, colour, ground, bold


def drawn(app: App[Any], description: str = "") -> str:
    """SVG of what the app shows now."""
    ground = app.theme_variables["background"]
    return svg([list(_cells(strip, ground)) for strip in _strips(app)], ground, description)


def text_of(app: App[Any]) -> str:
    """What the screen says, row by row."""
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in _strips(app))


def described(svg_text: str) -> str:
    """The description that was drawn into an SVG."""
    return unescape(svg_text.partition("<desc>")[2].partition("</desc>")[0])


def _strips(app: App[Any]) -> list[Strip]:
    # The only way to the composed screen; Textual's own screenshots take it too.
    return app.screen._compositor.render_strips(app.size)


def png(svg_text: str, scale: int = 2) -> bytes:
    """PNG of an SVG, by headless Chromium. Raises CalledProcessError when it fails, FileNotFoundError without it."""
    width, height = _size_of(svg_text)
    with tempfile.TemporaryDirectory() as folder:
        page, image = Path(folder, "page.html"), Path(folder, "image.png")
        page.write_text(f"<!doctype html><style>body{{margin:0}}</style>{svg_text}", encoding="utf-8")
        command = [
            "chromium",
            *_CHROMIUM,
            f"--user-data-dir={folder}/profile",
            f"--force-device-scale-factor={scale}",
            f"--window-size={width},{height}",
            "--default-background-color=00000000",
            f"--screenshot={image}",
            page.as_uri(),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return image.read_bytes()


def svg(rows: list[list[Cell]], ground: str, description: str = "") -> str:
    """Rows of cells as SVG."""
    width = round(2 * MARGIN + CELL_W * max(len(row) for row in rows))
    height = round(2 * MARGIN + CELL_H * len(rows))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' font-family="{_FONT}" font-size="16.2" font-variant-ligatures="none">',
        f"<desc>{escape(description, quote=False)}</desc>",
        f'<rect width="{width}" height="{height}" rx="10" fill="{ground}"/>',
        f"<defs>{''.join(_patterns(rows))}</defs>",
        '<g shape-rendering="crispEdges">',
    ]
    parts.extend(part for y, row in enumerate(rows) for part in _grounds(row, y, ground))
    parts.append("</g>")
    parts.extend(part for y, row in enumerate(rows) for part in _marks(row, y))
    return "\n".join([*parts, "</svg>", ""])


def _cells(strip: Iterable[Segment], page: str) -> Iterator[Cell]:
    for text, style, _ in strip:
        style = style or Style()
        colour, ground = _hex(style.color, page), _hex(style.bgcolor, page)
        if style.reverse:
            colour, ground = ground, colour
        for character in text:
            yield character, colour, ground, bool(style.bold)
            if cell_len(character) == 2:
                yield "", colour, ground, bool(style.bold)


def _hex(color: Color | None, default: str) -> str:
    return color.get_truecolor().hex if color is not None and not color.is_default else default


def _grounds(row: list[Cell], y: int, page: str) -> Iterator[str]:
    x = 0
    for ground, run in groupby(row, key=lambda cell: cell[2]):
        length = len(list(run))
        if ground != page:
            yield _rect(MARGIN + x * CELL_W, MARGIN + y * CELL_H, length * CELL_W, CELL_H, ground)
        x += length


def _marks(row: list[Cell], y: int) -> Iterator[str]:
    top = MARGIN + y * CELL_H
    x = 0
    for (kind, colour, bold), run in groupby(row, key=lambda cell: (_kind(cell[0]), cell[1], cell[3])):
        characters = [cell[0] for cell in run]
        left = MARGIN + x * CELL_W
        if kind == "text":
            yield _text(characters, left, top, colour, bold=bold)
        elif kind == "shape":
            shapes = "".join(_shapes(characters, left, top, colour))
            yield f'<g shape-rendering="crispEdges">{shapes}</g>'
        elif kind == "braille":
            yield "".join(_dots(characters, left, top, colour))
        x += len(characters)


def _kind(character: str) -> str:
    if character in (" ", ""):
        return "blank"
    if "\u2800" <= character <= "\u28ff":
        return "braille"
    return "shape" if character in _SHAPES or character in "╌▒" else "text"


def _text(characters: list[str], left: float, top: float, colour: str, *, bold: bool) -> str:
    xs = " ".join(f"{left + i * CELL_W:g}" for i, character in enumerate(characters) if character)
    weight = ' font-weight="700"' if bold else ""
    return f'<text x="{xs}" y="{top + 16.2:g}" fill="{colour}"{weight}>{escape("".join(characters))}</text>'


# The part of its cell that a character fills: x, y, width, height in 0..1. Lines are a few pixels at half height.
_SHAPES: dict[str, tuple[float, float, float, float]] = {
    "█": (0, 0, 1, 1),
    "▀": (0, 0, 1, 0.5),
    "▄": (0, 0.5, 1, 0.5),
    "▌": (0, 0, 0.5, 1),
    "▎": (0, 0, 0.25, 1),
    "━": (0, 10 / 22, 1, 3 / 22),
    "╸": (0, 10 / 22, 0.5, 3 / 22),
    "─": (0, 11 / 22, 1, 1 / 22),
}
for _eighths, _block in ((1, "▁"), (2, "▂"), (3, "▃"), (5, "▅"), (6, "▆"), (7, "▇")):
    _SHAPES[_block] = (0, 1 - _eighths / 8, 1, _eighths / 8)


def _shapes(characters: list[str], left: float, top: float, colour: str) -> Iterator[str]:
    at = 0
    for character, run in groupby(characters):
        length = len(list(run))
        x = left + at * CELL_W
        if character == "╌":
            for i in range(2 * length):
                yield _rect(x + i * CELL_W / 2 + 1, top + 11, 3, 1.5, colour)
        elif character == "▒":
            yield _rect(x, top, length * CELL_W, CELL_H, f"url(#{_pattern_name(colour)})")
        else:
            dx, dy, width, height = _SHAPES[character]
            each = width < 1
            for i in range(length if each else 1):
                wide = width * CELL_W if each else length * CELL_W
                yield _rect(x + (dx + i) * CELL_W, top + dy * CELL_H, wide, height * CELL_H, colour)
        at += length


_DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))  # column and row of each bit


def _dots(characters: list[str], left: float, top: float, colour: str) -> Iterator[str]:
    for i, character in enumerate(characters):
        bits = ord(character) - 0x2800
        for bit, (column, row) in enumerate(_DOTS):
            if bits >> bit & 1:
                x, y = left + i * CELL_W + 2.5 + 5 * column, top + 2.75 + 5.5 * row
                yield f'<circle cx="{x:g}" cy="{y:g}" r="1.65" fill="{colour}"/>'


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{colour}"/>'


def _pattern_name(colour: str) -> str:
    return f"half-{colour.removeprefix('#')}"


def _patterns(rows: list[list[Cell]]) -> Iterator[str]:
    """▒ in every colour it is used with: a checker of small squares."""
    for colour in sorted({cell[1] for row in rows for cell in row if cell[0] == "▒"}):
        squares = _rect(0, 0, 1.25, 1.375, colour) + _rect(1.25, 1.375, 1.25, 1.375, colour)
        name = _pattern_name(colour)
        yield f'<pattern id="{name}" width="2.5" height="2.75" patternUnits="userSpaceOnUse">{squares}</pattern>'


def _size_of(svg_text: str) -> tuple[int, int]:
    head = svg_text[: svg_text.index(">")]
    width, height = (int(head.split(f'{name}="')[1].split('"')[0]) for name in ("width", "height"))
    return width, height
