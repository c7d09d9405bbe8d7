"""Footer: the screens on the left, the keys of this one on the right."""

from __future__ import annotations

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
        x = self._put_tabs(line, [len(f"{tab.key} {tab.name}") + 2 for tab in TABS])
        put_keys(line, self.instead or (self._keys if self.frame.live else self._past_keys), width - x - 2, self.look)
        return [line]

    def _put_tabs(self, line: Line, widths: list[int]) -> int:
        """Every tab by its name, or by its key alone where a third of the row is not enough; the column after them."""
        named = sum(widths) <= line.width * _TABS_AT_MOST
        x = 0
        for tab, width in zip(TABS, widths, strict=True):
            current = tab.name == self._tab
            cells = width if named or current else len(tab.key) + 1
            if current:
                x += 0 if named or not x else 1
                line.paint(x, cells, "ui_tint")
            line.put(x + 1, tab.key, "ui", bold=True)
            if named or current:
                line.put(x + 2 + len(tab.key), tab.name, "bright" if current else "quiet", bold=current)
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
