"""Help: keys from the bindings that are in force, and what the glyphs and marks mean."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tokwatch.dashboard import glyphs
from tokwatch.dashboard.keys import SHARED
from tokwatch.dashboard.mark_words import MEANINGS, look_of_kind
from tokwatch.dashboard.screens.base import FrameScreen
from tokwatch.dashboard.screens.compare import CompareScreen
from tokwatch.dashboard.screens.fleet import FleetScreen
from tokwatch.dashboard.screens.kinds import KindPrompt
from tokwatch.dashboard.screens.money import MoneyScreen
from tokwatch.dashboard.screens.sources import SourcesScreen
from tokwatch.dashboard.widgets.document import Document, Page
from tokwatch.ledger.marks import MARKS

_KEY_NAMES = {
    "question_mark": "?",
    "dollar_sign": "$",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "shift+left": "shift ←",
    "shift+right": "shift →",
    "escape": "esc",
}
_STATES = {
    "serving": "requests run or tokens moved in the window",
    "saturated": "requests wait for room in the KV cache",
    "backlog": "requests wait for another limit: batch size, tokens in a batch",
    "throttled": "requests run, and its hardware or heat slows it down",
    "misrouted": "no request here, while some wait at another server of the same model",
    "underbatched": "works far below its capacity: fewer GPUs would do",
    "parked": "a model is loaded and nobody asks it",
    "held": "memory is held and nothing runs",
    "unallocated": "no process: paid for and free",
    "loading": "a server starts",
    "other work": "busy with something that is not a known inference engine",
    "blind": "a server is here and cannot be read",
    "stalled": "requests run and no token is made: the server hangs",
    "lost": "the driver no longer answers for this GPU",
    "unknown": "not enough is known; never counted as idle",
}
_MARKS = (
    (glyphs.ABSENT, "not measured, or does not apply; 0 is a measured zero"),
    (glyphs.INFINITE, "cost without tokens"),
    ("97–99", "known between these bounds: the edges of a histogram's buckets"),
    *MARKS.values(),
    (glyphs.WARNING, "beside a number: the device is at fault itself, see the lines below the list"),
    ("quiet state", "not confirmed yet: it has to last a moment before it counts"),
)
_TEXT = 22


class HelpScreen(FrameScreen):
    """One page over whatever screen asked."""

    BINDINGS = [
        Binding("escape,question_mark", "app.pop_screen", "Close help"),
        Binding("down,j", "scroll(1)", "Down"),
        Binding("up,k", "scroll(-1)", "Up"),
        Binding("pagedown", "scroll(10)", "Ten lines down"),
        Binding("pageup", "scroll(-10)", "Ten lines up"),
    ]

    KEYS = (("esc", "close"), ("↑↓", "scroll"))

    def body(self) -> ComposeResult:
        yield HelpPage(self.tokwatch.look)

    def action_scroll(self, by: int) -> None:
        self.query_one(HelpPage).scroll(by)


class HelpPage(Document):
    """The text of the screen."""

    def write(self, page: Page) -> None:
        for heading, bindings in (
            ("KEYS", [*SHARED, Binding("ctrl+p", "command_palette", "Every action by name")]),
            ("ON FLEET", FleetScreen.BINDINGS),
            ("ON MONEY", MoneyScreen.BINDINGS),
            ("ON SOURCES", SourcesScreen.BINDINGS),
            ("AFTER M", KindPrompt.BINDINGS),
            ("ON COMPARE", CompareScreen.BINDINGS),
        ):
            page.heading(heading)
            for keys, description in _keys(bindings):
                line = page.line()
                line.put(4, keys, "ui", bold=True)
                line.put(_TEXT, description)
        page.heading("STATES")
        for state, meaning in _STATES.items():
            look = glyphs.look_of_state(state)
            line = page.line()
            line.put(4, look.glyph, look.role)
            line.put(6, look.word)
            page.beside(line, _TEXT, meaning)
        page.heading("MARKS IN TIME")
        for kind, meaning in MEANINGS.items():
            glyph, role = look_of_kind(kind)
            line = page.line()
            line.put(4, glyph, role)
            line.put(6, kind)
            page.beside(line, _TEXT, meaning)
        page.heading("MARKS")
        for mark, meaning in _MARKS:
            line = page.line()
            line.put(4, mark)
            page.beside(line, _TEXT, meaning)


def _keys(bindings: Iterable[BindingType]) -> Iterable[tuple[str, str]]:
    """Names of the keys, and what they do."""
    for binding in bindings:
        if isinstance(binding, Binding):
            names = (_KEY_NAMES.get(key, key) for key in binding.key.split(","))
            yield " ".join(names), binding.description
