"""Big figures: three rows of half blocks. Only for money and waste, at most one row of them on a screen."""

from __future__ import annotations

# Five pixels high; a digit is three wide, a point one.
_FONT = {
    "0": ("###", "# #", "# #", "# #", "###"),
    "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"),
    "3": ("###", "  #", " ##", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"),
    "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"),
    "7": ("###", "  #", "  #", " # ", " # "),
    "8": ("###", "# #", "###", "# #", "###"),
    "9": ("###", "# #", "###", "  #", "###"),
    ".": (" ", " ", " ", " ", "#"),
    " ": (" ", " ", " ", " ", " "),
    "+": ("   ", " # ", "###", " # ", "   "),
    "~": ("   ", " # ", "# #", "   ", "   "),
    "–": ("   ", "   ", "###", "   ", "   "),
    "−": ("   ", "   ", "###", "   ", "   "),
    "∞": ("       ", " ## ## ", "#  #  #", " ## ## ", "       "),
}
_HALVES = {(" ", " "): " ", ("#", " "): "▀", (" ", "#"): "▄", ("#", "#"): "█"}


def big_figure(text: str) -> tuple[str, str, str] | None:
    """`text` as three rows of half blocks, or None when it has a character without a big form."""
    if any(character not in _FONT for character in text):
        return None
    pixels = [" ".join(_FONT[character][row] for character in text) for row in range(5)]
    pixels.append(" " * len(pixels[0]))
    rows = ["".join(_HALVES[pair] for pair in zip(pixels[y], pixels[y + 1], strict=True)) for y in (0, 2, 4)]
    return rows[0], rows[1], rows[2]
