"""The kept frame: the cells of the home screen as they last stood, as text that fits in a row of the store's `meta`.

A plain class, and neither `dataclasses` nor `typing`: each would take as long to import as the frame takes to paint.
"""

from __future__ import annotations

from collections.abc import Sequence

FRAME_KEY = "last_frame"  # in `meta`: KeptFrame.encode()
SNAPSHOT_KEY = "last_snapshot"  # in `meta`: what the frame was drawn from, packed
LARGEST = 60_000  # characters of either; a screen of 120×40 takes 12 000

_FORMAT = "1"
_WIDEST, _TALLEST, _MOST_STYLES = 1000, 500, 1000
_CODES = frozenset("0123456789;")

Run = tuple[int, str]  # which style, and the text in it


class KeptFrame:
    """Rows of runs, from the top left. Styles are SGR parameters, never sequences; the first is the empty page's."""

    __slots__ = ("age_end", "age_sign", "age_styles", "height", "look", "rows", "styles", "wall_ms", "width")

    def __init__(
        self,
        *,
        width: int,
        height: int,
        wall_ms: int,
        look: str,
        age_sign: str,
        age_end: int,
        age_styles: tuple[int, int],
        styles: Sequence[str],
        rows: Sequence[Sequence[Run]],
    ) -> None:
        """wall_ms: when what it shows was measured. look: what decided how it looks, see look.py.

        The age ends before column age_end of the first row, which is blank there; age_styles: its sign's, its words'.
        """
        self.width, self.height, self.wall_ms, self.look = width, height, wall_ms, look
        self.age_sign, self.age_end, self.age_styles = age_sign, age_end, age_styles
        self.styles, self.rows = styles, rows

    def encode(self) -> str:
        """As text without any control but tab and newline."""
        facts = (_FORMAT, self.width, self.height, self.wall_ms, self.age_end, *self.age_styles)
        return "\n".join(
            (
                "\t".join((*map(str, facts), self.age_sign, self.look)),
                "\t".join(self.styles),
                *("\t".join(f"{style}\t{text}" for style, text in row) for row in self.rows),
            )
        )


def decode(text: str) -> KeptFrame:
    """The frame, with nothing in it that a terminal could act on, whoever wrote it. Raises ValueError."""
    head, told_styles, *told_rows = text.split("\n")
    version, *facts, age_sign, look = head.split("\t")
    if version != _FORMAT:
        raise ValueError(f"a frame of format {version!r}")
    width, height, wall_ms, age_end, sign_style, words_style = map(int, facts)
    styles = told_styles.split("\t")
    if not (0 < width <= _WIDEST and 0 < height <= _TALLEST and height == len(told_rows) and 0 <= age_end <= width):
        raise ValueError("a frame that does not fit its size")
    if len(styles) > _MOST_STYLES or not all(_CODES.issuperset(style) for style in styles):
        raise ValueError("a style that is more than numbers")
    rows = [_runs(row) for row in told_rows]
    used = {sign_style, words_style, *(style for row in rows for style, _ in row)}
    if min(used) < 0 or max(used) >= len(styles):
        raise ValueError("a style that is not told")
    return KeptFrame(
        width=width,
        height=height,
        wall_ms=wall_ms,
        look=look,
        age_sign=_harmless(age_sign),
        age_end=age_end,
        age_styles=(sign_style, words_style),
        styles=styles,
        rows=rows,
    )


def _runs(row: str) -> list[Run]:
    fields = row.split("\t")
    return [(int(style), _harmless(text)) for style, text in zip(fields[::2], fields[1::2], strict=True)]


def _harmless(text: str) -> str:
    """Controls, bidi and zero-width characters replaced: no terminal acts on what is left, and all of it is seen."""
    if all(each.isprintable() and _is_plain(each) for each in text):
        return text
    from unicodedata import category  # for what is hardly ever there: a third of a millisecond

    return "".join(each if each.isprintable() and category(each)[0] != "M" else "\ufffd" for each in text)


def _is_plain(each: str) -> bool:
    """Of the blocks that the dashboard draws with, none of which has marks that combine."""
    return each < "\u0300" or "\u2010" <= each < "\u20d0" or "\u2100" <= each < "\u2c00"
