"""A small kept frame, and what a terminal shows after some text."""

from __future__ import annotations

import pyte

from tokwatch.first_sight.kept import KeptFrame

NOW_S = 1_795_000_000.0
PAGE, TEXT, SIGN = "48;2;14;18;23", "38;2;213;220;228;48;2;14;18;23", "38;2;116;179;255;48;2;14;18;23"


def small_frame(look: str = "TERM=xterm") -> KeptFrame:
    """60×3, measured three minutes before NOW_S."""
    return KeptFrame(
        width=60,
        height=3,
        wall_ms=round(NOW_S * 1000) - 180_000,
        look=look,
        age_sign="◌",
        age_end=50,
        age_styles=(2, 1),
        styles=(PAGE, TEXT, SIGN),
        rows=(
            ((1, " tokwatch  dgx-03"), (0, " " * 35), (1, "14:03:22")),
            ((0, " " * 60),),
            ((1, " GPU 0  612 W"), (0, " " * 47)),
        ),
    )


def shown(text: str, width: int = 60, height: int = 3) -> list[str]:
    """The rows of a terminal; pyte draws modes and the alternate screen as text, so those are taken out."""
    screen = pyte.Screen(width, height)
    for mode in ("\x1b[?1049h", "\x1b[?25l", "\x1b[?7l"):
        text = text.replace(mode, "")
    pyte.Stream(screen).feed(text)
    return [row.rstrip() for row in screen.display]
