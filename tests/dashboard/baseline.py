"""Baselines: what a screen says, cell by cell, kept as text that a reviewer can read and compare.

A file holds the rows as they read and, below, the role of every character: a letter of the palette, so that a warning
that lost its colour is a change too. `pytest --snapshot-update` writes them anew; look at the difference before it is
committed.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

from textual.app import App

from tokwatch.dashboard.theme import DARK, Palette

FOLDER = Path(__file__).parent / "baselines"
# One letter a role; capital where it is bold.
LETTERS = dict(zip(Palette.__struct_fields__, "wpagmubtqfhijklrzyxvno", strict=True))


def text_of(app: App[Any]) -> list[str]:
    """The rows of the screen as they read, without blanks at their ends."""
    return ["".join(segment.text for segment in strip).rstrip() for strip in _strips(app)]


def roles_of(app: App[Any]) -> list[str]:
    """A letter for each character's colour, as far as it is one of the dark palette's; "?" for others."""
    letters = {getattr(DARK, name): letter for name, letter in reversed(LETTERS.items())}
    rows = []
    for strip in _strips(app):
        cells = []
        for text, style, _ in strip:
            colour = style.color.get_truecolor().hex if style is not None and style.color is not None else ""
            letter = letters.get(colour, "?")
            cells.append("".join(_letter(char, letter, bold=bool(style and style.bold)) for char in text))
        rows.append("".join(cells).rstrip())
    return rows


def _letter(char: str, letter: str, *, bold: bool) -> str:
    return " " if char == " " else letter.upper() if bold else letter


def _strips(app: App[Any]) -> Any:
    return app.screen._compositor.render_strips(app.size)  # the only way to the composed screen


def page_of(app: App[Any], *, with_roles: bool) -> str:
    """The text of a baseline."""
    rows = text_of(app)
    parts = chain(rows, ["", "-- roles: " + " ".join(f"{v} {k}" for k, v in LETTERS.items())], roles_of(app))
    return "\n".join(parts if with_roles else rows) + "\n"


def compare(name: str, page: str, *, update: bool, folder: Path = FOLDER) -> str | None:
    """None when the page is the baseline, else what differs in words. With `update` it becomes the baseline."""
    path = folder / f"{name}.txt"
    if update:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
        return None
    if not path.exists():
        return f"{name}: there is no baseline; --snapshot-update makes one"
    kept = path.read_text(encoding="utf-8")
    if kept == page:
        return None
    before, after = kept.splitlines(), page.splitlines()
    longest = max(len(before), len(after))
    pairs = zip(_padded(before, longest), _padded(after, longest), strict=True)
    differing = [f"  {number:>3} − {was}\n      + {now}" for number, (was, now) in enumerate(pairs, 1) if was != now]
    return "\n".join([f"{name}: {len(differing)} rows differ", *differing[:12]])


def _padded(rows: list[str], length: int) -> list[str]:
    return rows + [""] * (length - len(rows))
