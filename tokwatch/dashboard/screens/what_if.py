"""What if: another GPU price, tariff, PUE, load or token price, and what it would do to this moment's money."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tokwatch.dashboard.frame import Frame
from tokwatch.dashboard.screens.what_if_editing import EDITING, WhatIfEditing
from tokwatch.dashboard.widgets.break_even_chart import LEAST_ROWS, BreakEvenChart
from tokwatch.dashboard.widgets.money_layout import Rect
from tokwatch.dashboard.widgets.placing import place
from tokwatch.dashboard.widgets.what_if_panel import ROWS, WhatIfPanel
from tokwatch.dashboard.widgets.what_if_words import WhatIfWords
from tokwatch.feeds.questions.prices_at import PricesAt

KEYS = (
    ("↑↓", "choose"),
    ("+ −", "change"),
    ("⏎", "type"),
    ("esc", "back"),
    ("r", "reset"),
    ("?", "help"),
)
_SIDE_BY_SIDE_FROM = 100  # columns
_PANEL_SHARE = 0.45
_WORDS_ROWS = 9  # with the blank one above
_MINUTE_MS = 60_000


class WhatIfScreen(WhatIfEditing):
    """The panel, the curve and what both take for granted."""

    BINDINGS: ClassVar[list[BindingType]] = [*EDITING, Binding("escape", "app.leave", "Back")]
    TAB, KEYS, DRILLED = "Money", KEYS, True
    _asked: tuple[object, ...] | None = None
    _room: tuple[int, int] | None = None

    def body(self) -> ComposeResult:
        look = self.tokwatch.look
        panel = WhatIfPanel(look)
        yield panel
        yield BreakEvenChart(look, panel)
        yield WhatIfWords(look)

    def show(self, frame: Frame) -> None:
        super().show(frame)
        snapshot = frame.snapshot
        if snapshot is None or frame.kept:
            return
        about = snapshot.price, frame.what_if, snapshot.tick_ms // _MINUTE_MS
        if about != self._asked:
            self._asked = about
            self.ask(PricesAt(snapshot.tick_ms), self.take_prices, group="prices")

    def lay_out(self, frame: Frame, width: int, height: int) -> None:
        super().lay_out(frame, width, height)
        room = (width, height - 2 - sum(self._bottom_rows or ()))
        if room == self._room:
            return
        self._room = room
        panel, chart, words = self.panel, self.query_one(BreakEvenChart), self.query_one(WhatIfWords)
        rows = room[1] - 1  # one stays blank below the header
        below = rows - ROWS - 1
        if width >= _SIDE_BY_SIDE_FROM:
            left = round(width * _PANEL_SHARE)
            place(panel, Rect(0, 2, left, ROWS))
            place(words, Rect(0, ROWS + 3, left, below))
            place(chart, Rect(left + 1, 2, width - left - 2, rows))
        else:
            for_words = _WORDS_ROWS if below - _WORDS_ROWS >= LEAST_ROWS else 0
            place(panel, Rect(0, 2, width, ROWS))
            place(chart, Rect(0, ROWS + 3, width - 1, below - for_words))
            place(words, Rect(0, ROWS + 4 + below - for_words, width, for_words - 1))
