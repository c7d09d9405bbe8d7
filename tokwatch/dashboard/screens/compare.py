"""Compare: two windows of a session side by side, and the load behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding

from tokwatch.dashboard import formats, glyphs
from tokwatch.dashboard.layout import MARGIN
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.theme import Look
from tokwatch.dashboard.widgets.document import Document, Page
from tokwatch.ledger.figure import Figure, Interval
from tokwatch.ledger.window_figures import LABELS, LOAD, Compared, WindowFigures, compared

WIDTHS_MS: Final = tuple(minutes * 60_000 for minutes in (1, 5, 10, 30, 60, 180))
USUAL_WIDTH_MS: Final = 10 * 60_000
KEYS = (("[ ]", "length"), ("x", "swap"), ("↑↓", "scroll"), ("esc", "back"), ("?", "help"))
_LABEL, _UNIT, _FIRST, _SECOND, _CHANGE = MARGIN, 24, 32, 48, 64  # columns
_WIDTH = 14  # of a column of figures
_WRITE: Final = {
    "tok_per_j": formats.ratio,
    "usd_per_m_output": formats.per_million,
    "usd_per_m_all": formats.per_million,
    "usd_per_hour": formats.amount,
}
_UNCHANGED: Final = "0 %"
Ask = Callable[[int, int], Awaitable[WindowFigures]]


class Windows(NamedTuple):
    """Both sides, and what changed from one to the other."""

    before: WindowFigures
    after: WindowFigures

    @property
    def rows(self) -> tuple[Compared, ...]:
        return compared(self.before, self.after)


class ComparePage(Document):
    """The text of the screen; adds up nothing itself."""

    def __init__(self, look: Look, ends_ms: tuple[int, int]) -> None:
        super().__init__(look)
        self._ends_ms = ends_ms
        self._width_ms = USUAL_WIDTH_MS
        self._windows: Windows | None = None

    def take(self, ends_ms: tuple[int, int], width_ms: int, windows: Windows | None) -> None:
        """Show these; None while they are added up."""
        self._ends_ms, self._width_ms, self._windows = ends_ms, width_ms, windows
        self.rewrite()

    def write(self, page: Page) -> None:
        offset = self.frame.snapshot.utc_offset_s if self.frame.snapshot else 0
        minutes = self._width_ms // 60_000
        length = f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"
        page.heading("COMPARE", f"the means of the {length} before each moment")
        headings = [
            f"{side} {formats.local(at, offset):%d %b %H:%M}" for side, at in zip("AB", self._ends_ms, strict=True)
        ]
        _put_row(page, "", "", (headings[0], headings[1], "CHANGE"), "quiet")
        if self._windows is None:
            page.text(_LABEL, f"{glyphs.ABSENT} adding up")
            return
        rows, sign = self._windows.rows, formats.currency_sign(self._windows.after.currency)
        for row in rows:
            if row.name not in LOAD:
                _write_row(page, row, sign)
        page.heading("THE LOAD BEHIND THEM")
        for row in rows:
            if row.name in LOAD:
                _write_row(page, row, sign)
        _write_coverage(page, self._windows)


class CompareScreen(FrameScreen):
    """`ask` gives the figures of (end_ms, length_ms); A is the moment that was marked first."""

    BINDINGS = [
        Binding("escape,c", "app.pop_screen", "Close"),
        Binding("left_square_bracket", "widen(-1)", "Shorter windows"),
        Binding("right_square_bracket", "widen(1)", "Longer windows"),
        Binding("x", "swap", "The other one as A"),
        Binding("down,j", "scroll(1)", "Down"),
        Binding("up,k", "scroll(-1)", "Up"),
    ]

    KEYS = KEYS

    def __init__(self, ask: Ask, first_ms: int, second_ms: int) -> None:
        super().__init__()
        self._window = ask
        self._ends_ms = (first_ms, second_ms)
        self._width_ms = USUAL_WIDTH_MS

    def body(self) -> ComposeResult:
        yield ComparePage(self.tokwatch.look, self._ends_ms)

    def on_mount(self) -> None:
        super().on_mount()
        self._start()

    def action_widen(self, by: int) -> None:
        place = WIDTHS_MS.index(self._width_ms) + by
        if 0 <= place < len(WIDTHS_MS):
            self._width_ms = WIDTHS_MS[place]
            self._start()

    def action_swap(self) -> None:
        self._ends_ms = (self._ends_ms[1], self._ends_ms[0])
        self._start()

    def action_scroll(self, by: int) -> None:
        self.query_one(ComparePage).scroll(by)

    def _start(self) -> None:
        self.run_worker(self._add_up(), group="compare", exclusive=True)

    async def _add_up(self) -> None:
        page, ends_ms, width_ms = self.query_one(ComparePage), self._ends_ms, self._width_ms
        page.take(ends_ms, width_ms, None)
        try:
            before, after = await self._window(ends_ms[0], width_ms), await self._window(ends_ms[1], width_ms)
        except Exception as error:  # noqa: BLE001  the boundary to the feed: end, and say why
            self.tokwatch.end_with(error)
            return
        page.take(ends_ms, width_ms, Windows(before, after))


def _write_row(page: Page, row: Compared, sign: str) -> None:
    label, unit = LABELS[row.name]
    write = _WRITE.get(row.name, formats.count)
    change = "" if row.change.value is None else _percent(row.change.value)
    cells = (_told(row.before, write), _told(row.after, write), change or glyphs.ABSENT)
    _put_row(page, label, unit.replace("$", sign.strip()), cells, "text")
    reasons = {side: each.why for side, each in zip("AB", (row.before, row.after), strict=True) if _is_unknown(each)}
    if len(set(reasons.values())) == 1 and len(reasons) == 2:
        page.text(_UNIT, f"{glyphs.ABSENT} {reasons['A']}")
    else:
        for side, why in reasons.items():
            page.text(_UNIT, f"{glyphs.ABSENT} {side}: {why}")


def _put_row(page: Page, label: str, unit: str, cells: tuple[str, str, str], role: str) -> None:
    line = page.line()
    line.put(_LABEL, label, role, width=_UNIT - _LABEL - 1)
    line.put(_UNIT, unit, "quiet", width=_FIRST - _UNIT)
    for x, text in zip((_FIRST, _SECOND, _CHANGE), cells, strict=True):
        shown = "faint" if text == glyphs.ABSENT else "quiet" if text == _UNCHANGED else role
        line.put(x, text, shown, width=_WIDTH, right=True)


def _write_coverage(page: Page, windows: Windows) -> None:
    for side, window in zip("AB", windows, strict=True):
        if window.coverage < 0.995:
            page.line()
            page.text(_LABEL, f"{side} was watched {formats.percent(window.coverage)} % of the time.")


def _is_unknown(figure: Figure | Interval) -> bool:
    if isinstance(figure, Interval):
        return figure.low is None and figure.high is None
    return figure.value is None and not figure.infinite


def _told(figure: Figure | Interval, write: Callable[[float], str]) -> str:
    if isinstance(figure, Interval):
        return formats.interval(figure, formats.percent_tenths)
    return ("few " if formats.is_few(figure) else "") + formats.figure(figure, write)


def _percent(change: float) -> str:
    text = f"{change * 100:+.0f}".replace("-", "−")
    return _UNCHANGED if text[1:] == "0" else f"{text} %"
