"""Splits what was written to a terminal into control sequences and text, and knows those that Textual itself makes."""

from __future__ import annotations

import base64
import re
from typing import Final

_SEQUENCE: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS, APC, PM, SOS
    r"|\x1b[ -/]*[0-~]"  # two characters, and those of character sets
    r"|\x1b"
)
_MODES: Final = "25|7|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048"
OF_TEXTUAL: Final = {
    "style (SGR)": r"\x1b\[[0-9;]*m",
    "cursor to row and column (CUP)": r"\x1b\[\d+;\d+H",
    "mode set and reset": rf"\x1b\[\?(?:{_MODES})[hl]",
    "is a mode known": r"\x1b\[\?(?:2026|2048)\$p",
    "keyboard protocol on and off": r"\x1b\[(?:>\d+|<)u",
    "shape of the mouse pointer": r"\x1b\]22;[a-z-]*\x07",
    "clipboard (OSC 52)": r"\x1b\]52;c;[A-Za-z0-9+/]*=*\x07",
}
_OF_TEXTUAL: Final = {name: re.compile(pattern) for name, pattern in OF_TEXTUAL.items()}
# Controls but line ends, and whatever turns, hides or joins its neighbours.
NO_TEXT: Final = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u0300-\u036f\u061c\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)


def split(sent: str) -> tuple[list[str], str]:
    """The sequences in order, and the text between them."""
    return _SEQUENCE.findall(sent), _SEQUENCE.sub("", sent)


def kind_of(sequence: str) -> str | None:
    """What Textual makes it for; None: it does not make it."""
    return next((name for name, pattern in _OF_TEXTUAL.items() if pattern.fullmatch(sequence)), None)


def copied(sequences: list[str]) -> list[str]:
    """What was given to the clipboard."""
    of = [each for each in sequences if each.startswith("\x1b]52;c;")]
    return [base64.b64decode(each[7:-1]).decode() for each in of]
