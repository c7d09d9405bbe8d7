"""Footer: the screens on the left, the keys of this one on the right."""

from __future__ import annotations

from collections.abc import Sequence

from tokwatch.dashboard.cells import Line
from tokwatch.dashboard.glyphs import to_ascii
from tokwatch.dashboard.screens.registry import TABS
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.canvas import Canvas

_TABS_AT_MOST = 0.55  # of the row
Keys = tuple[tuple[str, str], ...]


class Footer(Canvas):
    """One row. Keys are given in the order of their worth; what does not fit is left out from the end."""

    instead: Keys | None = None  # keys that are in force for a while in place of the screen's

    def __init__(self, look: Look, tab: str, keys: Keys, past_keys: Keys | None = None) -> None:
        """past_keys: those to show while the past is looked at, where they are others."""
        super().__init__(look)
        self._tab = tab
        self._keys = keys
        self._past_keys = keys if past_keys is None else past_keys

    def offer(self, keys: Keys) -> None:
        """Other keys of the screen, live and in the past."""
        if keys != self._keys:
            self._keys = self._past_keys = keys
            self.redraw()

    def draw(self, rows: range) -> list[Line]:
        width = self.size.width
        line = Line(width, self.look, ground="surface")
        x = put_tabs(line, [(tab.key, tab.name) for tab in TABS], self._tab)
        put_keys(line, self.instead or (self._keys if self.frame.live else self._past_keys), width - x - 2, self.look)
        return [line]


def put_tabs(line: Line, tabs: Sequence[tuple[str, str]], current: str) -> int:
    """Every tab (key, name) by its name, or by its key alone where half of the row is not enough; the column after."""
    widths = [len(f"{key} {name}") + 2 for key, name in tabs]
    named = sum(widths) <= line.width * _TABS_AT_MOST
    x = 0
    for (key, name), width in zip(tabs, widths, strict=True):
        is_current = name == current
        cells = width if named or is_current else len(key) + 1
        if is_current:
            x += 0 if named or not x else 1
            line.paint(x, cells, "ui_tint")
        line.put(x + 1, key, "ui", bold=True)
        if named or is_current:
            line.put(x + 2 + len(key), name, "bright" if is_current else "quiet", bold=is_current)
        x += cells
    return x


def put_keys(line: Line, keys: Keys, room: int, look: Look) -> int:
    """Draws keys at the right end of the line, as many as fit into `room`, and returns the column where they begin."""
    shown: list[tuple[str, str]] = []
    if look.ascii_only:  # ⏎ is longer there
        keys = tuple((to_ascii(key), label) for key, label in keys)
    for key, label in sorted(keys, key=_is_help, reverse=True):
        room -= len(key) + 1 + len(label) + 2
        if room < 0:
            break
        shown.append((key, label))
    begin = x = line.width - 1 - (sum(len(key) + 1 + len(label) + 2 for key, label in shown) - 2)
    for key, label in sorted(shown, key=_is_help):
        x = line.put(x, key, "ui", bold=True)
        x = line.put(x + 1, label, "quiet") + 2
    return begin


def _is_help(key: tuple[str, str]) -> bool:
    """Help always fits, and always stands at the same place: the end."""
    return key[0] == "?"
