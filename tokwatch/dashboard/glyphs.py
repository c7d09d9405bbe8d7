"""Glyphs: how a state is named and drawn, and what stands for each glyph on a terminal limited to ASCII."""

from __future__ import annotations

import msgspec
from rich.cells import cell_len

ABSENT = "–"
INFINITE = "∞"
CURSOR = "▌"
LIVE = "●"
REPLAY = "◀"
PAUSED = "‖"
OK = "●"
FAILED = "×"
HALF_BELOW = "▄"
HALF_ABOVE = "▀"
RULE = "─"
BAR = "━"
BAR_HALF = "╸"
UNWATCHED = "·"
LIMIT = "╌"
WARNING = "▲"
RESTART = "↻"
GAP = "┆"
IDLE_BEGINS = "◌"
PRICE = "$"
POSITION = "▼"
FALLING = "▾"  # sorted with the largest first; an open group
RISING = "▴"
FOLDED = "▸"


class StateLook(msgspec.Struct, frozen=True):
    """A state in a list (glyph, word, role) and on the strip over time (mark, role)."""

    glyph: str
    word: str
    role: str
    mark: str
    mark_role: str

    def mark_in(self, *, colourless: bool) -> str:
        """The mark; the glyph where only the colour of its line would tell it from that of serving."""
        return self.glyph if colourless and self.mark == BAR and self.mark_role != "work_past" else self.mark


# The word and the glyph carry the state, the colour only helps to find it.
_STATES = {
    "serving": StateLook("●", "serving", "work", "━", "work_past"),
    "saturated": StateLook("▲", "saturated", "alarm", "━", "alarm"),
    "backlog": StateLook("▲", "backlog", "alarm", "━", "alarm"),
    "throttled": StateLook("▲", "throttled", "alarm", "━", "alarm"),
    "misrouted": StateLook("▲", "misrouted", "waste", "▇", "waste_fill"),
    "underbatched": StateLook("●", "underbatched", "work", "━", "work_past"),
    "parked": StateLook("◌", "parked", "waste", "▇", "waste_fill"),
    "held": StateLook("◌", "held", "waste", "▇", "waste_fill"),
    "unallocated": StateLook("○", "free", "waste", "▒", "waste_fill"),
    "loading": StateLook("◔", "loading", "ui", "╌", "ui"),
    "other work": StateLook("◆", "other work", "s3", "━", "s1"),
    "stalled": StateLook("×", "stalled", "alarm", "×", "alarm"),
    "lost": StateLook("×", "lost", "alarm", "×", "alarm"),
    "blind": StateLook("·", "blind", "faint", "·", "faint"),
    "unknown": StateLook("·", "unknown", "faint", "·", "faint"),
}
STATE_ORDER = tuple(_STATES)
URGENCY = ("alarm", "waste", "ui", "s3", "work", "faint")  # roles of states, what needs to be seen first


def look_of_state(state: str) -> StateLook:
    """How a state is drawn. A state this version does not know keeps its word and is drawn like unknown."""
    return _STATES.get(state) or StateLook("·", state, "faint", "·", "faint")


def _dots(braille: int) -> str:
    return " ..:::###"[braille.bit_count()]


_ASCII = str.maketrans(
    {
        "–": "-",
        "−": "-",
        "∞": "inf",
        "…": "~",
        "×": "x",
        "●": "*",
        "▲": "!",
        "◌": "o",
        "○": "O",
        "◔": "%",
        "◆": "+",
        "◇": "x",
        "·": ".",
        "▌": ">",
        "◀": "<",
        "‖": "=",
        "▼": "v",
        "▾": "v",
        "▴": "^",
        "▸": ">",
        "↻": "@",
        "┆": "|",
        "━": "=",
        "╸": "-",
        "─": "-",
        "╌": "~",
        "▇": "#",
        "▒": "%",
        "▔": "-",
        "▊": "|",
        "▎": "|",
        "█": "#",
        "▁": "_",
        "▂": "_",
        "▃": ".",
        "▄": "-",
        "▅": "=",
        "▆": "=",
        "←": "<",
        "→": ">",
        "↑": "^",
        "↓": "v",
        "⏎": "enter",
        "°": "",
        "÷": "/",
        "«": "<",
        "≤": "<=",
        "≥": ">=",
        "€": "EUR ",
        "£": "GBP ",
        "¥": "JPY ",
        **{chr(0x2800 + dots): _dots(dots) for dots in range(256)},
    }
)


def to_ascii(text: str) -> str:
    """`text` in printable ASCII; what has no stand-in becomes "?"."""
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


def to_ascii_cells(text: str) -> str:
    """The same, as wide as `text`: for rows that are laid out already."""
    return "".join(_fit(to_ascii(character), cell_len(character)) for character in text)


def _fit(stand_in: str, width: int) -> str:
    return stand_in.ljust(width)[:width]
