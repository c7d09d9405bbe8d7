"""Marks in words and glyphs, and the letter of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tokwatch.dashboard import formats, glyphs
from tokwatch.feeds.mark import Kind, Mark

KEY_OF_KIND: Final[Mapping[Kind, str]] = {"alert": "a", "restart": "r", "gap": "g", "idle": "i", "price": "p"}
MEANINGS: Final[Mapping[Kind, str]] = {
    "alert": "an alert begins to fire",
    "restart": "a server restarted, or its counters did",
    "gap": "nobody watched before this, or another recorder took over",
    "idle": "a GPU begins to be idle, for five minutes or longer (○ free)",
    "price": "another price comes into force",
}
_LOOKS: Final[Mapping[Kind, tuple[str, str]]] = {
    "alert": (glyphs.WARNING, "alarm"),
    "restart": (glyphs.RESTART, "ui"),
    "gap": (glyphs.GAP, "quiet"),
    "idle": (glyphs.IDLE_BEGINS, "waste"),
    "price": (glyphs.PRICE, "bright"),
}


def look_of_kind(kind: Kind) -> tuple[str, str]:
    """Glyph, and the role that colours it."""
    return _LOOKS[kind]


def look_of_mark(mark: Mark) -> tuple[str, str]:
    """The same of one mark: idleness is waste, also as an alert."""
    glyph, role = _LOOKS[mark.kind]
    if mark.kind == "idle" and mark.state == "unallocated":  # free has the same glyph wherever it stands
        glyph = glyphs.look_of_state(mark.state).glyph
    return glyph, "waste" if is_waste(mark) else role


def is_waste(mark: Mark) -> bool:
    """It is about GPUs that are paid for and do nothing."""
    return mark.state != "" and glyphs.look_of_state(mark.state).role == "waste"


def words_of_mark(mark: Mark) -> str:
    """What happened, without when."""
    state = glyphs.look_of_state(mark.state).word if mark.state else ""
    lasted = f"for {formats.duration(mark.length_ms / 1000)}" if mark.length_ms else ""
    words: dict[Kind, tuple[str, ...]] = {
        "alert": (state or "alert", mark.words),
        "restart": (mark.words, "restarted"),
        "gap": (mark.words, lasted),
        "idle": (state, mark.words, lasted),
        "price": ("price:", mark.words),
    }
    return " ".join(filter(None, words[mark.kind]))
